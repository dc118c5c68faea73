"""Run the local service in a separate process, as `make run` does, and call it over HTTP."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psycopg
import urllib3
from redis import Redis

from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine
from tests.support import forked, prepared
from tests.support.api import Answer
from tests.support.limits import raise_limits
from tests.support.openapi import assert_described, path_of
from tests.support.plex import approve

http = urllib3.PoolManager(maxsize=40)
START_SECONDS = 60.0


def eventually[T](attempt: Callable[[], T | None], *, seconds: float = 20.0) -> T:
    """Repeat `attempt` until its result is true, and return the result; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        result = attempt()
        if result:
            return result
        assert time.monotonic() < deadline, f"timed out after {seconds} s: {attempt}"
        time.sleep(0.05)


@dataclass
class LocalService:
    """A running local service."""

    process: ForkServerProcess
    data: Path
    url: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        assert self.process.pid is not None
        return self.process.pid

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one HTTP call; check the response of a route against the API document."""
        sent_headers = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent_headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body).encode()
        url = self.url + path
        if query:
            url += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        response = http.request(
            method,
            url,
            body=content,
            headers=sent_headers,
            timeout=40,
            retries=False,
            redirect=False,
        )
        lower_case_headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status, lower_case_headers, response.data.decode())
        documented_path = path_of(method, path)
        if documented_path is not None:
            assert_described(method, documented_path, answer.status, answer.headers, answer.text)
        return answer

    def patiently(self, method: str, path: str, **options: Any) -> Answer:
        """Make a call; retry a throttled one after its Retry-After."""
        while True:
            answer = self.call(method, path, **options)
            if answer.status != 429:
                return answer
            time.sleep(int(answer.headers["retry-after"]) * 0.3)

    def begin(self, plex_url: str, person: str) -> str:
        """Start and approve a sign-in; return its handle."""
        pin = self.patiently("POST", "/api/auth/plex/pin", body={}).data
        approve(plex_url, pin["code"], person)
        handle: str = pin["pinId"]
        return handle

    def sign_in(self, plex_url: str, person: str) -> str:
        """Sign a person in and return the token."""
        handle = self.begin(plex_url, person)
        answer = self.patiently("POST", "/api/auth/plex/verify", body={"pinId": handle})
        token: str = answer.data["token"]
        return token

    @property
    def standin_urls(self) -> tuple[str, str]:
        """Return the URLs of the stand-ins for plex.tv and TMDB, read from the start-up log."""
        urls = [
            line.split()[-1]
            for line in self.log.read_text().splitlines()
            if "a stand-in at" in line
        ]
        return urls[0], urls[1]

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit code."""
        os.kill(self.pid, signal_number)
        return self.wait(20)

    def wait(self, seconds: float) -> int:
        """Wait for the end and return the exit code."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, "the service has not ended"
        return self.process.exitcode


@contextmanager
def local_service(
    data: Path,
    *,
    environment: Mapping[str, str] | None = None,
    limits: bool = False,
    throttles: bool = True,
    bounds: bool = False,
    trial_limits: bool = False,
    skew: Path | None = None,
    sourced: bool = False,
) -> Iterator[LocalService]:
    """Start a service on a free port, ready for calls inside the block.

    Without `limits` the rate limits are raised, because all callers of a test share one address.
    Without `throttles` API Gateway does not throttle; with `bounds` functions have the concurrency
    limits of docs/deploy.md. With `trial_limits` the service has the limits of `make run` and
    creates its database; otherwise it begins with a copy of one without rows. While the file `skew`
    exists, the clocks of the functions are an hour off. With `sourced` a header names the address
    of the caller.
    """
    variants = {"bounded": bounds, "unthrottled": not throttles, "sourced": sourced}
    [module] = [f"tests.support.{name}" for name, on in variants.items() if on] or ["local"]
    if skew is not None:
        module = "tests.support.skewed"
        environment = {**(environment or {}), "SKEW_FILE": str(skew)}
    data.mkdir(parents=True, exist_ok=True)
    if not trial_limits and "DATABASE_URL" not in (environment or {}):
        copy_database(data)
    # Beside the folder, which has only files of the service: `reset` removes no other folder.
    log = data.with_name(f"{data.name}.log")
    run_file = data / "run.json"
    run_file.unlink(missing_ok=True)
    arguments = ["--data", str(data), "--port", "0", *(["--trial-limits"] if trial_limits else [])]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    log.write_bytes(b"")
    process = forked.start([module, *arguments], {**inherited, **(environment or {})}, log)
    try:
        url = _url_when_ready(process, log)
        if not limits:
            with database_of(data, environment or {}) as connection:
                raise_limits(connection)
        yield LocalService(process, data, url, log, environment or {})
    finally:
        process.terminate()
        process.join(20)
        assert process.exitcode is not None, f"the service does not stop: {log.read_text()}"


def copy_database(data: Path) -> None:
    """Let a data folder begin with the run's database, which has all tables and no rows."""
    prepared.copy(data, _prepare)


def _prepare(data: Path) -> None:
    """Let a service create a database, without the stand-ins, whose addresses it would store."""
    variables = {"PLEX_API_URL": "http://127.0.0.1:1", "PLEX_CLIENT_ID": "prepare"}
    variables |= {"TMDB_API_URL": "http://127.0.0.1:1", "TMDB_API_KEY": "prepare"}
    with local_service(data, environment=variables, limits=True) as service:
        assert service.stop() == 0  # its copies would be damaged otherwise


def _url_when_ready(process: ForkServerProcess, log: Path) -> str:
    """Wait until the start-up log has the URL of the service, and return it."""
    deadline = time.monotonic() + START_SECONDS
    while "is ready at" not in log.read_text():
        assert process.is_alive(), log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    line = next(line for line in log.read_text().splitlines() if "is ready at" in line)
    return line.split()[-1]


@contextmanager
def cache_of(data: Path) -> Iterator[Redis]:
    """Return a client of the cache of a running service."""
    with (
        ValkeyEngine(data).use() as engine,
        Redis.from_url(engine.url, socket_timeout=5) as client,
    ):
        yield client


@contextmanager
def database_of(
    data: Path, environment: Mapping[str, str]
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Return a connection to the database of a running service."""
    with ExitStack() as stack:
        url = environment.get("DATABASE_URL")
        if url is None:
            url = stack.enter_context(PostgresEngine(data, durable=True).use()).url
        # Without prepared statements, because PgBouncer does not support them.
        connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        yield stack.enter_context(connection)
