"""The parts of the proof of fulfilment; each builds a stage, and returns figures with bars."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.prove.fulfilment.stage import (
    FIRST_FILM,
    FIRST_SHOW,
    SEASONS,
    Stage,
    build_stage,
)
from tests.support.fulfilment import Fulfilment, films_on, seasons_on

type Say = Callable[[str], None]

LOST_SHARE = 0.25
# A run makes about three calls, so that about 8 % of the runs are killed.
KILLED_SHARE = 0.03
WRITERS = 6
SOAK_SECONDS = 3600.0
DEAD_SECONDS = 600.0
PROGRESS_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value; `most` is the bar, None for a value that only describes the run."""

    name: str
    value: float
    most: float | None = None
    unit: str = ""

    @property
    def missed(self) -> bool:
        """Return whether the value is above its bar."""
        return self.most is not None and self.value > self.most


@dataclass
class Proof:
    """The figures of a part."""

    part: str
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, most: float | None = None, unit: str = "") -> None:
        """Add a figure."""
        self.figures.append(Figure(name, value, most, unit))


def soak(say: Say, approvals: int = 1000) -> Proof:
    """Approve films and seasons while answers get lost and workers are killed."""
    proof = Proof("soak")
    with build_stage() as stage:
        service = stage.service
        films = [FIRST_FILM + number for number in range(approvals * 2 // 5)]
        number_of_shows = (approvals - len(films)) // len(SEASONS)
        shows = [FIRST_SHOW + number for number in range(number_of_shows)]
        requests = _in_threads([partial(service.film, each) for each in films])
        seasons = [(show, season) for show in shows for season in SEASONS]
        requests += _in_threads([partial(service.show, *each) for each in seasons])
        say(f"{len(requests)} requests")
        random.Random(3).shuffle(requests)
        for each in (stage.radarr, stage.sonarr):
            each.lost_share, each.killed_share = LOST_SHARE, KILLED_SHARE
        started = time.monotonic()
        _in_threads(
            [
                partial(service.approve, each, admin=number % 2)
                for number, each in enumerate(requests)
            ]
        )
        proof.add("approvals", len(requests))
        proof.add("seconds of the approvals", time.monotonic() - started, unit="s")
        _wait_for_jobs(stage, say, SOAK_SECONDS)
        proof.add("seconds until all are done", time.monotonic() - started, unit="s")
        for each in (stage.radarr, stage.sonarr):
            each.lost_share = each.killed_share = 0.0
        proof.add("answers lost", stage.radarr.lost + stage.sonarr.lost)
        proof.add("workers killed", stage.radarr.killed + stage.sonarr.killed)
        _compare(proof, service, films, seasons)
    return proof


def _compare(
    proof: Proof, service: Fulfilment, films: Sequence[int], seasons: Sequence[tuple[int, int]]
) -> None:
    """Add what was lost and doubled, by the database and by both servers."""
    waiting = service.db.execute(
        "SELECT FROM request_items WHERE fulfilment NOT IN ('submitted', 'downloaded')"
    ).rowcount
    there = films_on(service.radarr)
    series = [each["tmdbId"] for each in service.sonarr.read("series")]
    monitored = seasons_on(service.sonarr)
    lost = len(set(films) - there.keys()) + len(set(seasons) - set(monitored))
    doubled = there.total() - len(there) + len(series) - len(set(series))
    doubled += len(monitored) - len(set(monitored))
    strange = len(there.keys() - set(films)) + len(set(monitored) - set(seasons))
    proof.add("lost: no title on the server", lost, 0)
    proof.add("lost: item that is not submitted", waiting, 0)
    proof.add("doubled: title or season on the server", doubled, 0)
    proof.add("title or season that nobody wanted", strange, 0)
    dead = service.db.execute("SELECT FROM jobs WHERE state = 'dead'").rowcount
    proof.add("jobs that died", dead, 0)
    searches = service.radarr.commands()
    unsearched = len(films) - len({tuple(films) for _, films in searches})
    proof.add("films without a search", unsearched, 0)
    proof.add("films searched for twice", len(searches) - len({str(each) for each in searches}))


def dead_server(say: Say, waiting: int = 100) -> Proof:
    """Approve films while their server is dead for ten minutes."""
    proof = Proof("dead-server")
    with build_stage() as stage:
        films = [FIRST_FILM + number for number in range(waiting)]
        requests = _in_threads([partial(stage.service.film, each) for each in films])
        _wait_for_jobs(stage, say, 60)
        stage.radarr.is_down = True
        before, started = stage.radarr.calls, time.monotonic()
        _in_threads([partial(stage.service.approve, each) for each in requests])
        while (left := started + DEAD_SECONDS - time.monotonic()) > 0:
            time.sleep(min(left, PROGRESS_SECONDS * 4))
            say(f"{stage.radarr.calls - before} calls in {time.monotonic() - started:.0f} s")
        proof.add("waiting", waiting)
        proof.add("seconds dead", time.monotonic() - started, unit="s")
        proof.add("calls meanwhile", stage.radarr.calls - before, 15)
        stage.radarr.is_down = False
        returned = time.monotonic()
        _wait_for_jobs(stage, say, 300)
        proof.add("seconds from its return until all are done", time.monotonic() - returned, 60)
        arrivals = stage.radarr.arrivals.values()
        proof.add("seconds from its return to the first title", min(arrivals) - returned)
        proof.add("seconds from the first title to the last", max(arrivals) - min(arrivals))
        _compare(proof, stage.service, films, [])
    return proof


def bell(say: Say, approvals: int = 200) -> Proof:
    """Measure the time from the approval to the server, with the bell."""
    return _time(Proof("bell"), say, approvals, period=0.5, most=2.0)


def sweep(say: Say, approvals: int = 120) -> Proof:
    """Measure the time from the approval to the server, by the sweep alone."""
    return _time(Proof("sweep"), say, approvals, period=1.0, most=61.0)


def _time(proof: Proof, say: Say, approvals: int, *, period: float, most: float) -> Proof:
    """Approve a film each `period` seconds."""
    with build_stage(bell=proof.part == "bell") as stage:
        films = [FIRST_FILM + number for number in range(approvals)]
        requests = _in_threads([partial(stage.service.film, each) for each in films])
        # Every part of the way has run once.
        stage.service.approve(requests[0])
        _wait_for_jobs(stage, say, 90)
        say(f"one approval each {period} s")
        begun: dict[int, float] = {}
        next_one = time.monotonic()
        for film, request in zip(films[1:], requests[1:], strict=True):
            time.sleep(max(next_one - time.monotonic(), 0))
            next_one += period
            begun[film] = time.monotonic()
            stage.service.approve(request)
        _wait_for_jobs(stage, say, 120)
        times = [stage.radarr.arrivals[film] - at for film, at in begun.items()]
        percentiles = statistics.quantiles(times, n=100, method="inclusive")
        proof.add("approvals", len(times))
        proof.add("p50 from the approval to the server", percentiles[49], unit="s")
        proof.add("p95 from the approval to the server", percentiles[94], most, "s")
        proof.add("longest", max(times), unit="s")
    return proof


PARTS: dict[str, Callable[..., Proof]] = {
    "bell": bell,
    "sweep": sweep,
    "soak": soak,
    "dead-server": dead_server,
}


def _in_threads[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(WRITERS) as pool:
        return [future.result() for future in [pool.submit(each) for each in calls]]


def _wait_for_jobs(stage: Stage, say: Say, seconds: float) -> None:
    """Wait until no hand-over is left, and tell the progress."""
    started = told = time.monotonic()
    while live := _live_jobs(stage.service):
        now = time.monotonic()
        if now > started + seconds:
            raise TimeoutError(f"jobs are left after {seconds:.0f} s: {live}")
        if now > told + PROGRESS_SECONDS:
            told = now
            lost = stage.radarr.lost + stage.sonarr.lost
            killed = stage.radarr.killed + stage.sonarr.killed
            say(f"{live}; {lost} answers lost, {killed} workers killed, {now - started:.0f} s")
        time.sleep(0.1)


def _live_jobs(service: Fulfilment) -> str:
    rows = service.db.execute(
        "SELECT state, count(*) FROM jobs WHERE kind = 'handover'"
        " AND state IN ('queued', 'leased') GROUP BY state ORDER BY state"
    )
    return ", ".join(f"{number} {state}" for state, number in rows)
