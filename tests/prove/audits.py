"""Check the database: one active request per title, one audit row per change."""

from collections.abc import Mapping
from typing import Any

import psycopg

type Db = psycopg.Connection[tuple[Any, ...]]

# Each query finds a violation; its rows name the affected object.
_DUPLICATES: Mapping[str, str] = {
    "has two active requests": (
        "SELECT media_type || ' ' || tmdb_id || coalesce(' season ' || season, '')"
        " FROM request_items WHERE active GROUP BY media_type, tmdb_id, season HAVING count(*) > 1"
    ),
    "has two audited effects": (
        "SELECT 'request ' || target_id FROM audit_logs WHERE action IN"
        " ('request.approved', 'request.declined', 'request.cancelled')"
        " GROUP BY target_id HAVING count(*) > 1"
    ),
    "has wrong or missing titles": (
        "SELECT 'request ' || r.id FROM media_requests r"
        " LEFT JOIN request_items i ON i.request_id = r.id AND i.active"
        " GROUP BY r.id HAVING (count(i.id) > 0) <> (r.status <> 'declined')"
        " OR count(*) FILTER (WHERE i.tmdb_id <> r.tmdb_id) > 0"
        " OR (r.media_type = 'movie' AND count(i.id) > 1)"
    ),
}
_UNAUDITED: Mapping[str, str] = {
    "has not exactly one audited creation": (
        "SELECT 'request ' || r.id FROM media_requests r LEFT JOIN audit_logs a"
        " ON a.target_id = r.id::text AND a.action = 'request.created'"
        " GROUP BY r.id HAVING count(a.id) <> 1"
    ),
    "was created according to the audit log, but neither exists nor was cancelled": (
        "SELECT 'request ' || a.target_id FROM audit_logs a"
        " LEFT JOIN media_requests r ON r.id::text = a.target_id"
        " LEFT JOIN audit_logs c ON c.target_id = a.target_id AND c.action = 'request.cancelled'"
        " WHERE a.action = 'request.created' AND (r.id IS NULL) = (c.id IS NULL)"
    ),
    "was cancelled according to the audit log, but never created": (
        "SELECT 'request ' || c.target_id FROM audit_logs c"
        " LEFT JOIN audit_logs a ON a.target_id = c.target_id AND a.action = 'request.created'"
        " WHERE c.action = 'request.cancelled' AND a.id IS NULL"
    ),
    "differs from its audited decision": (
        "SELECT 'request ' || coalesce(r.id::text, a.target_id)"
        " FROM (SELECT * FROM media_requests WHERE status <> 'pending') r FULL JOIN"
        "  (SELECT * FROM audit_logs WHERE action IN ('request.approved', 'request.declined')) a"
        " ON a.target_id = r.id::text"
        " WHERE r.id IS NULL OR a.id IS NULL OR a.action <> 'request.' || r.status"
        " OR a.user_id IS DISTINCT FROM r.processed_by"
    ),
    "has a different number of sessions than audited sign-ins": (
        "SELECT 'user ' || coalesce(s.user_id, a.user_id)"
        " FROM (SELECT user_id, count(*) AS n FROM sessions GROUP BY user_id) s FULL JOIN"
        "  (SELECT user_id, count(*) AS n FROM audit_logs WHERE action = 'auth.sign_in'"
        "   GROUP BY user_id) a ON a.user_id = s.user_id"
        " WHERE s.n IS DISTINCT FROM a.n"
    ),
    "has a different number of revoked sessions than audited": (
        "SELECT 'user ' || coalesce(s.user_id, a.user_id)"
        " FROM (SELECT user_id, count(*) AS n FROM sessions WHERE revoked_at IS NOT NULL"
        "   GROUP BY user_id) s FULL JOIN"
        "  (SELECT user_id, sum((details->>'sessions')::int) AS n FROM audit_logs"
        "   WHERE action = 'auth.sign_out' GROUP BY user_id) a ON a.user_id = s.user_id"
        " WHERE coalesce(s.n, 0) <> coalesce(a.n, 0)"
    ),
    "has not exactly one audited creation (user)": (
        "SELECT 'user ' || coalesce(u.id::text, a.target_id) FROM users u FULL JOIN"
        "  (SELECT * FROM audit_logs WHERE action = 'user.created') a ON a.target_id = u.id::text"
        " GROUP BY u.id, a.target_id HAVING u.id IS NULL OR count(a.id) <> 1"
    ),
}


def duplicates(db: Db) -> list[str]:
    """Return each object with a duplicate, and what is duplicated."""
    return _violations(db, _DUPLICATES)


def unaudited(db: Db) -> list[str]:
    """Return each change without its audit row, and each audit row without its change."""
    return _violations(db, _UNAUDITED)


def counted(db: Db, action: str) -> dict[str, int]:
    """Return the number of audited actions per user; a row can count several actions."""
    rows = db.execute(
        "SELECT user_id::text, sum(coalesce((details->>'count')::int, 1))::int FROM audit_logs"
        " WHERE action = %s GROUP BY user_id",
        (action,),
    )
    return {str(user_id): int(number) for user_id, number in rows}


def _violations(db: Db, queries: Mapping[str, str]) -> list[str]:
    return [
        f"{row[0]} {violation}"
        for violation, query in queries.items()
        for row in db.execute(query.encode())
    ]
