"""Classification of psycopg's errors: no free connection, a dead connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection, InternalError, OperationalError


def is_out_of_connections(reason: str) -> bool:
    """Return whether libpq's message means that the server has no free connection."""
    # The messages of PostgreSQL (limits of a server and of a role) and of PgBouncer.
    return any(
        words in reason
        for words in ("too many", "connection slots are reserved", "no more connections allowed")
    )


def is_not_ready(error: Exception) -> bool:
    """Return whether connecting failed because the server does not serve yet, as while it wakes.

    psycopg sets no SQLSTATE when connecting fails.
    """
    from psycopg.errors import ConnectionTimeout

    return isinstance(error, ConnectionTimeout) or "is starting up" in str(error)


def is_dead(
    connection: Connection[tuple[Any, ...]],
    error: OperationalError | InternalError,
    *,
    silent: bool,
) -> bool:
    """Return whether an error means that the connection was dead; `silent` includes a time-out."""
    from psycopg import InternalError
    from psycopg.pq import TransactionStatus

    if isinstance(error, InternalError):
        return is_connection_error(error)
    status = connection.info.transaction_status
    return status == TransactionStatus.UNKNOWN or (silent and status == TransactionStatus.ACTIVE)


def is_connection_error(error: InternalError) -> bool:
    """Return whether a psycopg InternalError means that the connection is unusable.

    After a failover the connection may lead to a read-only standby. A pooler that loses the server
    sends two error messages, and psycopg reports the unexpected second one without an SQLSTATE.
    """
    from psycopg.errors import ReadOnlySqlTransaction

    return error.sqlstate in {None, ReadOnlySqlTransaction.sqlstate}
