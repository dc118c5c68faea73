"""Hand one title over to its server: the handler of the job `handover`.

The job reads what is wanted now and makes the server have it, so its effect is the same however
often it runs. Nothing is ever taken away from a server.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from medianest.arr import radarr, sonarr
from medianest.arr.client import RejectedError
from medianest.arr.models import MovieWanted, ShowWanted
from medianest.core.db import database
from medianest.fulfilment import repository, routing, service
from medianest.fulfilment.hooks import fail_items
from medianest.fulfilment.models import Found, title_of
from medianest.fulfilment.target import calling, open_target, responded
from medianest.jobs.models import GiveBackError, Handler, JobError
from medianest.servers import health, options
from medianest.servers.stored_schemas import HandoverOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg import Connection

    from medianest.arr.models import Options
    from medianest.catalog.models import RoutingFacts
    from medianest.fulfilment.models import Handover, WantedItem
    from medianest.fulfilment.target import Target
    from medianest.jobs.models import Job, MayChange, Write


def run(job: Job, guard: MayChange) -> Write:
    """Make the server of the title have what approved requests want.

    Raises JobError. Raises GiveBackError once the title has a server, whose circuit the next lease
    reads.
    """
    title = title_of(job.payload)
    wanted = database().read(lambda connection: repository.wanted(connection, title))
    if not any(each.state == "queued" for each in wanted):
        return _write_nothing
    facts = routing.facts(title)
    handover = routing.assigned(title, wanted, facts)
    if handover is None:
        return lambda connection: repository.by_hand(connection, title)
    if job.server_id != handover.server_id:
        raise GiveBackError(handover.server_id)
    target = open_target(handover.server_id)
    with _own_options(handover):
        found, missing = _hand_over(job, target, facts, handover, wanted, guard.may_change)
    responded(target.server.id)

    def write(connection: Connection[Any]) -> None:
        if not repository.record(connection, title, target.server.id, found):
            # An admin has given the title to another server during the run.
            service.enqueue(connection, [title])

    if missing:
        # It is a fact about the server, with or without the lease.
        with database().transaction() as connection:
            write(connection)
        seasons = ", ".join(map(str, sorted(missing)))
        raise JobError("not_yet", "SEASON_UNKNOWN", f"The server does not know season {seasons}.")
    return write


def _hand_over(
    job: Job,
    target: Target,
    facts: RoutingFacts,
    handover: Handover,
    wanted: Sequence[WantedItem],
    may_change: Callable[[], bool],
) -> tuple[Found, frozenset[int]]:
    """Return what the server has, and the wanted seasons that it does not know."""
    requesters = tuple(sorted({each.username for each in wanted}))
    filed = calling(target.server, lambda: _options(target, handover))
    # The lost response of an earlier attempt may have hidden that no search was started.
    is_retry = job.attempts > 1
    if facts.media_type == "movie":
        film = MovieWanted(facts.tmdb_id, facts.title, requesters)
        movie = calling(
            target.server,
            lambda: radarr.hand_over(
                target.client,
                film,
                filed,
                may_change=may_change,
                search_again=is_retry or handover.submitted_at is not None,
            ),
        )
        states: tuple[list[None], list[None]] = ([], [None]) if movie.has_file else ([None], [])
        return Found(movie.external_id, None, movie.title_slug, *states), frozenset()
    # Seasons that another server has downloaded are there, and those that failed were given up.
    seasons = frozenset(
        each.season
        for each in wanted
        if each.season is not None and each.state in {"queued", "submitted"}
    )
    series = ShowWanted(facts.tmdb_id, facts.tvdb_id, seasons, facts.title, requesters)
    unfinished = seasons & {each.season for each in wanted if is_retry and each.state == "queued"}
    show = calling(
        target.server,
        lambda: sonarr.hand_over(
            target.client, series, filed, may_change=may_change, search_again=unfinished
        ),
    )
    numbers = sorted(show.submitted), sorted(show.downloaded)
    return Found(show.external_id, show.tvdb_id, show.title_slug, *numbers), show.missing


@contextmanager
def _own_options(handover: Handover) -> Iterator[None]:
    """Fail the title, and do not park the server, when it rejects an option of the title's own."""
    try:
        yield
    except JobError as error:
        rejected = error.__cause__
        if isinstance(rejected, RejectedError) and any(
            rejected.about(name.lower()) for name in handover.options
        ):
            raise JobError(
                "never", error.code, error.message, configured_at=error.configured_at
            ) from rejected
        raise


def _options(target: Target, handover: Handover) -> Options:
    own = HandoverOptions.model_validate(handover.options)
    return options.for_client(options.merged(options.of(target.server), own))


def _on_dead(connection: Connection[Any], job: Job, error: JobError) -> None:
    fail_items(connection, title_of(job.payload), error.code, error.message, job.id)


def _write_nothing(_connection: Connection[Any]) -> None:
    """Write nothing: nobody waits for the title."""


HANDLER = Handler(run=run, on_failed=health.on_failed, on_dead=_on_dead)
