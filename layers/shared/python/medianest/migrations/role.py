"""The database role of the functions: it can change rows, but not tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import url_parts
from medianest.core.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psycopg import Connection, sql

# Migrations 0001 and 0008 set all but the time zone for the owner as well. They belong to the role,
# because a SET in a session would pin the connection behind RDS Proxy.
_SETTINGS: tuple[LiteralString, ...] = (
    "statement_timeout = '3s'",
    "lock_timeout = '1s'",
    "idle_in_transaction_session_timeout = '5s'",
    "random_page_cost = 1.1",
    # A day is 24 hours in every age and lifetime: in a zone with daylight saving time it may have
    # 23 or 25.
    "timezone = 'UTC'",
)
_SET: LiteralString = "ALTER ROLE {role} IN DATABASE {database} SET {setting}"
_NAMES_SET: LiteralString = (
    "SELECT lower(split_part(unnest(setconfig), '=', 1)) FROM pg_db_role_setting"
    " WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    " AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_GRANTS: tuple[LiteralString, ...] = (
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    # Before PostgreSQL 15, every role can create tables in this schema.
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {role}",
    # For the tables of later migrations; `_grant_relations` covers the existing ones.
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
    ),
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
)
# Only relations of the owner: the schema may have others, such as the views of an extension.
_OWN_RELATIONS: LiteralString = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND pg_has_role(relowner, 'USAGE') AND relkind = ANY (%s) ORDER BY relname"
)
_HAS_EXCESS_PRIVILEGES: LiteralString = (
    "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    " OR pg_has_role(oid, current_user, 'MEMBER')"
    " OR has_schema_privilege(oid, 'public', 'CREATE')"
    " OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid"
    " AND relnamespace = 'public'::regnamespace)"
    " FROM pg_roles WHERE rolname = %s"
)
_HISTORY = "schema_migrations"


class RoleError(Exception):
    """The role cannot be set up; the message contains no secret."""


def ensure_settings(connection: Connection[Any]) -> None:
    """Give the role of the connection the settings that it lacks, as after a restore.

    They belong to the server and are in no dump, so a database that moved to another server has
    none. Those that an operator has changed stay.
    """
    from psycopg import sql

    present = {name for (name,) in connection.execute(_NAMES_SET).fetchall()}
    names = {
        "role": sql.SQL("CURRENT_USER"),
        "database": sql.Identifier(connection.info.dbname),
    }
    _set(connection, names, [each for each in _SETTINGS if each.split()[0] not in present])


def ensure_app_role(connection: Connection[Any], address: str) -> None:
    """Create or update the role in the URL `address`, with its password and grants.

    Does nothing when it is the user of the connection. Raises RoleError when the role cannot be
    created, or can do more than change rows.
    """
    from psycopg import sql

    parts = url_parts(address, "APP_DATABASE_URL")
    name, password = parts.get("user"), parts.get("password")
    if not name:
        raise RoleError("APP_DATABASE_URL has no user")
    if name == connection.info.user:
        return
    names = {
        "role": sql.Identifier(name),
        "database": sql.Identifier(connection.info.dbname),
    }
    _create_or_alter(connection, name, password, names)
    for statement in _GRANTS:
        connection.execute(sql.SQL(statement).format(**names))
    _grant_relations(connection, names)
    if connection.execute(_HAS_EXCESS_PRIVILEGES, (name,)).fetchone() != (False,):
        raise RoleError(
            f"the user {name} can do more than change rows: revoke its other privileges, or use"
            " one user for all functions"
        )
    logger.info("app_role_ensured", extra={"role": name})


def _create_or_alter(
    connection: Connection[Any], name: str, password: str | None, names: dict[str, sql.Identifier]
) -> None:
    from psycopg import errors, sql

    existing = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    try:
        with connection.transaction():
            if existing is None:
                connection.execute(sql.SQL("CREATE ROLE {role}").format(**names))
            connection.execute(_alter_login(connection, name, password, names))
            _set(connection, names, _SETTINGS)
    except errors.InsufficientPrivilege as error:
        if existing is None:
            raise RoleError(
                f"the user {connection.info.user} cannot create the user {name}: grant it"
                " CREATEROLE, create the user yourself, or use one user for all functions"
            ) from error
        # Another role created it, so its password stays as it is; the grants are still applied.
        logger.warning("app_role_not_owned", extra={"role": name})


def _set(
    connection: Connection[Any],
    names: Mapping[str, sql.Composable],
    settings: Iterable[LiteralString],
) -> None:
    from psycopg import sql

    for setting in settings:
        connection.execute(sql.SQL(_SET).format(setting=sql.SQL(setting), **names))


def _alter_login(
    connection: Connection[Any], name: str, password: str | None, names: dict[str, sql.Identifier]
) -> sql.Composed:
    from psycopg import sql

    if password is None:
        return sql.SQL("ALTER ROLE {role} LOGIN").format(**names)
    # Send the SCRAM verifier instead of the password, because the server may log the statement.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    return sql.SQL("ALTER ROLE {role} LOGIN PASSWORD {verifier}").format(
        verifier=sql.Literal(verifier.decode()), **names
    )


def _grant_relations(connection: Connection[Any], names: dict[str, sql.Identifier]) -> None:
    from psycopg import sql

    grants: tuple[tuple[list[str], LiteralString], ...] = (
        (["r", "p"], "GRANT SELECT, INSERT, UPDATE, DELETE ON {relation} TO {role}"),
        (["S"], "GRANT USAGE ON SEQUENCE {relation} TO {role}"),
    )
    for relation_kinds, statement in grants:
        for (relation,) in connection.execute(_OWN_RELATIONS, (relation_kinds,)).fetchall():
            if relation != _HISTORY:
                identifier = sql.Identifier("public", relation)
                connection.execute(sql.SQL(statement).format(relation=identifier, **names))
    history = sql.SQL("REVOKE ALL ON public.schema_migrations FROM {role}")
    connection.execute(history.format(**names))
