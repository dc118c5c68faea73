"""Which server gets a title, decided once for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.servers import repository
from medianest.servers.models import Kind, Rule, Server, TitleFacts
from medianest.servers.stored_schemas import Conditions, HandoverOptions

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection


class Routed(NamedTuple):
    """A server, and the options of the rule, which replace the server's own."""

    server: Server
    options: HandoverOptions


def route(
    connection: Connection[Any], kind: Kind, facts: TitleFacts, chosen: UUID | None
) -> Routed | None:
    """Return where a title goes, None if no enabled server takes it.

    An admin's choice decides; else the first rule whose conditions all hold and whose server is
    enabled; else the default of the kind. A choice that is disabled or gone is no other server.
    """
    servers = {each.id: each for each in repository.enabled(connection, kind)}
    if chosen is not None:
        server = servers.get(chosen)
        return None if server is None else Routed(server, HandoverOptions())
    for rule in repository.rules(connection):
        server = servers.get(rule.server_id)
        if server is not None and holds(rule, facts):
            return Routed(server, HandoverOptions.model_validate(rule.options))
    default = next((each for each in servers.values() if each.is_default), None)
    return None if default is None else Routed(default, HandoverOptions())


def holds(rule: Rule, facts: TitleFacts) -> bool:
    """Return whether all conditions of a rule hold; a list holds if it has one of the facts."""
    conditions = Conditions.model_validate(rule.conditions)
    lists: list[tuple[list[Any] | None, frozenset[Any]]] = [
        (conditions.user_ids, facts.user_ids),
        (conditions.genre_ids, facts.genre_ids),
        (conditions.languages, facts.languages),
        (conditions.keyword_ids, facts.keyword_ids),
    ]
    return (
        rule.media_type == facts.media_type
        and all(wanted is None or not found.isdisjoint(wanted) for wanted, found in lists)
        and conditions.anime in {None, facts.anime}
    )
