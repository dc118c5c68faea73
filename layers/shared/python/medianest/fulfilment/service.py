"""Rules of fulfilment: an approval queues the items of its request and commits their jobs.

The worker reads the wanted state of a title when it runs: a job has no command and may run twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid, invalid_fields
from medianest.fulfilment import repository
from medianest.jobs import repository as jobs_repository
from medianest.jobs import service as jobs_service
from medianest.servers import options as server_options
from medianest.servers import repository as servers_repository
from medianest.servers.models import KIND_OF
from medianest.servers.stored_schemas import HandoverOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType
    from medianest.fulfilment.models import ItemState, TitleKey


class Choice(NamedTuple):
    """The server and the options that an admin chose for a title."""

    server_id: UUID
    options: HandoverOptions


def start(
    connection: Connection[Any], request_ids: Sequence[UUID], *, by_person: bool = False
) -> bool:
    """Queue the items of approved requests whose kind has a server; return whether there are any.

    Without a server, an admin fetches them by hand. `by_person` tells that `choose` preceded.
    """
    types = types_with_server(connection)
    if not types or not request_ids:
        return False
    titles = repository.queue(connection, request_ids, types)
    enqueue(connection, titles, by_person=by_person)
    return bool(titles)


def choose(connection: Connection[Any], title: TitleKey, choice: Choice) -> None:
    """Assign a title to the server that an admin chose, before `start`.

    Raises VALIDATION_ERROR unless it is an enabled server of this kind, and TITLE_ON_OTHER_SERVER
    when another server has received the title.
    """
    # The server that is found must still be there when the title gets it.
    jobs_repository.lock_server_changes(connection)
    server = servers_repository.get(connection, choice.server_id)
    if server is None or not server.enabled or server.kind != KIND_OF[title.media_type]:
        raise invalid("body.serverId", "Must be an enabled server for this kind of title")
    found = list(
        server_options.problems(choice.options, server.kind, server.inventory, "body.options")
    )
    if found:
        raise invalid_fields(found)
    if not repository.assign(
        connection, title, choice.server_id, choice.options.stored(), by_admin=True
    ):
        handover = repository.handover(connection, title)
        details = {} if handover is None else {"serverId": str(handover.server_id)}
        raise AppError(ErrorCode.TITLE_ON_OTHER_SERVER, details=details)


def retry(connection: Connection[Any], title: TitleKey, request_id: UUID, *, reroute: bool) -> bool:
    """Queue the failed items of a request and make its job due; return whether it had any open.

    With `reroute`, the rules choose the server again, also for what a disabled server has. When it
    returns False, the caller raises, and so rolls back.
    """
    states: list[ItemState] = ["failed"]
    # The server of a title precedes its items, as at the end of a run.
    if reroute and repository.unassign(connection, title):
        states.append("submitted")
    if not repository.requeue(connection, request_id, states):
        return False
    enqueue(connection, [title], by_person=True)
    return True


def types_with_server(connection: Connection[Any]) -> list[MediaType]:
    """Return the media types that an enabled server takes."""
    kinds = servers_repository.enabled_kinds(connection)
    return [media_type for media_type, kind in KIND_OF.items() if kind in kinds]


def enqueue(
    connection: Connection[Any], titles: Iterable[TitleKey], *, by_person: bool = False
) -> None:
    """Enqueue the hand-over of each title; a person's wish makes it due at once."""
    # The order of `jobs.repository.lock_of_server`.
    for media_type, tmdb_id in sorted(titles, key=lambda each: f"{each.media_type}:{each.tmdb_id}"):
        jobs_service.enqueue(
            connection,
            "handover",
            {"mediaType": media_type, "tmdbId": tmdb_id},
            by_person=by_person,
        )
