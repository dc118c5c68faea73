"""PostgreSQL: one lazy connection per execution environment, which serves one call at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core import secrets
from medianest.core.addresses import TLS_MODE
from medianest.core.db_failures import (
    is_connection_error,
    is_dead,
    is_not_ready,
    is_out_of_connections,
)
from medianest.core.environment import ConfigurationError, environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.core.wake import Wake

if TYPE_CHECKING:
    from psycopg import Connection, sql
    from pydantic import SecretStr

    type Query = LiteralString | sql.SQL | sql.Composed
    type Params = Sequence[Any] | Mapping[str, Any]

# A connection that was idle for longer is replaced: a frozen environment cannot see it close.
MAX_IDLE_SECONDS = 300
RETRY_AFTER_SECONDS = 5
# Timeout of the first response on a reused connection, which may be dead.
PROBE_SECONDS = 2.0
# A connection that was used within this time is not probed: a read whose response is slow would
# otherwise be sent twice to a server under load.
RECENT_SECONDS = 1.0
# A failure that took this long starts a pause in which calls fail at once. Otherwise each of them
# would wait for a timeout.
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 2.0
# Upper bound of the random wait before the one retry when the server has no free connection.
NO_CONNECTION_PAUSE_SECONDS = 0.25
# The certificate authorities of RDS and RDS Proxy; public CA lists lack some of them.
AMAZON_AUTHORITIES = Path(__file__).parent / "amazon_authorities.pem"
AMAZON_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


def database_unavailable(code: ErrorCode = ErrorCode.DATABASE_CONNECTION_ERROR) -> AppError:
    """Return the error for a database that does not respond in time."""
    return AppError(code, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class Database:
    """One connection, opened on first use and replaced when it is lost.

    A response times out after `response_seconds`, because the statement_timeout of the server has
    no effect when the server hangs. With None it never times out, which migrations need.

    Every method raises AppError DATABASE_CONNECTION_ERROR when the server does not respond in time,
    or DATABASE_WAKING_UP while a database that pauses is not awake.
    psycopg is imported on first use, so a function without a database does not load it.
    """

    def __init__(self, url: SecretStr | None, *, response_seconds: float | None = None) -> None:
        self._secret = url
        self._response_seconds = response_seconds
        self._timeout_seconds = response_seconds
        self._url = ""
        self._connection: Connection[tuple[Any, ...]] | None = None
        self._used_at = 0.0
        self._paused_until = 0.0
        self._failure = ErrorCode.DATABASE_CONNECTION_ERROR
        self._wake = Wake()

    @contextmanager
    def transaction(self) -> Iterator[Connection[tuple[Any, ...]]]:
        """Run a block in one transaction; an exception rolls it back."""
        with self._failures_translated(), ExitStack() as stack:
            yield self._begin(stack)

    def read[T](self, query: Callable[[Connection[tuple[Any, ...]]], T]) -> T:
        """Run statements that only read, each on its own, without BEGIN and COMMIT.

        When the open connection is dead, the query runs again, once, on a new one: a query that
        writes must bear that. Within a transaction, it belongs to that transaction.
        """
        import psycopg

        with self._failures_translated():
            if self._connection is not None and self._in_transaction(self._connection):
                return query(self._connection)
            url = self._close_outdated()
            if self._connection is not None:
                is_suspect = time.time() - self._used_at > RECENT_SECONDS
                if is_suspect:
                    self._timeout_seconds = PROBE_SECONDS
                try:
                    return query(self._connection)
                except (psycopg.OperationalError, psycopg.InternalError) as error:
                    if not is_dead(self._connection, error, silent=is_suspect):
                        raise
                    self.close()
                finally:
                    self._timeout_seconds = self._response_seconds
            self._connection = self._open(url)
            return query(self._connection)

    def ping(self) -> None:
        """Check that the server responds; raises AppError as every method."""
        self.read(lambda connection: connection.execute("SELECT 1"))

    @contextmanager
    def _failures_translated(self) -> Iterator[None]:
        """Raise AppError for a failure, and close a connection that it broke."""
        import psycopg

        started = time.time()
        # A clock that was set back does not prolong the pause.
        is_paused = 0 < self._paused_until - started <= PAUSE_SECONDS
        if self._connection is None and is_paused:
            raise database_unavailable(self._failure)
        try:
            yield
            self._used_at = time.time()
            self._wake.is_over()
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.InternalError,
        ) as error:
            if isinstance(error, psycopg.InternalError) and not is_connection_error(error):
                raise
            # A value that is too large for an index: the database is well.
            if isinstance(error, psycopg.errors.ProgramLimitExceeded):
                raise
            # These errors leave the connection usable.
            if not isinstance(
                error,
                psycopg.errors.LockNotAvailable
                | psycopg.errors.DeadlockDetected
                | psycopg.errors.QueryCanceled,
            ):
                self.close()
                if time.time() - started >= SLOW_SECONDS:
                    self._paused_until = time.time() + PAUSE_SECONDS
            self._failure = (
                ErrorCode.DATABASE_WAKING_UP
                if is_not_ready(error) and self._wake.is_possible()
                else ErrorCode.DATABASE_CONNECTION_ERROR
            )
            logger.warning("database_failed", extra={"cause": str(error), "code": self._failure})
            raise database_unavailable(self._failure) from error

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin(self, stack: ExitStack) -> Connection[tuple[Any, ...]]:
        """Begin a transaction, on a new connection when the open one is dead.

        BEGIN serves as the probe. When it fails, no statement of the caller was sent, so a retry is
        safe.
        """
        import psycopg

        if self._connection is not None and self._in_transaction(self._connection):
            # Nested: use a savepoint on the open connection.
            stack.enter_context(self._connection.transaction())
            return self._connection
        url = self._close_outdated()
        if self._connection is not None:
            self._timeout_seconds = PROBE_SECONDS
            try:
                stack.enter_context(self._connection.transaction())
            except (psycopg.OperationalError, psycopg.InternalError):
                self.close()
            finally:
                self._timeout_seconds = self._response_seconds
        if self._connection is None:
            self._connection = self._open(url)
            stack.enter_context(self._connection.transaction())
        return self._connection

    @staticmethod
    def _in_transaction(connection: Connection[tuple[Any, ...]]) -> bool:
        from psycopg.pq import TransactionStatus

        status = connection.info.transaction_status
        return status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    def _close_outdated(self) -> str:
        """Close a connection that was idle for too long or has an old URL; return the URL."""
        url = secrets.resolve(self._secret, "DATABASE_URL")
        if url != self._url or time.time() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        return url

    def _open(self, url: str) -> Connection[tuple[Any, ...]]:
        """Connect; retry once if the password was rotated or the server has no free connection."""
        import psycopg

        try:
            connection = self._connect(url)
        except psycopg.OperationalError as error:
            # psycopg sets no SQLSTATE when connecting fails.
            if is_out_of_connections(str(error)):
                time.sleep(SystemRandom().uniform(0, NO_CONNECTION_PAUSE_SECONDS))
                self._url = url
                return self._connect(url)
            if "authentication failed" not in str(error):
                raise
            rejected_url, url = url, secrets.resolve(self._secret, "DATABASE_URL", fresh=True)
            if url == rejected_url:
                raise
            logger.info("database_password_refreshed")
            connection = self._connect(url)
        self._url = url
        return connection

    def _connect(self, url: str) -> Connection[tuple[Any, ...]]:
        import psycopg
        from psycopg.abc import RV, PQGen

        def current_timeout() -> float | None:
            return self._timeout_seconds

        class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
            """A connection whose responses time out after `_timeout_seconds` of the Database."""

            def wait(
                self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
            ) -> RV:
                return super().wait(gen, interval, timeout or current_timeout())

        return BoundedConnection.connect(
            url,
            autocommit=True,
            # A prepared statement would pin the client to one server connection behind RDS Proxy.
            prepare_threshold=None,
            connect_timeout=environment().database_connect_timeout_seconds,
            keepalives_idle=30,
            tcp_user_timeout=5000,
            application_name=f"medianest-{os.environ.get('POWERTOOLS_SERVICE_NAME', 'local')}",
            sslrootcert=certificate_authorities(url),
        )


def url_parts(url: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return the parts of the URL in the variable `name`, by libpq's keywords: host, user, ….

    Raises ConfigurationError when libpq rejects the URL.
    """
    from psycopg import ProgrammingError, conninfo

    try:
        return dict(conninfo.conninfo_to_dict(url))
    except ProgrammingError:
        # libpq's message repeats the URL with the password.
        raise ConfigurationError(f"{name} is not a valid PostgreSQL URL") from None


def certificate_authorities(url: str) -> str | None:
    """Return the file of trusted authorities; None if the URL does not verify the certificate.

    libpq's default is a file in the home directory, which Lambda does not have.
    """
    parts = url_parts(url)
    if parts.get("sslmode") != TLS_MODE or parts.get("sslrootcert"):
        return parts.get("sslrootcert")
    if str(parts.get("host", "")).endswith(AMAZON_HOSTS):
        return str(AMAZON_AUTHORITIES)
    import certifi

    return certifi.where()


@contextmanager
def on_violation(constraint: str, error: Callable[[], AppError]) -> Iterator[None]:
    """Raise `error()` when a statement of the block violates the named constraint."""
    from psycopg.errors import IntegrityError

    try:
        yield
    except IntegrityError as violation:
        if violation.diag.constraint_name != constraint:
            raise
        raise error() from violation


def fetch_one[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> T | None:
    """Return the first row as `row_type` (columns by name), or None."""
    from psycopg.rows import class_row

    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(query, params).fetchone()


def fetch_row[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> T:
    """Return the first row as `row_type`, for a statement that always returns one."""
    row = fetch_one(connection, row_type, query, params)
    if row is None:
        raise RuntimeError("The statement returned no row")
    return row


def fetch_all[T](
    connection: Connection[Any], row_type: type[T], query: Query, params: Params = ()
) -> list[T]:
    """Return every row as `row_type` (columns by name)."""
    from psycopg.rows import class_row

    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(query, params).fetchall()


def fetch_value(connection: Connection[Any], query: Query, params: Params = ()) -> Any:
    """Return the first column of the first row, or None."""
    row = connection.execute(query, params).fetchone()
    return None if row is None else row[0]


@cache
def database() -> Database:
    """Return the database of this execution environment."""
    return Database(
        environment().database_url, response_seconds=environment().database_answer_timeout_seconds
    )
