"""Servers: list, add, change and delete them; their secrets; the routing rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from medianest.arr.models import ArrError
from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core import encryption, guard
from medianest.core.db import database, on_violation
from medianest.core.encryption import DecryptionError
from medianest.core.environment import ConfigurationError
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_fields
from medianest.core.observability import logger
from medianest.jobs import bell
from medianest.jobs import repository as jobs_repository
from medianest.jobs import service as jobs_service
from medianest.servers import options, repository
from medianest.servers.models import KIND_OF, Credentials, Rule, Server
from medianest.users.service import lock_admin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.servers.rule_schemas import RuleIn, RulesIn
    from medianest.servers.schemas import ServerChangeIn, ServerIn
    from medianest.users.models import Principal

MAX_SERVERS = 10
_TABLE, _COLUMN = "download_servers", "secret_enc"
_KEY_MISSING = {"code": "KEY_MISSING", "message": "The address changed, so the API key is needed"}


def every() -> list[Server]:
    """Return every server, sorted by name."""
    return database().read(repository.every)


def get(server_id: UUID) -> Server:
    """Return a server; raises NOT_FOUND."""
    return _found(database().read(lambda connection: repository.get(connection, server_id)))


def add(body: ServerIn, admin: Principal, caller: Caller) -> Server:
    """Add a server, and have its inventory read; raises VALIDATION_ERROR."""
    base_url = _checked_url(body.base_url)
    _check(options.problems(body.options, body.kind, None, "body.options"))
    server_id = uuid4()
    secret = sealed(server_id, Credentials(body.api_key, body.headers))
    with database().transaction() as connection, _unique_name():
        lock_admin(connection, admin)
        jobs_repository.lock_server_changes(connection)
        if repository.count(connection) >= MAX_SERVERS:
            raise invalid_fields([("body", f"There are already {MAX_SERVERS} servers")])
        if body.is_default:
            repository.clear_default(connection, body.kind, server_id)
        server = repository.add(connection, server_id, body, base_url=base_url, secret=secret)
        details = {"kind": server.kind, **_changeable(server)}
        _record(connection, Action.SERVER_CREATED, server_id, details, admin, caller)
        _read_again(connection, server)
    bell.ring()
    return server


def change(server_id: UUID, body: ServerChangeIn, admin: Principal, caller: Caller) -> Server:
    """Change a server; raises NOT_FOUND or VALIDATION_ERROR.

    Another address removes key and headers, unless a new key comes with it: nobody may send a
    stored key to himself. A change frees a misconfigured server and makes its jobs due. The waiting
    titles of a server that is disabled go to another one, if there is one.
    """
    base_url = None if body.base_url is None else _checked_url(body.base_url)
    with database().transaction() as connection, _unique_name():
        lock_admin(connection, admin)
        jobs_repository.lock_server_changes(connection)
        jobs_repository.lock_of_server(
            connection, server_id, kind=None if body.enabled is False else "inventory"
        )
        if body.is_default:
            repository.lock_every(connection)
        server = _found(repository.lock(connection, server_id))
        moved = base_url is not None and base_url != server.base_url
        if body.options is not None:
            inventory = None if moved else server.inventory
            _check(options.problems(body.options, server.kind, inventory, "body.options"))
        secret_changes = _change_secret(connection, server, body, moved=moved)
        if body.is_default:
            repository.clear_default(connection, server.kind, server_id)
        repository.change(
            connection,
            server_id,
            name=body.name or server.name,
            base_url=base_url or server.base_url,
            is_default=server.is_default if body.is_default is None else body.is_default,
            enabled=server.enabled if body.enabled is None else body.enabled,
            options=server.options if body.options is None else body.options.stored(),
        )
        changed = _found(repository.get(connection, server_id))
        details = _differences(_changeable(server), _changeable(changed)) | secret_changes
        if server.enabled and not changed.enabled:
            jobs_repository.unbind(connection, server_id)
        if details:
            _record(connection, Action.SERVER_CHANGED, server_id, details, admin, caller)
        if details.keys() - {"name", "isDefault"}:
            error = None if changed.secret_hint else _KEY_MISSING
            repository.reset(connection, server_id, error, moved=moved)
            _read_again(connection, changed)
        changed = _found(repository.get(connection, server_id))
    bell.ring()
    return changed


def delete(server_id: UUID, admin: Principal, caller: Caller) -> None:
    """Delete a server with its rules; raises NOT_FOUND, and SERVER_IN_USE while it has titles.

    Titles that it has not received go to another server.
    """
    with database().transaction() as connection:
        lock_admin(connection, admin)
        jobs_repository.lock_server_changes(connection)
        server = _found(repository.get(connection, server_id))
        repository.forget_handovers(connection, server_id)
        jobs_repository.lock_of_server(connection, server_id)
        jobs_repository.unbind(connection, server_id)
        with on_violation("handovers_server_id_fkey", lambda: AppError(ErrorCode.SERVER_IN_USE)):
            repository.delete(connection, server_id)
        details = {"kind": server.kind, "name": server.name}
        _record(connection, Action.SERVER_DELETED, server_id, details, admin, caller)
    bell.ring()


def credentials(connection: Connection[Any], server: Server) -> Credentials:
    """Return the key and the headers of a server.

    Raises ArrError if it has none, and ConfigurationError if ENCRYPTION_KEY cannot decrypt them.
    """
    token = repository.sealed(connection, server.id)
    if token is None:
        raise ArrError("misconfigured", _KEY_MISSING["code"], _KEY_MISSING["message"])
    return _opened(server.id, server.name, token)


def check_key() -> None:
    """Raise ConfigurationError if ENCRYPTION_KEY cannot decrypt the secrets in the database.

    A worker calls it before it leases: with a wrong key it stops at once, and no job fails.
    """
    for each in database().read(repository.every_sealed):
        _opened(each.id, each.name, each.secret_enc)


def reencrypt() -> None:
    """Encrypt secrets of an earlier key with the current one, also of servers that are off."""
    with database().transaction() as connection:
        stale = [
            each
            for each in repository.every_sealed(connection)
            if not encryption.is_current(each.secret_enc)
        ]
        # In the order of their ids.
        for each in stale:
            token, _ = sealed(each.id, _opened(each.id, each.name, each.secret_enc))
            repository.reseal(connection, each.id, each.secret_enc, token)
    if stale:
        logger.info("secrets_reencrypted", extra={"servers": len(stale)})


def rules() -> list[Rule]:
    """Return the routing rules in their order."""
    return database().read(repository.rules)


def replace_rules(body: RulesIn, admin: Principal, caller: Caller) -> list[Rule]:
    """Replace all rules; raises VALIDATION_ERROR.

    Of two calls at once the later one wins whole, unless it raises EDIT_CONFLICT: the rules are not
    those that it expects. A repeated call changes nothing.
    """
    wanted = [
        (each.media_type, each.conditions.stored(), each.server_id, each.options.stored())
        for each in body.rules
    ]
    with database().transaction() as connection:
        lock_admin(connection, admin)
        jobs_repository.lock_server_changes(connection)
        old = repository.rules(connection)
        if wanted == [tuple(each)[1:] for each in old]:
            return old
        if body.expected not in (None, [each.id for each in old]):
            raise AppError(ErrorCode.EDIT_CONFLICT)
        servers = {each.id: each for each in repository.every(connection)}
        _check(
            problem
            for position, rule in enumerate(body.rules)
            for problem in _rule_problems(rule, servers, f"body.rules.{position}")
        )
        repository.replace_rules(connection, wanted)
        new = repository.rules(connection)
        details = {"from": [_audited(each) for each in old], "to": [_audited(each) for each in new]}
        _record(connection, Action.ROUTING_RULES_CHANGED, None, details, admin, caller)
    return new


def _rule_problems(
    rule: RuleIn, servers: dict[UUID, Server], field: str
) -> Iterator[tuple[str, str]]:
    server = servers.get(rule.server_id)
    if server is None:
        yield f"{field}.serverId", "There is no such server"
    elif server.kind != KIND_OF[rule.media_type]:
        yield f"{field}.serverId", f"{server.kind.capitalize()} does not take this media type"
    else:
        inventory = server.inventory
        yield from options.problems(rule.options, server.kind, inventory, f"{field}.options")


def _audited(rule: Rule) -> dict[str, Any]:
    return {
        "mediaType": rule.media_type,
        "conditions": rule.conditions,
        "serverId": str(rule.server_id),
        "options": rule.options,
    }


def _change_secret(
    connection: Connection[Any], server: Server, body: ServerChangeIn, *, moved: bool
) -> dict[str, str]:
    """Change or remove the secret; return what the audit log says, which has no secret."""
    if body.api_key is None and body.headers is None:
        if not moved or server.secret_hint is None:
            return {}
        repository.set_secret(connection, server.id, None)
        return {"apiKey": "removed"}
    kept = Credentials("", {})
    if body.api_key is None or (body.headers is None and not moved):
        token = None if moved else repository.sealed(connection, server.id)
        if token is not None:
            kept = _opened(server.id, server.name, token)
    key = body.api_key or kept.api_key
    if not key:
        raise invalid_fields([("body.apiKey", "Is needed with headers, or with another address")])
    headers = kept.headers if body.headers is None else body.headers
    repository.set_secret(connection, server.id, sealed(server.id, Credentials(key, headers)))
    changes = {"apiKey": body.api_key, "headers": body.headers}
    return {name: "changed" for name, value in changes.items() if value is not None}


def sealed(server_id: UUID, secret: Credentials) -> tuple[str, dict[str, Any]]:
    """Return the encrypted credentials of a server, and what admins see of them."""
    text = json.dumps({"apiKey": secret.api_key, "headers": secret.headers})
    return encryption.encrypt(text, table=_TABLE, column=_COLUMN, row=server_id), secret.hint


def _opened(server_id: UUID, name: str, token: str) -> Credentials:
    try:
        text = encryption.decrypt(token, table=_TABLE, column=_COLUMN, row=server_id)
    except DecryptionError as error:
        raise ConfigurationError(
            f"ENCRYPTION_KEY does not decrypt the API key of the server {name}: {error}"
        ) from error
    stored = json.loads(text)
    return Credentials(stored["apiKey"], stored["headers"])


def _read_again(connection: Connection[Any], server: Server) -> None:
    """Have the inventory read, and the waiting jobs run."""
    if server.enabled and server.secret_hint is not None:
        jobs_repository.make_due(connection, server.id, renews=True)
        jobs_service.enqueue(connection, "inventory", {}, server_id=server.id, by_person=True)


def _checked_url(url: str) -> str:
    try:
        return guard.check_url(url)
    except guard.RefusedAddressError as error:
        raise invalid_fields([("body.baseUrl", str(error))]) from error


def _check(problems: Iterator[tuple[str, str]]) -> None:
    found = list(problems)
    if found:
        raise invalid_fields(found)


def _unique_name() -> Any:
    return on_violation(
        "download_servers_name",
        lambda: invalid_fields([("body.name", "Another server has it")]),
    )


def _found(server: Server | None) -> Server:
    if server is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return server


def _changeable(server: Server) -> dict[str, Any]:
    """Return what an admin may change, without the secret, in the form of the audit log."""
    return {
        "name": server.name,
        "baseUrl": server.base_url,
        "isDefault": server.is_default,
        "enabled": server.enabled,
        "options": server.options,
    }


def _differences(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: {"from": old[name], "to": new[name]} for name in old if old[name] != new[name]}


def _record(
    connection: Connection[Any],
    action: Action,
    server_id: UUID | None,
    details: dict[str, Any],
    admin: Principal,
    caller: Caller,
) -> None:
    audit_repository.record(
        connection,
        action,
        caller,
        user_id=admin.user_id,
        target=None if server_id is None else ("server", server_id),
        details=details,
    )
