"""Hand one title over to its server: the runner of the job `handover`.

The job reads what is wanted now and makes the server have it, so its effect is the same however
often it runs. Nothing is ever taken away from a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr import radarr, sonarr
from medianest.arr.models import MovieWanted, ShowWanted
from medianest.core.db import database
from medianest.fulfilment import repository, routing
from medianest.fulfilment.models import Found, TitleKey
from medianest.fulfilment.options import merged
from medianest.fulfilment.target import calling, open_target
from medianest.jobs.models import JobError
from medianest.servers import health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection

    from medianest.arr.client import ArrClient
    from medianest.arr.models import Options
    from medianest.catalog.models import RoutingFacts
    from medianest.fulfilment.models import WantedItem
    from medianest.jobs.models import Job
    from medianest.jobs.protocol import Guard

    type Write = Callable[[Connection[Any]], None]


def run(job: Job, guard: Guard) -> Write:
    """Make the server of the title have what approved requests want; raises JobError."""
    title = title_of(job)
    wanted = database().read(lambda connection: repository.wanted(connection, title))
    if not any(each.state == "queued" for each in wanted):
        return _write_nothing
    facts = routing.facts(title)
    handover = routing.assigned(title, wanted, facts)
    if handover is None:
        return lambda connection: repository.by_hand(connection, title)
    target = open_target(handover.server_id)
    options = merged(target.server, handover, wanted)
    # A job that a person or a failure brought back asks the server to search again.
    search_again = job.attempts > 1 or handover.submitted_at is not None
    found, missing = calling(
        target,
        lambda client: _hand_over(client, title, wanted, facts, options, guard, search_again),
    )

    def write(connection: Connection[Any]) -> None:
        health.succeeded(connection, target.server.id)
        repository.record(connection, title, found)

    if missing:
        # What the server has is a fact, whoever holds the lease.
        with database().transaction() as connection:
            write(connection)
        seasons = ", ".join(map(str, sorted(missing)))
        raise JobError("not_yet", "SEASON_UNKNOWN", f"The server does not know season {seasons}.")
    return write


def on_dead(connection: Connection[Any], job: Job, code: str, message: str) -> None:
    """Fail the items that a dead job leaves queued."""
    failure = {"code": code, "message": message, "jobId": str(job.id)}
    repository.fail(connection, title_of(job), ["queued"], failure)


def title_of(job: Job) -> TitleKey:
    """Return the title that a job names."""
    return TitleKey(job.payload["mediaType"], job.payload["tmdbId"])


def _hand_over(
    client: ArrClient,
    title: TitleKey,
    wanted: Sequence[WantedItem],
    facts: RoutingFacts,
    options: Options,
    guard: Guard,
    search_again: bool,
) -> tuple[Found, frozenset[int]]:
    """Return what the server has, and the wanted seasons that it does not know."""
    if title.media_type == "movie":
        movie = radarr.hand_over(
            client,
            MovieWanted(title.tmdb_id, facts.title),
            options,
            may_change=guard.may_change,
            search_again=search_again,
        )
        state = ([], [None]) if movie.has_file else ([None], [])
        return Found(movie.external_id, None, movie.title_slug, *state), frozenset()
    seasons = frozenset(each.season for each in wanted if each.season is not None)
    show = sonarr.hand_over(
        client,
        ShowWanted(title.tmdb_id, facts.tvdb_id, seasons, facts.title),
        options,
        may_change=guard.may_change,
        search_again=search_again,
    )
    found = Found(
        show.external_id,
        show.tvdb_id,
        show.title_slug,
        sorted(show.submitted),
        sorted(show.downloaded),
    )
    return found, show.missing


def _write_nothing(_connection: Connection[Any]) -> None:
    """Finish a job whose title nobody waits for."""
