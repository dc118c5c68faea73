"""A service with its own Radarr and Sonarr, which lose answers and kill the workers that call."""

import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from local.standins.faults import Fault, Handler, close
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from local.standins.tmdb import app as tmdb
from local.standins.tmdb.catalogue import Catalogue, Title
from tests.prove import processes
from tests.support.fulfilment import WORKER, Fulfilment, fulfilment_of
from tests.support.local import database_of, local_service
from tests.support.standin import plex_of, served

PEOPLE = ("first", "second", "user")
SEASONS = (1, 2, 3)
FIRST_FILM, FIRST_SHOW = 1_000_000, 2_000_000
FILMS, SHOWS = 1000, 400
# Every bell fails at once, as when SQS does not know the queue.
NO_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/none"


class Upstream:
    """Records the calls that one stand-in receives, and disturbs them."""

    def __init__(self, seed: int) -> None:
        self.calls = 0
        self.lost = 0
        self.killed = 0
        # When each title was added, by TMDB id.
        self.arrivals: dict[int, float] = {}
        self.is_down = False
        self.lost_share = 0.0
        self.killed_share = 0.0
        self.service_pid = 0
        self._random = random.Random(seed)

    def install(self, app: web.Application) -> web.Application:
        """Record and disturb the calls of a stand-in."""

        @web.middleware
        async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/api/"):
                return await handler(request)
            self.calls += 1
            return await self._respond(request, handler)

        app.middlewares.insert(0, disturb)
        return app

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        nothing = Fault("close")
        if self.is_down:
            return await close(request, nothing)
        is_kill = self._random.random() < self.killed_share
        if is_kill and self._random.random() < 0.5 and self._kill_caller(request):
            return await close(request, nothing)
        response = await handler(request)
        if request.method == "POST" and response.status == 201:
            self.arrivals.setdefault((await request.json()).get("tmdbId", 0), time.monotonic())
        if is_kill and self._kill_caller(request):
            return await close(request, nothing)
        if request.method != "GET" and self._random.random() < self.lost_share:
            self.lost += 1
            return await close(request, nothing)
        return response

    def _kill_caller(self, request: web.Request) -> bool:
        """Kill the worker that made a call; return False if it has ended."""
        peer = request.get_extra_info("peername")
        workers = processes.workers_of(self.service_pid)
        pids = [pid for pid, folder in workers.items() if folder == WORKER]
        pid = processes.owner_of(peer[1], pids) if peer else None
        if pid is None:
            return False
        processes.send(signal.SIGKILL, pid)
        self.killed += 1
        return True


@dataclass
class Stage:
    """A service with two admins and a user, and its download servers."""

    service: Fulfilment
    radarr: Upstream
    sonarr: Upstream


def _catalogue() -> Catalogue:
    films = [
        Title("movie", FIRST_FILM + number, f"Film {number}", "2020-01-01", (28,))
        for number in range(FILMS)
    ]
    shows = [
        Title(
            *("tv", FIRST_SHOW + number, f"Show {number}", "2020-01-01", (18,)),
            seasons=dict.fromkeys(SEASONS, 4),
            tvdb=FIRST_SHOW + number,
        )
        for number in range(SHOWS)
    ]
    return Catalogue((*films, *shows))


@contextmanager
def build_stage(*, bell: bool = True) -> Iterator[Stage]:
    """Build a stage; without `bell` only the sweep of each minute starts the worker."""
    catalogue = _catalogue()
    films, shows = Upstream(1), Upstream(2)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medianest-prove-")))
        plex_url = stack.enter_context(served(plex_of(list(PEOPLE))))
        tmdb_url = stack.enter_context(served(tmdb.create_app(catalogue)))
        urls = {
            "radarr": stack.enter_context(served(films.install(radarr.create_app(catalogue)))),
            "sonarr": stack.enter_context(served(shows.install(sonarr.create_app(catalogue)))),
        }
        environment = {
            "PLEX_CLIENT_ID": "prove",
            "PLEX_API_URL": plex_url,
            "PLEX_AUTH_URL": f"{plex_url}/auth",
            "TMDB_API_KEY": "prove",
            "TMDB_API_URL": f"{tmdb_url}/3",
            **({} if bell else {"BELL_QUEUE_URL": NO_QUEUE}),
        }
        running = stack.enter_context(
            local_service(folder / "data", environment=environment, throttles=False)
        )
        db = stack.enter_context(database_of(running.data, environment))
        service = stack.enter_context(fulfilment_of(running, db, plex_url, PEOPLE, urls))
        for each in (films, shows):
            each.service_pid = running.pid
        yield Stage(service, films, shows)
