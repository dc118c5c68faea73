"""Read the tables of the database."""

from typing import Any

import psycopg

type Db = psycopg.Connection[tuple[Any, ...]]


def count(db: Db, table: str) -> int:
    """Return the number of rows of a table."""
    row = db.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def audited(db: Db, action: str) -> list[tuple[Any, ...]]:
    """Return user, target and details of an action's audit rows, oldest first."""
    return db.execute(
        "SELECT user_id::text, target_type, target_id, details FROM audit_logs WHERE action = %s"
        " ORDER BY created_at",
        (action,),
    ).fetchall()


def request_rows(db: Db) -> list[list[tuple[Any, ...]]]:
    """Return all rows that a request, a decision or a cancellation may write."""
    return [
        db.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall()
        for table in ("media_requests", "request_items", "idempotency_keys", "audit_logs")
    ]
