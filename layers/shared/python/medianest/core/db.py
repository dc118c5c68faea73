"""PostgreSQL: one lazy connection for each environment, which serves one request at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core import secrets
from medianest.core.config import settings
from medianest.core.errors import AppError, ErrorCode
from medianest.core.observability import logger

if TYPE_CHECKING:
    from psycopg import Connection, sql

    type Query = LiteralString | sql.SQL | sql.Composed
    type Params = Sequence[Any] | Mapping[str, Any]

CONNECT_SECONDS = 3
# Longer than the role's statement_timeout: it only acts when the server itself hangs.
ANSWER_SECONDS = 5.0
# A connection idle for longer is replaced: a frozen environment cannot notice that it died.
MAX_IDLE_SECONDS = 300
RETRY_AFTER_SECONDS = 5


def database_unavailable() -> AppError:
    """Return the error for a database that cannot be reached in time."""
    return AppError(
        ErrorCode.DATABASE_CONNECTION_ERROR, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
    )


class Database:
    """One connection, opened on first use and replaced when it is lost.

    Every method raises AppError DATABASE_CONNECTION_ERROR when the server cannot be reached in
    time. psycopg is imported on first use, so that a function that needs no database does not pay.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection[tuple[Any, ...]] | None = None
        self._used_at = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Connection[tuple[Any, ...]]]:
        """Run a block in one transaction, which an exception rolls back."""
        import psycopg  # noqa: PLC0415

        try:
            with ExitStack() as stack:
                yield self._begin(stack)
            self._used_at = time.time()
        except psycopg.OperationalError as error:
            self.close()
            logger.warning("database failed", extra={"reason": str(error)})
            raise database_unavailable() from error

    def ping(self) -> None:
        """Ask for a sign of life."""
        with self.transaction() as connection:
            connection.execute("SELECT 1")

    def close(self) -> None:
        """Drop the connection; the next use opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin(self, stack: ExitStack) -> Connection[tuple[Any, ...]]:
        """Open a transaction, on a new connection where the old one turns out to be dead.

        BEGIN is the probe: when it fails, nothing of the caller's was sent yet, so trying once
        more is safe.
        """
        import psycopg  # noqa: PLC0415

        if time.time() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        if self._connection is not None:
            try:
                stack.enter_context(self._connection.transaction())
            except psycopg.OperationalError:
                self.close()
        if self._connection is None:
            self._connection = _connect(self._url)
            stack.enter_context(self._connection.transaction())
        return self._connection


def _connect(url: str) -> Connection[tuple[Any, ...]]:
    import psycopg  # noqa: PLC0415
    from psycopg.abc import RV, PQGen  # noqa: PLC0415

    class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
        """A connection on which no answer is waited for longer than ANSWER_SECONDS."""

        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)

    return BoundedConnection.connect(
        url,
        autocommit=True,
        # A prepared statement would pin the client to one server connection behind RDS Proxy.
        prepare_threshold=None,
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=30,
        tcp_user_timeout=5000,
        application_name=f"medianest-{os.environ.get('POWERTOOLS_SERVICE_NAME', 'local')}",
    )


def fetch_one[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> T | None:
    """Return the first row as `row_type` (columns by name), or None."""
    from psycopg.rows import class_row  # noqa: PLC0415

    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(query, params).fetchone()


def fetch_all[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> list[T]:
    """Return every row as `row_type` (columns by name)."""
    from psycopg.rows import class_row  # noqa: PLC0415

    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(query, params).fetchall()


def fetch_value(connection: Connection[Any], query: Query, params: Params = ()) -> Any:
    """Return the first column of the first row, or None."""
    row = connection.execute(query, params).fetchone()
    return None if row is None else row[0]


@cache
def database() -> Database:
    """Return this environment's database."""
    return Database(secrets.resolve(settings().database_url, "DATABASE_URL"))
