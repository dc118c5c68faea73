"""The server of a title: chosen by an admin, by a rule or by default, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.catalog import service as catalog_service
from medianest.core.db import database
from medianest.core.errors import AppError
from medianest.fulfilment import repository
from medianest.jobs import repository as jobs_repository
from medianest.jobs.models import JobError
from medianest.servers import routing
from medianest.servers.models import KIND_OF, TitleFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from medianest.catalog.models import RoutingFacts
    from medianest.fulfilment.models import Handover, TitleKey, WantedItem


def facts(title: TitleKey) -> RoutingFacts:
    """Return what TMDB knows of a title; raises JobError when TMDB has none or is down."""
    try:
        found = catalog_service.routing_facts(title.media_type, title.tmdb_id)
    except AppError as error:
        raise JobError("unreachable", error.code, error.message) from error
    if found is None:
        raise JobError("never", "TITLE_REMOVED", "TMDB no longer has the title.")
    return found


def assigned(title: TitleKey, wanted: Sequence[WantedItem], known: RoutingFacts) -> Handover | None:
    """Return the server of a title, chosen now if it has none; None when no server takes it.

    The title of a disabled server goes to another one, and waits for it when there is no other.
    """
    handover = database().read(lambda connection: repository.handover(connection, title))
    if handover is not None and handover.is_enabled:
        return handover
    with database().transaction() as connection:
        # The server that is chosen must still be there, and enabled, when the title gets it.
        jobs_repository.lock_server_changes(connection)
        routed = _route(connection, title, wanted, known)
        if routed is None:
            return handover
        # An admin may have been quicker: the row decides.
        repository.assign(
            connection, title, routed.server.id, routed.options.stored(), by_admin=False
        )
        return repository.handover(connection, title)


def _route(
    connection: Connection[Any],
    title: TitleKey,
    wanted: Sequence[WantedItem],
    known: RoutingFacts,
) -> routing.Routed | None:
    return routing.route(
        connection,
        KIND_OF[title.media_type],
        TitleFacts(
            media_type=title.media_type,
            user_ids=frozenset(each.user_id for each in wanted),
            genre_ids=known.genre_ids,
            languages=known.languages,
            keyword_ids=known.keyword_ids,
            anime=known.anime,
        ),
        None,
    )
