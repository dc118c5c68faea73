"""Apply the migrations: numbered, forward-only, each in a transaction, one runner at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
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
# What SQL cannot do of a migration, in the same transaction.
_AFTER: Mapping[str, Callable[[Connection[Any]], None]] = {"0009_folded_names": fold_names}
# Any fixed number: it names the lock that runners of this project take in turn.
_LOCK = 6_204_112_026


class MigrationError(Exception):
    """The database cannot be brought up to date; the message has no secret in it."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Return the digest that shows later whether an applied file was edited."""
        return sha256(self.statements.encode()).hexdigest()


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """Read the migrations in their order; raises MigrationError for a gap or a double number."""
    try:
        found = [
            Migration(int(path.stem.split("_", 1)[0]), path.stem, path.read_text(encoding="utf-8"))
            for path in sorted(directory.glob("[0-9]*_*.sql"))
        ]
    except ValueError as error:
        raise MigrationError(f"migrations must be numbered: {error}") from error
    if [item.version for item in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migrations must be numbered 1, 2, 3, … without a gap")
    return found


def migrate(
    database: Database, directory: Path = DIRECTORY, *, deadline: float = math.inf
) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    `deadline` is of the monotonic clock. Raises MigrationError for a migration that fails, and
    when an applied file has changed: history is not rewritten.
    """
    wanted = migrations(directory)
    applied = []
    for migration in wanted:
        with database.transaction() as connection:
            _take_turn(connection, deadline)
            done = _history(connection)
            _check_history(done, wanted)
            if migration.version not in done:
                _apply(connection, migration)
                applied.append(migration.name)
    return applied


def run(*, seconds: float, patience: float = 0.0) -> list[str]:
    """Bring this environment's database up to date, and the role of the functions with it.

    Raises MigrationError when that takes longer than `seconds`. For `patience` a database that
    cannot be reached is asked again: one that pauses, or that was made a moment ago, takes a while.
    """
    deadline = time.monotonic() + seconds
    database = Database(environment().database_url)
    try:
        with time_limit(seconds, MigrationError(f"not done within {seconds:.0f} seconds")):
            _wait_for(database, time.monotonic() + min(patience, seconds))
            applied = migrate(database, deadline=deadline)
            _provide_role(database, deadline)
    finally:
        database.close()
    return applied


def _wait_for(database: Database, until: float) -> None:
    while True:
        try:
            database.ping()
        except (AppError, secrets.SecretUnreadableError) as error:
            if time.monotonic() + PAUSE_SECONDS >= until:
                raise
            logger.info("database not there yet", extra={"reason": str(error)})
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _provide_role(database: Database, deadline: float) -> None:
    """Let the functions in by a user of their own, where they have one."""
    address = environment().app_database_url
    if address is None:
        return
    # Whoever has just changed the password runs this to make it so.
    url = secrets.resolve(address, "APP_DATABASE_URL", fresh=True)
    with database.transaction() as connection:
        _take_turn(connection, deadline)
        role.ensure_app_role(connection, url)


def _take_turn(connection: Connection[Any], deadline: float) -> None:
    """Wait for the lock, which is gone with the transaction, however the runner ends."""
    left = max(deadline - time.monotonic(), 1)
    # The server gives up in time too; without a deadline neither does.
    milliseconds = 0 if left == math.inf else int(left * 1000)
    connection.execute("SET LOCAL lock_timeout = 0")
    connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{milliseconds}ms",))
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _history(connection: Connection[Any]) -> dict[int, str]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = connection.execute("SELECT version, checksum FROM schema_migrations").fetchall()
    return dict(rows)


def _check_history(done: dict[int, str], wanted: list[Migration]) -> None:
    known = {migration.version: migration for migration in wanted}
    for version, checksum in done.items():
        # A newer version than we know is a later release's, and compatible with this one.
        if version in known and known[version].checksum != checksum:
            raise MigrationError(f"{known[version].name} was edited after it had been applied")


def _apply(connection: Connection[Any], migration: Migration) -> None:
    import psycopg

    try:
        # A file of this package, which may have several statements.
        # ast-grep-ignore: sql-past-the-types
        connection.execute(migration.statements.encode())
        if migration.name in _AFTER:
            _AFTER[migration.name](connection)
    except SameNameError as error:
        raise MigrationError(f"{migration.name} failed: {error}") from error
    except psycopg.Error as error:
        # The first line says what is wrong; the others may have values of a row.
        reason = error.diag.message_primary or type(error).__name__
        raise MigrationError(f"{migration.name} failed: {reason}") from error
    connection.execute(
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )
