"""Stands in for plex.tv: sign-in by PIN, the account of a token, the servers that it reaches.

Like plex.tv it answers XML unless the caller accepts JSON, hands out sequential PIN ids, and shows
a PIN only to the client that made it. The hosted sign-in page is `/auth`; its buttons send
`POST /standin/pins/{code}/approve` with `{"username": "alice"}`. Where plex.tv's rules are not
known, it accepts the requests of the strictest public client.
"""
