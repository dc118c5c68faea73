"""A stand-in for plex.tv: sign-in by PIN, the account of a token, and its accessible servers.

Like plex.tv it responds with XML unless the caller accepts JSON, assigns sequential PIN ids, and
returns a PIN only to the client that created it. The hosted sign-in page is `/auth`; its buttons
send `POST /standin/pins/{code}/approve` with `{"username": "alice"}`. Where plex.tv's rules are
unknown, it requires requests like those of the strictest public client.
"""
