"""Apply migrations: numbered and forward-only, each in one transaction, one runner at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medianest.core import secrets
from medianest.core.db import PAUSE_SECONDS, Database
from medianest.core.deadline import time_limit
from medianest.core.environment import environment
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.migrations import role
from medianest.migrations.names import SameNameError, fold_names

if TYPE_CHECKING:
    from psycopg import Connection

DIRECTORY = Path(__file__).parent
# The Python steps of migrations, which run after the SQL in the same transaction.
_PYTHON_STEPS: Mapping[str, Callable[[Connection[Any]], None]] = {"0009_folded_names": fold_names}
# The key of the advisory lock that serialises the runners of this project; an arbitrary number.
_LOCK_KEY = 6_204_112_026
# The seconds that a migration waits for a lock, in turn. Every call that needs the table waits
# behind it, for a second at most (the lock_timeout of the functions). PostgreSQL stops an
# autovacuum for those that wait longer than its deadlock_timeout of a second.
_LOCK_WAITS = (0.4, 0.4, 0.4, 1.5)
# A page of requests by title reads at most a few times as many rows of an index.
_TITLES_PER_MARK = 2000


class MigrationError(Exception):
    """The database cannot be migrated; the message contains no secret."""


class _LockedError(MigrationError):
    """Another transaction holds a lock that the migrations need."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    version: int
    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Return the digest that detects edits of an applied file."""
        return sha256(self.statements.encode()).hexdigest()


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Return the migrations in order; raises MigrationError for a gap or a duplicate number."""
    try:
        result = [
            Migration(int(path.stem.split("_", 1)[0]), path.stem, path.read_text(encoding="utf-8"))
            for path in sorted(directory.glob("[0-9]*_*.sql"))
        ]
    except ValueError as error:
        raise MigrationError(f"migrations must be numbered: {error}") from error
    if [item.version for item in result] != list(range(1, len(result) + 1)):
        raise MigrationError("migrations must be numbered 1, 2, 3, … without a gap")
    return result


def migrate(
    database: Database, directory: Path = DIRECTORY, *, deadline: float = math.inf
) -> list[str]:
    """Apply the missing migrations and return their names.

    `deadline` is a time of the monotonic clock. Raises MigrationError when a migration fails or an
    applied file was edited.
    """
    available = migrations(directory)

    def apply(connection: Connection[Any], migration: Migration) -> bool:
        checksums = _history(connection)
        _check_history(checksums, available)
        is_missing = migration.version not in checksums
        if is_missing:
            _apply(connection, migration)
        return is_missing

    return [
        migration.name
        for migration in available
        if _between_calls(database, deadline, partial(apply, migration=migration))
    ]


def run(*, seconds: float, wait_seconds: float = 0.0) -> list[str]:
    """Migrate this environment's database, repair its row counts, and set up the functions' role.

    Returns the names of the applied migrations. Raises MigrationError when it takes longer than
    `seconds`. Connecting is retried for `wait_seconds`, because a database that was paused or has
    just been created takes a while to accept connections.
    """
    deadline = time.monotonic() + seconds
    database = Database(environment().database_url)
    try:
        with time_limit(seconds, MigrationError(f"not done within {seconds:.0f} seconds")):
            _wait_for(database, time.monotonic() + min(wait_seconds, seconds))
            applied = migrate(database, deadline=deadline)
            _ensure_settings(database, deadline)
            _repair_row_counts(database, deadline)
            _ensure_role(database, deadline)
    finally:
        database.close()
    return applied


def _wait_for(database: Database, give_up_at: float) -> None:
    while True:
        try:
            database.ping()
        except (AppError, secrets.SecretUnreadableError) as error:
            if time.monotonic() + PAUSE_SECONDS >= give_up_at:
                raise
            logger.info("database_not_ready", extra={"cause": str(error)})
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _repair_row_counts(database: Database, deadline: float) -> None:
    """Recount what triggers keep: rows written without triggers, as by a restore, are not counted.

    Writers go on, except while many new titles get marks.
    """
    with database.transaction() as connection:
        _lock(connection, deadline)
        row = connection.execute("SELECT repair_row_counts()").fetchone()
    _between_calls(
        database,
        deadline,
        lambda connection: connection.execute("SELECT place_title_marks(%s)", (_TITLES_PER_MARK,)),
    )
    corrections = row[0] if row else 0
    if corrections:
        logger.warning("row_counts_repaired", extra={"corrections": corrections})


def _ensure_settings(database: Database, deadline: float) -> None:
    with database.transaction() as connection:
        _lock(connection, deadline)
        role.ensure_settings(connection)


def _ensure_role(database: Database, deadline: float) -> None:
    """Set up the role in APP_DATABASE_URL, if it is set."""
    address = environment().app_database_url
    if address is None:
        return
    # Not from the cache, because operators run this to apply a password that they just changed.
    url = secrets.resolve(address, "APP_DATABASE_URL", fresh=True)
    with database.transaction() as connection:
        _lock(connection, deadline)
        role.ensure_app_role(connection, url)


def _between_calls[T](
    database: Database, deadline: float, work: Callable[[Connection[Any]], T]
) -> T:
    """Call `work` in a transaction, again after a pause if it waits too long for a lock.

    A dump or a slow transaction would otherwise stop all calls that need the table until it ends.
    """
    from psycopg.errors import LockNotAvailable

    waits = cycle(_LOCK_WAITS)
    while True:
        wait = next(waits)
        try:
            with database.transaction() as connection:
                _lock(connection, deadline)
                connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait}s",))
                try:
                    return work(connection)
                except LockNotAvailable as error:
                    raise _LockedError(
                        "another transaction keeps a table locked, such as a dump or an open"
                        " client: deploy again when it has ended"
                    ) from error
        except _LockedError:
            if time.monotonic() + PAUSE_SECONDS >= deadline:
                raise
            logger.info("migration_waits_for_lock", extra={"waited": wait})
            time.sleep(PAUSE_SECONDS)


def _lock(connection: Connection[Any], deadline: float) -> None:
    """Wait for the advisory lock, which the end of the transaction releases."""
    # The server cancels a statement that outlives the caller, a second after the caller's own time
    # limit, so that the error is always the time limit's. 0 disables the server's timeout.
    seconds_left = max(deadline - time.monotonic(), 0) + 1
    milliseconds = 0 if seconds_left == math.inf else int(seconds_left * 1000)
    connection.execute("SET LOCAL lock_timeout = 0")
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{milliseconds}ms",))
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))


def _history(connection: Connection[Any]) -> dict[int, str]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = connection.execute("SELECT version, checksum FROM schema_migrations").fetchall()
    return dict(rows)


def _check_history(checksums: dict[int, str], available: list[Migration]) -> None:
    known = {migration.version: migration for migration in available}
    for version, checksum in checksums.items():
        # An unknown version belongs to a later release, whose schema is compatible with this one.
        if version in known and known[version].checksum != checksum:
            raise MigrationError(f"{known[version].name} was edited after it had been applied")


def _apply(connection: Connection[Any], migration: Migration) -> None:
    import psycopg

    try:
        # A file of this package; it can have several statements.
        # ast-grep-ignore: sql-past-the-types
        connection.execute(migration.statements.encode())
        if migration.name in _PYTHON_STEPS:
            _PYTHON_STEPS[migration.name](connection)
    except SameNameError as error:
        raise MigrationError(f"{migration.name} failed: {error}") from error
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        # Only the primary message, because the detail can contain values of a row.
        reason = error.diag.message_primary or type(error).__name__
        raise MigrationError(f"{migration.name} failed: {reason}") from error
    connection.execute(
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )
