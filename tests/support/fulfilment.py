"""A service whose approvals reach stand-ins for Radarr and Sonarr, and what one sees of them."""

import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from local.control import send_command
from local.standins.radarr import app as radarr
from local.standins.sonarr import app as sonarr
from tests.prove import processes
from tests.support.api import Answer
from tests.support.arr import ArrStandin
from tests.support.local import LocalService, eventually
from tests.support.standin import client_of

type Db = psycopg.Connection[tuple[Any, ...]]

WORKER = "worker"


@dataclass
class Fulfilment:
    """A service with two admins and a user, its database and its two download servers."""

    http: LocalService
    db: Db
    admins: tuple[str, str]
    user: str
    radarr: ArrStandin
    sonarr: ArrStandin

    def call(self, method: str, path: str, body: Any = None, *, admin: int = 0) -> Answer:
        """Make a call as an admin."""
        return self.http.patiently(method, path, token=self.admins[admin], body=body)

    def request(self, body: dict[str, Any]) -> str:
        """Request a title as the user; return the id of the request."""
        answer = self.http.patiently("POST", "/api/media/request", token=self.user, body=body)
        assert answer.status == 201, answer.text
        return str(answer.data["id"])

    def film(self, tmdb_id: int) -> str:
        """Request a film; return the id of the request."""
        return self.request({"mediaType": "movie", "tmdbId": tmdb_id})

    def show(self, tmdb_id: int, *seasons: int) -> str:
        """Request seasons of a show; return the id of the request."""
        return self.request({"mediaType": "tv", "tmdbId": tmdb_id, "seasons": list(seasons)})

    def approve(self, request_id: str, *, admin: int = 0) -> None:
        """Approve a request."""
        path = f"/api/admin/requests/{request_id}/approve"
        answer = self.call("POST", path, {}, admin=admin)
        assert answer.status == 200, answer.text

    def state(self, request_id: str) -> str:
        """Return the state of fulfilment, as its owner sees it."""
        path = f"/api/media/requests/{request_id}"
        return str(self.http.patiently("GET", path, token=self.user).data["fulfilment"]["state"])

    def wait_for(self, request_id: str, state: str, *, seconds: float = 20.0) -> None:
        """Wait until a request has a state of fulfilment."""
        eventually(lambda: self.state(request_id) == state, seconds=seconds)

    def fire(self, schedule: str) -> None:
        """Run a schedule to its end."""
        result = send_command(self.http.data, "schedules", schedule)
        assert result["error"] is None, result

    def workers(self) -> list[int]:
        """Return the processes of the worker."""
        found = processes.workers_of(self.http.pid)
        return [pid for pid, folder in found.items() if folder == WORKER]

    def kill_workers(self) -> None:
        """Kill the processes of the worker, as the end of their environment does."""
        pids = self.workers()
        assert pids
        processes.send(signal.SIGKILL, *pids)
        eventually(lambda: not set(pids) & set(self.workers()))

    def expire_leases(self) -> int:
        """Let the time of each lease pass; return their number."""
        return self.db.execute(
            "UPDATE jobs SET lease_until = now() WHERE state = 'leased'"
        ).rowcount

    def make_due(self) -> None:
        """Let the pauses of the waiting jobs pass."""
        self.db.execute("UPDATE jobs SET run_at = now() WHERE state = 'queued'")

    def settle(self) -> None:
        """Let time pass until no job is left."""

        def is_done() -> bool:
            self.make_due()
            self.fire("Sweep")
            live = "SELECT FROM jobs WHERE state IN ('queued', 'leased')"
            return self.db.execute(live).rowcount == 0

        eventually(is_done)

    def empty_servers(self) -> None:
        """Forget all titles, tags, commands and requests of both stand-ins."""
        for each in (self.radarr, self.sonarr):
            assert each.http.send("DELETE", "/standin/titles").status == 204
            assert each.http.send("DELETE", "/standin/requests").status == 204

    def set_option(self, kind: str, **options: Any) -> None:
        """Add options to the server of a kind."""
        [server] = [each for each in self.servers() if each["kind"] == kind]
        body = {"options": server["options"] | options}
        answer = self.call("PATCH", f"/api/admin/servers/{server['id']}", body)
        assert answer.status == 200, answer.text

    def servers(self) -> list[dict[str, Any]]:
        """Return the download servers as admins see them."""
        listed: list[dict[str, Any]] = self.call("GET", "/api/admin/servers").data
        return listed


def calls_of(standin: ArrStandin) -> list[str]:
    """Return the calls of the API that a stand-in received, as `GET movie`."""
    return [
        f"{each['method']} {each['path'].removeprefix('/api/v3/')}"
        for each in standin.http.get("/standin/requests").json()
    ]


def films_on(standin: ArrStandin) -> Counter[int]:
    """Count the films of a Radarr by TMDB id."""
    return Counter(each["tmdbId"] for each in standin.read("movie"))


def seasons_on(standin: ArrStandin) -> list[tuple[int, int]]:
    """Return the TMDB id and number of each monitored season of a Sonarr, ordered."""
    return sorted(
        (show["tmdbId"], each["seasonNumber"])
        for show in standin.read("series")
        for each in show["seasons"]
        if each["monitored"]
    )


@contextmanager
def fulfilment_of(
    running: LocalService,
    db: Db,
    plex_url: str,
    names: tuple[str, str, str],
    urls: Mapping[str, str] | None = None,
) -> Iterator[Fulfilment]:
    """Sign in two admins and a user.

    With `urls`, stand-ins by the kind of server, those are registered; otherwise the service has
    registered its own.
    """
    owner, second, user = names
    sign_in = partial(running.sign_in, plex_url)
    first_token, second_token = sign_in(owner), sign_in(second)
    me = running.call("GET", "/api/auth/me", token=second_token).data["id"]
    path = f"/api/admin/users/{me}"
    assert running.call("PATCH", path, token=first_token, body={"role": "admin"}).status == 200
    for kind, url in (urls or {}).items():
        _register(running, first_token, kind, url)
    listed = running.call("GET", "/api/admin/servers", token=first_token).data
    found = {each["kind"]: each["baseUrl"] for each in listed}
    with client_of(found["radarr"]) as films, client_of(found["sonarr"]) as shows:
        yield Fulfilment(
            *(running, db, (first_token, sign_in(second)), sign_in(user)),
            ArrStandin(films, radarr.API_KEY),
            ArrStandin(shows, sonarr.API_KEY),
        )


def _register(running: LocalService, token: str, kind: str, url: str) -> None:
    module = radarr if kind == "radarr" else sonarr
    body = {
        "kind": kind,
        "name": kind,
        "baseUrl": url,
        "apiKey": module.API_KEY,
        "isDefault": True,
        "options": {"qualityProfileId": 1, "rootFolderPath": module.ROOT_FOLDER},
    }
    answer = running.call("POST", "/api/admin/servers", token=token, body=body)
    assert answer.status == 201, answer.text
