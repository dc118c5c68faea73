"""PostgreSQL: one lazy connection for each environment, which serves one request at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core import secrets
from medianest.core.config import ConfigurationError, settings
from medianest.core.errors import AppError, ErrorCode
from medianest.core.observability import logger

if TYPE_CHECKING:
    from psycopg import Connection, sql
    from pydantic import SecretStr

    from medianest.core.envelope import PageQuery

    type Query = LiteralString | sql.SQL | sql.Composed
    type Params = Sequence[Any] | Mapping[str, Any]

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

    No answer is waited for longer than `answer_seconds`: the server's own statement_timeout does
    not help when the server hangs. None waits for ever, as migrations do.

    Every method raises AppError DATABASE_CONNECTION_ERROR when the server cannot be reached in
    time, and JWT_INVALID when a row would refer to a user who is gone. psycopg is imported on first
    use, so that a function that needs no database does not pay.
    """

    def __init__(self, url: SecretStr | None, *, answer_seconds: float | None = None) -> None:
        self._secret = url
        self._answer_seconds = answer_seconds
        self._url = ""
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
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.errors.ReadOnlySqlTransaction,  # a failover left us on the server that follows
        ) as error:
            # These were rolled back by a server that is well; the connection still serves.
            if not isinstance(
                error,
                psycopg.errors.LockNotAvailable
                | psycopg.errors.DeadlockDetected
                | psycopg.errors.QueryCanceled,
            ):
                self.close()
            logger.warning("database failed", extra={"reason": str(error)})
            raise database_unavailable() from error
        except psycopg.errors.ForeignKeyViolation as error:
            # What our rows refer to is who calls, and that user has been deleted since the call
            # was let in.
            from medianest.core.tokens import invalid_token  # noqa: PLC0415

            raise invalid_token() from error

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

        url = secrets.resolve(self._secret, "DATABASE_URL")
        is_outdated = url != self._url or time.time() - self._used_at > MAX_IDLE_SECONDS
        # Never under a transaction that this one is nested in.
        if (
            is_outdated
            and self._connection is not None
            and self._connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        ):
            self.close()
        if self._connection is not None:
            try:
                stack.enter_context(self._connection.transaction())
            except psycopg.OperationalError:
                self.close()
        if self._connection is None:
            self._connection = self._open(url)
            stack.enter_context(self._connection.transaction())
        return self._connection

    def _open(self, url: str) -> Connection[tuple[Any, ...]]:
        """Connect; a password that was changed a moment ago is read again, once."""
        import psycopg  # noqa: PLC0415

        try:
            connection = _connect(url, self._answer_seconds)
        except psycopg.ProgrammingError:
            # Its message repeats the address, password and all.
            raise ConfigurationError("DATABASE_URL is not a connection address") from None
        except psycopg.OperationalError as error:
            # Its SQLSTATE is not told for a connection that never was.
            if "authentication failed" not in str(error):
                raise
            former, url = url, secrets.resolve(self._secret, "DATABASE_URL", fresh=True)
            if url == former:
                raise
            logger.info("database password read again")
            connection = _connect(url, self._answer_seconds)
        self._url = url
        return connection


def _connect(url: str, answer_seconds: float | None) -> Connection[tuple[Any, ...]]:
    import psycopg  # noqa: PLC0415
    from psycopg.abc import RV, PQGen  # noqa: PLC0415

    class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
        """A connection on which no answer is waited for longer than `answer_seconds`, if given."""

        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            return super().wait(gen, interval, timeout or answer_seconds)

    return BoundedConnection.connect(
        url,
        autocommit=True,
        # A prepared statement would pin the client to one server connection behind RDS Proxy.
        prepare_threshold=None,
        connect_timeout=settings().database_connect_timeout_seconds,
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


def fetch_row[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> T:
    """Return the first row as `fetch_one` does, of a statement that always has one."""
    row = fetch_one(connection, row_type, query, params)
    if row is None:
        raise RuntimeError("A row that must be there is not")
    return row


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


def total_of(
    connection: Connection[Any],
    query: PageQuery,
    rows: Sequence[object],
    matching: LiteralString,
    params: Params,
) -> int:
    """Return how many rows a list has in all: those of `matching`, a FROM with its WHERE.

    They are counted only where the rows of its page do not tell.
    """
    if len(rows) < query.limit and (rows or query.page == 1):
        return query.offset + len(rows)
    total: int = fetch_value(connection, "SELECT count(*)" + matching, params)
    return total


@cache
def database() -> Database:
    """Return this environment's database."""
    return Database(
        settings().database_url, answer_seconds=settings().database_answer_timeout_seconds
    )
