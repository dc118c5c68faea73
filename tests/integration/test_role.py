"""The database role of the functions may change rows and nothing else (trust G05)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from medianest.core.db import Database
from medianest.migrations import role, runner
from medianest.migrations.role import RoleError
from tests.support import engines as engines_of_run
from tests.support import forked

type Db = psycopg.Connection[tuple[Any, ...]]

TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
DAYS = timedelta(days=2)
PASSWORD = "p@ss/'wo\"rd;%s é"


@dataclass(frozen=True)
class RoleDatabase:
    """A database whose owner is not a superuser, as on RDS."""

    superuser: Db
    server: str
    owner_url: str
    owner: str
    app: str

    def app_url(self, password: str = PASSWORD) -> str:
        return self.url(self.app, password)

    def url(self, user: str, password: str) -> str:
        rest = self.owner_url.rpartition("@")[2]
        return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"

    def connect_superuser(self) -> Db:
        """Return a connection of the superuser to this database."""
        database = self.owner_url.rpartition("/")[2]
        return psycopg.connect(f"{self.server.rpartition('/')[0]}/{database}")

    def run(self, query: LiteralString, **names: str) -> None:
        identifiers = {key: sql.Identifier(value) for key, value in names.items()}
        self.superuser.execute(sql.SQL(query).format(**identifiers))


@contextmanager
def role_database_of(server: str, suffix: str) -> Iterator[RoleDatabase]:
    """Create an empty database and its owner, but not the role of the functions."""
    names = {"owner": f"test_owner_{suffix}", "app": f'test_app "{suffix}"; --'}
    name = f"test_roles_{suffix}"
    with (
        engines_of_run.database(server, name, list(names.values())) as url,
        psycopg.connect(server, autocommit=True) as superuser,
    ):
        owner_url = f"postgresql://{names['owner']}:owners@{url.rpartition('@')[2]}"
        instance = RoleDatabase(superuser, server, owner_url, **names)
        instance.run("CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'owners'", role=instance.owner)
        instance.run("ALTER DATABASE {name} OWNER TO {role}", name=name, role=instance.owner)
        yield instance


@pytest.fixture
def role_database(engines: tuple[str, str], worker_id: str) -> Iterator[RoleDatabase]:
    with role_database_of(engines[0], worker_id) as created:
        yield created


@pytest.fixture(scope="module")
def migrated(engines: tuple[str, str], worker_id: str) -> Iterator[RoleDatabase]:
    """Return a database with all migrations and the role, which each test leaves as it was."""
    with role_database_of(engines[0], f"migrated_{worker_id}") as created:
        migrate_and_ensure_role(created.owner_url, created.app_url())
        yield created


@pytest.fixture
def restored(migrated: RoleDatabase) -> Iterator[RoleDatabase]:
    """Return that database; the test may change the password of the role."""
    yield migrated
    migrate_and_ensure_role(migrated.owner_url, migrated.app_url())


def migrate_and_ensure_role(owner_url: str, app_url: str) -> None:
    database = Database(SecretStr(owner_url))
    try:
        runner.migrate(database)
        with database.transaction() as connection:
            runner._lock(connection, float("inf"))
            role.ensure_app_role(connection, app_url)
    finally:
        database.close()


@contextmanager
def connected(url: str) -> Iterator[Db]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def tables(connection: Db) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND relname <> 'schema_migrations'"
    ).fetchall()
    return [name for (name,) in rows]


def test_app_role_may_change_the_rows_of_every_table(migrated: RoleDatabase) -> None:
    with connected(migrated.app_url()) as app, app.transaction(force_rollback=True):
        names = tables(app)
        assert {"users", "sessions", "media_requests", "audit_logs"} <= set(names)
        for name in names:
            table = sql.Identifier(name)
            app.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
            app.execute(sql.SQL("DELETE FROM {}").format(table))
            for privilege in ("INSERT", "UPDATE"):
                row = app.execute(
                    "SELECT has_table_privilege(%s, %s)", (name, privilege)
                ).fetchone()
                assert row == (True,), (name, privilege)
        app.execute("INSERT INTO system_config (key, value) VALUES ('x', '1')")
        app.execute("UPDATE system_config SET value = '2' WHERE key = 'x'")


REFUSED: tuple[LiteralString, ...] = (
    "CREATE TABLE more (id int)",
    "CREATE SCHEMA more",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE INDEX ON users (role)",
    "ALTER TABLE users ADD COLUMN more int",
    "ALTER TABLE users DISABLE TRIGGER ALL",
    "ALTER TABLE users OWNER TO {app}",
    "DROP TABLE sessions",
    "TRUNCATE audit_logs",
    "SELECT * FROM schema_migrations",
    "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'x', 'x')",
    "SET ROLE {owner}",
    "CREATE ROLE more",
    "ALTER ROLE {owner} PASSWORD NULL",
    "ALTER ROLE {app} SUPERUSER",
    "CREATE DATABASE more",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_app_role_may_not_change_anything_else(
    migrated: RoleDatabase, statement: LiteralString
) -> None:
    names = {"app": sql.Identifier(migrated.app), "owner": sql.Identifier(migrated.owner)}
    with connected(migrated.app_url()) as app, pytest.raises(InsufficientPrivilege):
        app.execute(sql.SQL(statement).format(**names))


@pytest.mark.parametrize("statement", REFUSED[:6] + REFUSED[7:10])
def test_owner_may_run_the_statements_refused_to_the_app_role(
    migrated: RoleDatabase, statement: LiteralString
) -> None:
    if "TRIGGER" in statement:
        statement = "ALTER TABLE users DISABLE TRIGGER USER"  # constraint triggers need a superuser
    with connected(migrated.owner_url) as owner, owner.transaction(force_rollback=True):
        owner.execute(statement)


def test_app_role_and_owner_have_the_same_timeouts(migrated: RoleDatabase) -> None:
    for url in (migrated.app_url(), migrated.owner_url):
        with connected(url) as connection:
            timeouts = [
                connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
                for name in TIMEOUTS
            ]
        assert timeouts == [("3s",), ("1s",), ("5s",)]


def test_settings_that_the_owner_lacks_are_set_again(
    role_database: RoleDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dump has no settings of roles, so a database that moved to another server has none."""
    migrate_and_ensure_role(role_database.owner_url, role_database.app_url())
    name = role_database.owner_url.rpartition("/")[2]
    names = {"role": role_database.owner, "name": name}
    role_database.run("ALTER ROLE {role} IN DATABASE {name} RESET ALL", **names)
    role_database.run("ALTER ROLE {role} IN DATABASE {name} SET lock_timeout = '2s'", **names)
    settings = SimpleNamespace(
        database_url=SecretStr(role_database.owner_url), app_database_url=None
    )
    monkeypatch.setattr(runner, "environment", lambda: settings)
    runner.run(seconds=60)
    with connected(role_database.owner_url) as owner:
        shown = [
            owner.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
            for name in (*TIMEOUTS, "random_page_cost", "timezone")
        ]
    # The one that an operator has set stays.
    assert shown == [("3s",), ("2s",), ("5s",), ("1.1",), ("UTC",)]


def test_a_day_has_24_hours_whatever_the_time_zone_of_the_database(
    role_database: RoleDatabase,
) -> None:
    # A zone whose summer time has ended yesterday.
    yesterday = (datetime.now(UTC) - timedelta(days=1)).timetuple().tm_yday
    zone = sql.Literal(f"AAA0BBB,J{(yesterday + 180) % 365 or 1}/0,J{min(yesterday, 365)}/0")
    name = sql.Identifier(role_database.owner_url.rpartition("/")[2])
    role_database.superuser.execute(
        sql.SQL("ALTER DATABASE {} SET timezone = {}").format(name, zone)
    )
    migrate_and_ensure_role(role_database.owner_url, role_database.app_url())
    with connected(role_database.app_url()) as app:
        two_days = app.execute("SELECT extract(epoch FROM now() - (now() - %s))", (DAYS,))
        assert two_days.fetchone() == (DAYS.total_seconds(),)


def test_second_run_changes_only_the_password(restored: RoleDatabase) -> None:
    with connected(restored.app_url()) as app:
        migrate_and_ensure_role(restored.owner_url, restored.app_url("another"))
        # An open connection stays usable.
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with connected(restored.app_url("another")) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(restored.app_url())


def test_app_role_may_change_the_rows_of_a_table_created_later(
    migrated: RoleDatabase,
) -> None:
    with connected(migrated.owner_url) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
    try:
        with connected(migrated.app_url()) as app:
            app.execute("INSERT INTO later (name) VALUES ('x')")
            with pytest.raises(InsufficientPrivilege):
                app.execute("TRUNCATE later")
    finally:
        with connected(migrated.owner_url) as owner:
            owner.execute("DROP TABLE later")


def test_concurrent_runs_are_serialized(role_database: RoleDatabase) -> None:
    with forked.CONTEXT.Pool(4) as pool:
        pool.starmap(
            migrate_and_ensure_role, [(role_database.owner_url, role_database.app_url())] * 4
        )
    with connected(role_database.app_url()) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_server_never_receives_the_plain_password(restored: RoleDatabase) -> None:
    log_lines: list[str] = []
    with restored.connect_superuser() as superuser:
        superuser.execute("SET log_statement = 'all'")
        # The client receives the lines of the server's log as notices.
        superuser.execute("SET client_min_messages = log")
        superuser.add_notice_handler(lambda notice: log_lines.append(str(notice.message_primary)))
        role.ensure_app_role(superuser, restored.app_url("hunter2-canary"))
    assert any("ALTER ROLE" in line and "SCRAM-SHA-256" in line for line in log_lines)
    assert not any("hunter2" in line for line in log_lines)
    with connected(restored.app_url("hunter2-canary")):
        pass


def test_owner_as_app_user_changes_nothing(role_database: RoleDatabase) -> None:
    migrate_and_ensure_role(role_database.owner_url, role_database.owner_url)
    with connected(role_database.owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM pg_default_acl").fetchone() == (0,)


def test_url_without_a_user_is_refused(migrated: RoleDatabase) -> None:
    with pytest.raises(RoleError, match="has no user"):
        migrate_and_ensure_role(
            migrated.owner_url, f"postgresql://{migrated.owner_url.rpartition('@')[2]}"
        )


def test_owner_without_createrole_is_refused(role_database: RoleDatabase) -> None:
    role_database.run("ALTER ROLE {role} NOCREATEROLE", role=role_database.owner)
    with pytest.raises(RoleError, match=r"cannot create the user .*CREATEROLE") as caught:
        migrate_and_ensure_role(role_database.owner_url, role_database.app_url())
    assert PASSWORD not in str(caught.value)


def test_existing_role_keeps_its_password_without_createrole(role_database: RoleDatabase) -> None:
    role_database.run("CREATE ROLE {role} LOGIN PASSWORD 'as it was'", role=role_database.app)
    role_database.run("ALTER ROLE {role} NOCREATEROLE", role=role_database.owner)
    migrate_and_ensure_role(role_database.owner_url, role_database.app_url())
    with connected(role_database.app_url("as it was")) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(InsufficientPrivilege):
            app.execute("DROP TABLE users")


def test_member_of_the_owner_role_is_refused(role_database: RoleDatabase) -> None:
    role_database.run("CREATE ROLE {role} LOGIN", role=role_database.app)
    role_database.run("GRANT {owner} TO {role}", owner=role_database.owner, role=role_database.app)
    with pytest.raises(RoleError, match="can do more than change rows"):
        migrate_and_ensure_role(role_database.owner_url, role_database.app_url())


@pytest.mark.parametrize(
    ("privilege", "end"),
    [
        ("ALTER ROLE {app} SUPERUSER", "ALTER ROLE {app} NOSUPERUSER"),
        ("ALTER ROLE {app} CREATEROLE", "ALTER ROLE {app} NOCREATEROLE"),
        ("ALTER ROLE {app} CREATEDB", "ALTER ROLE {app} NOCREATEDB"),
        ("ALTER ROLE {app} BYPASSRLS", "ALTER ROLE {app} NOBYPASSRLS"),
        (
            "GRANT CREATE ON SCHEMA public TO {app}",
            "REVOKE CREATE ON SCHEMA public FROM {app}",
        ),
        ("ALTER TABLE users OWNER TO {app}", "ALTER TABLE users OWNER TO {owner}"),
    ],
)
def test_role_with_more_privileges_is_refused(
    migrated: RoleDatabase, privilege: LiteralString, end: LiteralString
) -> None:
    names = {"app": sql.Identifier(migrated.app), "owner": sql.Identifier(migrated.owner)}
    with migrated.connect_superuser() as superuser:
        superuser.execute(sql.SQL(privilege).format(**names))
    try:
        with pytest.raises(RoleError, match="can do more than change rows"):
            migrate_and_ensure_role(migrated.owner_url, migrated.app_url())
    finally:
        with migrated.connect_superuser() as superuser:
            superuser.execute(sql.SQL(end).format(**names))
    # Nothing but the privilege was the reason.
    migrate_and_ensure_role(migrated.owner_url, migrated.app_url())
