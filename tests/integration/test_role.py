"""The functions' own user: it may change rows and nothing else, whoever makes it (trust G05)."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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

type Db = psycopg.Connection[tuple[Any, ...]]

PASSWORD = "p@ss/'wo\"rd;%s é"


@dataclass(frozen=True)
class Place:
    """A database of an owner who is no superuser, as RDS's is none."""

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

    def superuser_inside(self) -> Db:
        """Connect the superuser to this database."""
        database = self.owner_url.rpartition("/")[2]
        return psycopg.connect(f"{self.server.rpartition('/')[0]}/{database}")

    def run(self, query: LiteralString, **names: str) -> None:
        identifiers = {key: sql.Identifier(value) for key, value in names.items()}
        self.superuser.execute(sql.SQL(query).format(**identifiers))


@pytest.fixture
def place(engines: tuple[str, str], worker_id: str) -> Iterator[Place]:
    names = {"owner": f"test_owner_{worker_id}", "app": f'test_app "{worker_id}"; --'}
    name = f"test_roles_{worker_id}"
    with (
        engines_of_run.database(engines[0], name, list(names.values())) as url,
        psycopg.connect(engines[0], autocommit=True) as superuser,
    ):
        owner_url = f"postgresql://{names['owner']}:owners@{url.rpartition('@')[2]}"
        own = Place(superuser, engines[0], owner_url, **names)
        own.run("CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'owners'", role=own.owner)
        own.run("ALTER DATABASE {name} OWNER TO {role}", name=name, role=own.owner)
        yield own


def provide(owner_url: str, app_url: str) -> None:
    database = Database(SecretStr(owner_url))
    try:
        runner.migrate(database)
        with database.transaction() as connection:
            runner._lock(connection, float("inf"))
            role.ensure_app_role(connection, app_url)
    finally:
        database.close()


@contextmanager
def signed_in(url: str) -> Iterator[Db]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def tables(connection: Db) -> list[str]:
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' AND relname <> 'schema_migrations'"
    ).fetchall()
    return [name for (name,) in found]


def test_it_may_change_the_rows_of_every_table(place: Place) -> None:
    provide(place.owner_url, place.app_url())
    with signed_in(place.app_url()) as app:
        names = tables(app)
        assert {"users", "sessions", "media_requests", "audit_logs"} <= set(names)
        for name in names:
            table = sql.Identifier(name)
            app.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
            app.execute(sql.SQL("DELETE FROM {}").format(table))
            for right in ("INSERT", "UPDATE"):
                row = app.execute("SELECT has_table_privilege(%s, %s)", (name, right)).fetchone()
                assert row == (True,), (name, right)
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
def test_it_may_change_nothing_else(place: Place, statement: LiteralString) -> None:
    provide(place.owner_url, place.app_url())
    names = {"app": sql.Identifier(place.app), "owner": sql.Identifier(place.owner)}
    with signed_in(place.app_url()) as app, pytest.raises(InsufficientPrivilege):
        app.execute(sql.SQL(statement).format(**names))


@pytest.mark.parametrize("statement", REFUSED[:6] + REFUSED[7:10])
def test_what_it_may_not_the_owner_may(place: Place, statement: LiteralString) -> None:
    provide(place.owner_url, place.app_url())
    if "TRIGGER" in statement:
        statement = "ALTER TABLE users DISABLE TRIGGER USER"  # those of constraints are not its own
    with signed_in(place.owner_url) as owner:
        owner.execute(statement)


def test_its_statements_are_bounded_as_the_owners_are(place: Place) -> None:
    provide(place.owner_url, place.app_url())
    for url in (place.app_url(), place.owner_url):
        with signed_in(url) as connection:
            bounds = [
                connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
                for name in (
                    "statement_timeout",
                    "lock_timeout",
                    "idle_in_transaction_session_timeout",
                )
            ]
        assert bounds == [("3s",), ("1s",), ("5s",)]


def test_again_it_is_the_same_but_for_a_new_password(place: Place) -> None:
    provide(place.owner_url, place.app_url())
    with signed_in(place.app_url()) as app:
        provide(place.owner_url, place.app_url("another"))
        # Whoever is signed in stays so.
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with signed_in(place.app_url("another")) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(place.app_url())


def test_what_a_later_migration_makes_is_its_own_too(place: Place, tmp_path: Path) -> None:
    provide(place.owner_url, place.app_url())
    with signed_in(place.owner_url) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
    with signed_in(place.app_url()) as app:
        app.execute("INSERT INTO later (name) VALUES ('x')")
        with pytest.raises(InsufficientPrivilege):
            app.execute("TRUNCATE later")


def test_many_at_once_take_turns(place: Place) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(provide, [(place.owner_url, place.app_url())] * 4)
    with signed_in(place.app_url()) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_the_server_never_learns_the_password(place: Place) -> None:
    provide(place.owner_url, place.app_url("former"))
    told: list[str] = []
    with place.superuser_inside() as superuser:
        superuser.execute("SET log_statement = 'all'")
        # What goes into the server's log comes here as well.
        superuser.execute("SET client_min_messages = log")
        superuser.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        role.ensure_app_role(superuser, place.app_url("hunter2-canary"))
    assert any("ALTER ROLE" in line and "SCRAM-SHA-256" in line for line in told)
    assert not any("hunter2" in line for line in told)
    with signed_in(place.app_url("hunter2-canary")):
        pass


def test_with_one_user_for_everything_nothing_happens(place: Place) -> None:
    provide(place.owner_url, place.owner_url)
    with signed_in(place.owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM pg_default_acl").fetchone() == (0,)


def test_an_address_without_a_user_is_refused(place: Place) -> None:
    with pytest.raises(RoleError, match="has no user"):
        provide(place.owner_url, f"postgresql://{place.owner_url.rpartition('@')[2]}")


def test_an_owner_who_may_not_make_users_says_so(place: Place) -> None:
    place.run("ALTER ROLE {role} NOCREATEROLE", role=place.owner)
    with pytest.raises(RoleError, match=r"cannot create the user .*CREATEROLE") as caught:
        provide(place.owner_url, place.app_url())
    assert PASSWORD not in str(caught.value)


def test_a_user_that_somebody_else_has_made_keeps_its_password(place: Place) -> None:
    place.run("CREATE ROLE {role} LOGIN PASSWORD 'as it was'", role=place.app)
    place.run("ALTER ROLE {role} NOCREATEROLE", role=place.owner)
    provide(place.owner_url, place.app_url())
    with signed_in(place.app_url("as it was")) as app:
        assert app.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(InsufficientPrivilege):
            app.execute("DROP TABLE users")


def test_a_user_that_is_one_of_the_owners_is_refused(place: Place) -> None:
    place.run("CREATE ROLE {role} LOGIN", role=place.app)
    place.run("GRANT {owner} TO {role}", owner=place.owner, role=place.app)
    with pytest.raises(RoleError, match="can do more than change rows"):
        provide(place.owner_url, place.app_url())


@pytest.mark.parametrize(
    "too_much",
    [
        "ALTER ROLE {app} SUPERUSER",
        "ALTER ROLE {app} CREATEROLE",
        "ALTER ROLE {app} CREATEDB",
        "ALTER ROLE {app} BYPASSRLS",
        "GRANT CREATE ON SCHEMA public TO {app}",
        "ALTER TABLE users OWNER TO {app}",
    ],
)
def test_a_user_that_may_do_more_is_refused(place: Place, too_much: LiteralString) -> None:
    provide(place.owner_url, place.app_url())
    with place.superuser_inside() as superuser:
        names = {"app": sql.Identifier(place.app), "owner": sql.Identifier(place.owner)}
        superuser.execute(sql.SQL(too_much).format(**names))
    with pytest.raises(RoleError, match="can do more than change rows"):
        provide(place.owner_url, place.app_url())
