"""Read and add the rows that single calls need."""

import secrets
from typing import Any, LiteralString

from benchmarks.stage import Db

# TMDB ids above those of the catalogue and of a full database.
_FIRST_ID, _IDS = 1_500_000_000, 600_000_000


def id_of(db: Db, username: str) -> str:
    """Return the id of a user."""
    return _value(db, "SELECT id::text FROM users WHERE username = %(name)s", {"name": username})


def request_of(db: Db, username: str) -> str:
    """Return the id of the oldest request of a user."""
    return _value(
        db,
        "SELECT r.id::text FROM media_requests AS r JOIN users AS u ON u.id = r.user_id"
        " WHERE u.username = %(name)s ORDER BY r.requested_at LIMIT 1",
        {"name": username},
    )


def server_of(db: Db) -> str:
    """Return the id of a download server."""
    return _value(db, "SELECT id::text FROM download_servers ORDER BY name LIMIT 1", {})


def job_of(db: Db) -> str:
    """Return the id of the oldest dead job."""
    return _value(
        db,
        "SELECT id::text FROM jobs WHERE state = 'dead' ORDER BY created_at LIMIT 1",
        {},
    )


def add_session(db: Db, username: str) -> str:
    """Add a session of a user and return its id."""
    return _value(
        db,
        "INSERT INTO sessions (user_id, expires_at, ip, user_agent) SELECT id,"
        " now() + interval '20 days', '203.0.113.7', 'benchmarks' FROM users"
        " WHERE username = %(name)s RETURNING id::text",
        {"name": username},
    )


def add_user(db: Db) -> str:
    """Add a user without sessions and requests; return the id."""
    number = secrets.randbelow(2**60)
    return _value(
        db,
        "INSERT INTO users (plex_id, email, username) SELECT %(number)s,"
        " 'user' || %(number)s || '@example.com', 'user' || %(number)s RETURNING id::text",
        {"number": number},
    )


def add_request(db: Db, username: str) -> str:
    """Add a pending request of a user for a film that nobody has requested; return its id."""
    tmdb_id = _FIRST_ID + secrets.randbelow(_IDS)
    return _value(
        db,
        "WITH added AS (INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
        " SELECT id, 'movie', %(tmdb_id)s, 'Title' FROM users WHERE username = %(username)s"
        " RETURNING id, tmdb_id), items AS (INSERT INTO request_items (request_id, media_type,"
        " tmdb_id) SELECT id, 'movie', tmdb_id FROM added) SELECT id::text FROM added",
        {"tmdb_id": tmdb_id, "username": username},
    )


def _value(db: Db, query: LiteralString, parameters: dict[str, Any]) -> str:
    row = db.execute(query, parameters).fetchone()
    if row is None:
        raise LookupError(f"No row: {query} {parameters}")
    value: str = row[0]
    return value
