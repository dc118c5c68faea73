"""Ask a server for the files of what it was handed: the handler of the job `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr import radarr, sonarr
from medianest.core.db import database
from medianest.fulfilment import repository, service
from medianest.fulfilment.models import Found
from medianest.fulfilment.target import calling, open_target, responded
from medianest.jobs.models import Handler
from medianest.servers import health

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from psycopg import Connection

    from medianest.arr.client import ArrClient
    from medianest.fulfilment.models import Handover, TitleKey
    from medianest.fulfilment.target import Target
    from medianest.jobs.models import Job, MayChange, Write

# Titles of one run, so that it ends within the worker's time; the next run takes the others.
TITLES = 50
_REMOVED = {
    "code": "REMOVED_ON_SERVER",
    "message": "The server no longer has the title, or no longer monitors it.",
}


def run(job: Job, guard: MayChange) -> Write:
    """Take over which submitted titles have files; raises JobError when the server fails.

    Each title is written at once: it is a fact about the server, with or without the lease.
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
    if titles:
        responded(server_id)
    return _write_nothing


def _check(target: Target, title: TitleKey) -> None:
    with database().transaction() as connection:
        handover = repository.handover(connection, title)
        wanted = repository.wanted(connection, title)
    if handover is None or handover.server_id != target.server.id:
        return
    submitted = [each.season for each in wanted if each.state == "submitted"]
    found, lost = calling(target.server, lambda: _read(target.client, title, handover, submitted))
    with database().transaction() as connection:
        if not repository.note_check(connection, title, handover):
            return
        if found is not None:
            repository.record(connection, title, target.server.id, found)
        if lost and repository.lose(connection, title, lost, _REMOVED):
            service.enqueue(connection, [title])


def _read(
    client: ArrClient, title: TitleKey, handover: Handover, submitted: Sequence[int | None]
) -> tuple[Found | None, Collection[int | None]]:
    """Return what the server has of a title, and the items that it no longer fetches.

    The first is None when the server lost the title.
    """
    if title.media_type == "movie":
        movie = radarr.check(client, title.tmdb_id)
        if movie is None:
            return None, submitted
        downloaded = [None] if movie.has_file else []
        found = Found(movie.external_id, None, movie.title_slug, [], downloaded)
        return found, [] if movie.has_file or movie.is_monitored else submitted
    seasons = frozenset(each for each in submitted if each is not None)
    show = None
    if handover.tvdb_id is not None:
        show = sonarr.check(client, handover.tvdb_id, seasons)
    if show is None:
        return None, submitted
    found = Found(show.external_id, show.tvdb_id, show.title_slug, [], sorted(show.downloaded))
    return found, show.missing


def _write_nothing(_connection: Connection[Any]) -> None:
    """Write nothing: each title was written when it was read."""


HANDLER = Handler(run=run, on_failed=health.on_failed)
