"""Apply the migrations: numbered, forward-only, each in a transaction, one runner at a time."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medianest.core.config import settings
from medianest.core.db import Database

if TYPE_CHECKING:
    from psycopg import Connection

DIRECTORY = Path(__file__).parent
# Any fixed number: it names the lock that runners of this project take in turn.
_LOCK = 6_204_112_026


class MigrationError(Exception):
    """The migrations and the database's history of them do not agree."""


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


def migrate(database: Database, directory: Path = DIRECTORY) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Raises MigrationError when an applied file has changed: history is not rewritten.
    """
    wanted = migrations(directory)
    applied = []
    for migration in wanted:
        with database.transaction() as connection:
            done = _locked_history(connection)
            _check_history(done, wanted)
            if migration.version not in done:
                _apply(connection, migration)
                applied.append(migration.name)
    return applied


def run() -> list[str]:
    """Apply what is missing to this environment's database, however long it takes."""
    database = Database(settings().database_url)
    try:
        return migrate(database)
    finally:
        database.close()


def _locked_history(connection: Connection[Any]) -> dict[int, str]:
    # A transaction-level lock: it is gone with the transaction, however the runner ends.
    connection.execute("SET LOCAL lock_timeout = 0")
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
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
    connection.execute(migration.statements.encode())
    connection.execute(
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
        (migration.version, migration.name, migration.checksum),
    )
