"""Set the database of a worker back before each test: empty, or with users who signed in."""

from collections.abc import Callable, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from medianest.sessions import tokens
from tests.support.limits import raise_limits

type Connection = psycopg.Connection[tuple[Any, ...]]

# With few rows, TRUNCATE takes seven times as long as DELETE.
EMPTIED = (
    *("request_items", "idempotency_keys", "audit_logs", "system_config", "sessions"),
    *("session_tombstones", "signin_networks", "media_requests", "users", "signin_handles"),
    *("jobs", "handovers", "routing_rules", "download_servers", "external_ids"),
    *("rate_limit_hits", "next_bell", "row_counts"),
)
# Written by the migrations.
KEPT = ("schema_migrations", "title_marks")
_DELETE = sql.SQL("DELETE FROM {};")
_OF_SIGN_INS = ("users", "sessions", "audit_logs")
# A function keeps the plans of its statements: they cost more than the few rows.
_EMPTY: LiteralString = """
    CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        age   interval := clock_timestamp() - (SELECT at FROM saved_limits);
        fresh jsonb    := '{{}}';
    BEGIN
        {delete}
        {insert}
    END $$
"""
# Users and sessions get new ids, because a process remembers some of ended sessions.
_SIGN_IN: LiteralString = """
    CREATE FUNCTION pg_temp.sign_in()
    RETURNS TABLE (name text, user_id uuid, email text, role text,
        session_id uuid, issued timestamptz, expires timestamptz) LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
        age   interval := clock_timestamp() - (SELECT at FROM saved_people);
        fresh jsonb    := (SELECT jsonb_object_agg(id, gen_random_uuid()) FROM
            (SELECT id FROM saved_users UNION ALL SELECT id FROM saved_sessions) AS known);
    BEGIN
        ASSERT NOT EXISTS (TABLE row_counts), 'the database is not empty';
        {insert}
        INSERT INTO row_counts (source, day, mark, facet, subfacet, n) TABLE counted_rows;
        RETURN QUERY SELECT u.username, u.id, u.email, u.role, s.id, s.created_at, s.expires_at
            FROM users AS u JOIN sessions AS s ON s.user_id = u.id ORDER BY u.created_at;
    END $$
"""
_COLUMNS: LiteralString = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class CleanDatabase:
    """A connection that sets the database back, without triggers and foreign keys.

    It is not that of the tests, because a change of session_replication_role discards all plans
    of a connection.
    """

    def __init__(self, url: str, sign_in: Callable[[], object]) -> None:
        self._url = url
        self._sign_in = sign_in
        self._connection: Connection | None = None
        self._has_people = False

    def empty(self) -> None:
        """Empty the tables, and raise the limits."""
        try:
            self._opened().execute("SELECT pg_temp.empty()")
        except psycopg.OperationalError:
            # The test before ended all connections, or restarted the server.
            self.close()
            self._opened().execute("SELECT pg_temp.empty()")

    def people(self) -> dict[str, str]:
        """Insert again what the first sign-ins left in the empty database; return the tokens."""
        connection = self._opened()
        if not self._has_people:
            assert connection.execute("TABLE row_counts").rowcount == 0
            self._sign_in()
            _save(connection, "saved_people", _OF_SIGN_INS)
            _create(connection, _SIGN_IN, _OF_SIGN_INS)
            connection.execute("SELECT pg_temp.empty()")
            self._has_people = True
        signed_in = connection.execute("SELECT * FROM pg_temp.sign_in()").fetchall()
        return {
            name: tokens.sign(
                user_id=user,
                email=email,
                role=role,
                session_id=session,
                issued=issued,
                expires=expires,
            )
            for name, user, email, role, session, issued, expires in signed_in
        }

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._has_people = False

    def _opened(self) -> Connection:
        if self._connection is None:
            opened = psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,
                options="-c session_replication_role=replica",
            )
            for table in EMPTIED:
                opened.execute(_DELETE.format(sql.Identifier(table)))
            raise_limits(opened)
            _save(opened, "saved_limits", ["system_config"])
            _create(opened, _EMPTY, ["system_config"])
            self._connection = opened
        return self._connection


def _save(connection: Connection, moment: LiteralString, tables: Sequence[str]) -> None:
    for table in tables:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE {} AS TABLE {}").format(_saved(table), sql.Identifier(table))
        )
    connection.execute(f"CREATE TEMP TABLE {moment} AS SELECT clock_timestamp() AS at")


def _create(connection: Connection, function: LiteralString, tables: Sequence[str]) -> None:
    """Create a function of the connection that inserts the saved rows of the tables."""
    connection.execute(
        sql.SQL(function).format(
            delete=sql.SQL(" ").join(_DELETE.format(sql.Identifier(each)) for each in EMPTIED),
            insert=sql.SQL(" ").join(_insert(connection, each) for each in tables),
        )
    )


def _insert(connection: Connection, table: str) -> sql.Composed:
    """Return the statement that inserts the saved rows of a table, as if they were written now."""
    columns = connection.execute(_COLUMNS, (table,)).fetchall()
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS old;").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        sql.SQL(", ").join(_value(name, kind) for name, kind in columns),
        _saved(table),
    )


def _value(name: str, kind: str) -> sql.Composed:
    if kind == "timestamp with time zone":
        return sql.SQL("old.{} + age").format(sql.Identifier(name))
    if name.endswith("id"):
        value = sql.SQL("coalesce(fresh ->> old.{0}::text, old.{0}::text)::{1}")
        return value.format(sql.Identifier(name), sql.SQL(kind))
    return sql.SQL("old.{}").format(sql.Identifier(name))


def _saved(table: str) -> sql.Identifier:
    return sql.Identifier(f"saved_{table}")
