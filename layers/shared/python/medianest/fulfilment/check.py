"""Ask a server for the files of what it was handed: the runner of the job `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr import radarr, sonarr
from medianest.core.db import database
from medianest.fulfilment import repository, service
from medianest.fulfilment.models import Found
from medianest.fulfilment.target import calling, open_target
from medianest.servers import health

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from medianest.arr.client import ArrClient
    from medianest.fulfilment.models import Handover, TitleKey
    from medianest.fulfilment.target import Target
    from medianest.jobs.models import Job
    from medianest.jobs.protocol import Guard

    type Write = Callable[[Connection[Any]], None]

# Titles of one run, so that it ends within the worker's time; the next run takes the others.
TITLES = 50
_REMOVED = {
    "code": "REMOVED_ON_SERVER",
    "message": "The server no longer has the title, or no longer monitors it.",
}


def run(job: Job, guard: Guard) -> Write:
    """Take over which submitted titles have files; raises JobError when the server fails.

    Each title is written at once: it is a fact about the server, whoever holds the lease.
    """
    server_id = job.server_id
    if server_id is None:
        return lambda _connection: None
    target = open_target(server_id)
    titles = database().read(lambda connection: repository.unchecked(connection, server_id, TITLES))
    for title in titles:
        # A call takes up to half a minute; the next run takes the titles that are left.
        if not guard.may_change():
            break
        _check(target, title)
    return lambda connection: health.succeeded(connection, server_id)


def _check(target: Target, title: TitleKey) -> None:
    with database().transaction() as connection:
        handover = repository.handover(connection, title)
        wanted = repository.wanted(connection, title)
    if handover is None:
        return
    seasons = frozenset(
        each.season for each in wanted if each.season is not None and each.state == "submitted"
    )
    found = calling(target, lambda client: _read(client, title, handover, seasons))
    with database().transaction() as connection:
        if found is not None:
            repository.record(connection, title, found)
        elif repository.requeue_removed(connection, title):
            service.enqueue(connection, [title])
        else:
            repository.fail(connection, title, ["submitted"], _REMOVED)


def _read(
    client: ArrClient, title: TitleKey, handover: Handover, seasons: frozenset[int]
) -> Found | None:
    """Return what the server has of a title, None if it lost the title."""
    if title.media_type == "movie":
        movie = radarr.check(client, title.tmdb_id)
        if movie is None:
            return None
        return Found(
            movie.external_id, None, movie.title_slug, [], [None] if movie.has_file else []
        )
    if handover.tvdb_id is None:
        return None
    show = sonarr.check(client, handover.tvdb_id, seasons)
    if show is None:
        return None
    return Found(show.external_id, show.tvdb_id, show.title_slug, [], sorted(show.downloaded))
