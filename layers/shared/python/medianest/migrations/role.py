"""The role that the functions use: it may change rows, and nothing about the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from medianest.core.db import login
from medianest.core.observability import logger

if TYPE_CHECKING:
    from psycopg import Connection, sql

# The settings are those that 0001 and 0008 give to the owner, and here for the same reason: a
# session SET would pin a connection behind RDS Proxy.
_SETTINGS: tuple[LiteralString, ...] = (
    "ALTER ROLE {role} IN DATABASE {database} SET statement_timeout = '3s'",
    "ALTER ROLE {role} IN DATABASE {database} SET lock_timeout = '1s'",
    "ALTER ROLE {role} IN DATABASE {database} SET idle_in_transaction_session_timeout = '5s'",
    "ALTER ROLE {role} IN DATABASE {database} SET random_page_cost = 1.1",
)
_GRANTS: tuple[LiteralString, ...] = (
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    # Before PostgreSQL 15 everybody may make tables there.
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {role}",
    # For what later migrations make; below for what there is.
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
    ),
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
)
# By name: a database may hold what is not ours, such as the view of an extension.
_OWN_RELATIONS: LiteralString = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND pg_has_role(relowner, 'USAGE') AND relkind = ANY (%s) ORDER BY relname"
)
_TOO_MUCH: LiteralString = (
    "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    " OR pg_has_role(oid, current_user, 'MEMBER')"
    " OR has_schema_privilege(oid, 'public', 'CREATE')"
    " OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid"
    " AND relnamespace = 'public'::regnamespace)"
    " FROM pg_roles WHERE rolname = %s"
)
_HISTORY = "schema_migrations"


class RoleError(Exception):
    """The role cannot be what it should be; the message has no secret in it."""


def ensure_app_role(connection: Connection[Any], address: str) -> None:
    """Make the role that an address names, or bring it to what it should be.

    Does nothing when it names the connection's own user. Raises RoleError when the role
    cannot be made, or may do more than change rows.
    """
    from psycopg import sql

    given = login(address, "APP_DATABASE_URL")
    name, password = given.get("user"), given.get("password")
    if not name:
        raise RoleError("APP_DATABASE_URL names no user")
    if name == connection.info.user:
        return
    names = {
        "role": sql.Identifier(name),
        "database": sql.Identifier(connection.info.dbname),
    }
    _make(connection, name, password, names)
    for statement in _GRANTS:
        connection.execute(sql.SQL(statement).format(**names))
    _grant_relations(connection, names)
    if connection.execute(_TOO_MUCH, (name,)).fetchone() != (False,):
        raise RoleError(
            f"the user {name} may do more than change rows: take that from it,"
            " or use one user for everything"
        )
    logger.info("role provided", extra={"role": name})


def _make(
    connection: Connection[Any], name: str, password: str | None, names: dict[str, sql.Identifier]
) -> None:
    from psycopg import errors, sql

    found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    try:
        with connection.transaction():
            if found is None:
                connection.execute(sql.SQL("CREATE ROLE {role}").format(**names))
            connection.execute(_with_login(connection, name, password, names))
            for setting in _SETTINGS:
                connection.execute(sql.SQL(setting).format(**names))
    except errors.InsufficientPrivilege as error:
        if found is None:
            raise RoleError(
                f"the user {connection.info.user} may not make the user {name}: let it"
                " (CREATEROLE), make it yourself, or use one user for everything"
            ) from error
        # Whoever made it keeps its password; what it may do to our tables is ours to say.
        logger.warning("role is somebody else's", extra={"role": name})


def _with_login(
    connection: Connection[Any], name: str, password: str | None, names: dict[str, sql.Identifier]
) -> sql.Composed:
    from psycopg import sql

    if password is None:
        return sql.SQL("ALTER ROLE {role} LOGIN").format(**names)
    # What the server would make of the password itself: the statement may end up in its log.
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
    for kinds, statement in grants:
        for (relation,) in connection.execute(_OWN_RELATIONS, (kinds,)).fetchall():
            if relation != _HISTORY:
                own = sql.Identifier("public", relation)
                connection.execute(sql.SQL(statement).format(relation=own, **names))
    history = sql.SQL("REVOKE ALL ON public.schema_migrations FROM {role}")
    connection.execute(history.format(**names))
