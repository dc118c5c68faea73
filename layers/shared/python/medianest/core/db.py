"""PostgreSQL: one lazy connection for each environment, which serves one request at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core import secrets
from medianest.core.addresses import TLS_MODE
from medianest.core.environment import ConfigurationError, environment
from medianest.core.errors import AppError, ErrorCode
from medianest.core.observability import logger

if TYPE_CHECKING:
    from psycopg import Connection, InternalError, sql
    from pydantic import SecretStr

    from medianest.core.envelope import PageQuery

    type Query = LiteralString | sql.SQL | sql.Composed
    type Params = Sequence[Any] | Mapping[str, Any]

# A connection idle for longer is replaced: a frozen environment cannot notice that it died.
MAX_IDLE_SECONDS = 300
RETRY_AFTER_SECONDS = 5
# Time-out of the first answer on a connection that was open before: it may be dead.
PROBE_SECONDS = 2.0
# After a failure that took this long, calls fail at once for the pause: each would cost a time-out.
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 2.0
# The longest random wait before the one retry of a server that has no connection left.
CROWDED_PAUSE_SECONDS = 0.25
# The authorities of RDS and its proxy, which not every public list has.
AMAZON_AUTHORITIES = Path(__file__).parent / "amazon_authorities.pem"
AMAZON_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


def database_unavailable() -> AppError:
    """Return the error for a database that does not answer in time."""
    return AppError(
        ErrorCode.DATABASE_CONNECTION_ERROR, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
    )


class Database:
    """One connection, opened on first use and replaced when it is lost.

    An answer times out after `answer_seconds`, because the server's own statement_timeout does not
    help when the server hangs. With None it never times out, as migrations need.

    Every method raises AppError DATABASE_CONNECTION_ERROR when the server does not answer in time,
    and JWT_INVALID when a row would refer to a deleted user. psycopg is imported on first use, so a
    function without a database does not load it.
    """

    def __init__(self, url: SecretStr | None, *, answer_seconds: float | None = None) -> None:
        self._secret = url
        self._answer_seconds = answer_seconds
        self._bound = answer_seconds
        self._url = ""
        self._connection: Connection[tuple[Any, ...]] | None = None
        self._used_at = 0.0
        self._paused_until = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Connection[tuple[Any, ...]]]:
        """Run a block in one transaction, which an exception rolls back."""
        import psycopg

        started = time.time()
        if self._connection is None and started < self._paused_until:
            raise database_unavailable()
        try:
            with ExitStack() as stack:
                yield self._begin(stack)
            self._used_at = time.time()
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.InternalError,
        ) as error:
            if isinstance(error, psycopg.InternalError) and not _is_lost(error):
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
            logger.warning("database failed", extra={"reason": str(error)})
            raise database_unavailable() from error
        except psycopg.errors.ForeignKeyViolation as error:
            # Rows refer to the caller, who was deleted after the call was authenticated.
            from medianest.core.tokens import invalid_token

            raise invalid_token() from error

    def ping(self) -> None:
        """Check that the server answers."""
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
        import psycopg

        status = psycopg.pq.TransactionStatus
        if self._connection is not None and self._connection.info.transaction_status in {
            status.INTRANS,
            status.INERROR,
        }:
            # Nested: use a savepoint on the open connection.
            stack.enter_context(self._connection.transaction())
            return self._connection
        url = secrets.resolve(self._secret, "DATABASE_URL")
        if url != self._url or time.time() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        if self._connection is not None:
            self._bound = PROBE_SECONDS
            try:
                stack.enter_context(self._connection.transaction())
            except (psycopg.OperationalError, psycopg.InternalError):
                self.close()
            finally:
                self._bound = self._answer_seconds
        if self._connection is None:
            self._connection = self._open(url)
            stack.enter_context(self._connection.transaction())
        return self._connection

    def _open(self, url: str) -> Connection[tuple[Any, ...]]:
        """Connect; a password that was changed a moment ago is read again, once.

        Once more, too, where the server has no connection left.
        """
        import psycopg

        try:
            connection = self._connect(url)
        except psycopg.OperationalError as error:
            # psycopg sets no SQLSTATE when connecting fails.
            if _is_crowded(str(error)):
                time.sleep(SystemRandom().uniform(0, CROWDED_PAUSE_SECONDS))
                self._url = url
                return self._connect(url)
            if "authentication failed" not in str(error):
                raise
            former, url = url, secrets.resolve(self._secret, "DATABASE_URL", fresh=True)
            if url == former:
                raise
            logger.info("database password read again")
            connection = self._connect(url)
        self._url = url
        return connection

    def _connect(self, url: str) -> Connection[tuple[Any, ...]]:
        import psycopg
        from psycopg.abc import RV, PQGen

        def bound() -> float | None:
            return self._bound

        class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
            """A connection on which no answer is waited for longer than the bound of the moment."""

            def wait(
                self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
            ) -> RV:
                return super().wait(gen, interval, timeout or bound())

        return BoundedConnection.connect(
            url,
            autocommit=True,
            # A prepared statement would pin the client to one server connection behind RDS Proxy.
            prepare_threshold=None,
            connect_timeout=environment().database_connect_timeout_seconds,
            keepalives_idle=30,
            tcp_user_timeout=5000,
            application_name=f"medianest-{os.environ.get('POWERTOOLS_SERVICE_NAME', 'local')}",
            sslrootcert=authorities(url),
        )


def _is_crowded(reason: str) -> bool:
    # PostgreSQL's words, for a server and for a role, and PgBouncer's.
    return any(
        words in reason
        for words in ("too many", "connection slots are reserved", "no more connections allowed")
    )


def _is_lost(error: InternalError) -> bool:
    """Tell whether an error that psycopg calls internal is one of the connection.

    Either a failover left us on the server that follows, or a pooler told twice that the server is
    gone: the server's last words and its own, which psycopg takes for no answer (no SQLSTATE).
    """
    from psycopg.errors import ReadOnlySqlTransaction

    return error.sqlstate in {None, ReadOnlySqlTransaction.sqlstate}


def login(url: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return the parts of the address in the setting `name` as libpq calls them: host, user, …."""
    from psycopg import ProgrammingError, conninfo

    try:
        return dict(conninfo.conninfo_to_dict(url))
    except ProgrammingError:
        # Its message repeats the address, password and all.
        raise ConfigurationError(f"{name} is not a connection address") from None


def authorities(url: str) -> str | None:
    """Return the file of those who may vouch for the server, None where nobody is asked to.

    Left to itself libpq looks for a file in a home directory, and Lambda has none.
    """
    parts = login(url)
    if parts.get("sslmode") != TLS_MODE or parts.get("sslrootcert"):
        return parts.get("sslrootcert")
    if str(parts.get("host", "")).endswith(AMAZON_HOSTS):
        return str(AMAZON_AUTHORITIES)
    import certifi

    return certifi.where()


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
    """Return the first row as `fetch_one` does, of a statement that always has one."""
    row = fetch_one(connection, row_type, query, params)
    if row is None:
        raise RuntimeError("A row that must be there is not")
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
        environment().database_url, answer_seconds=environment().database_answer_timeout_seconds
    )
