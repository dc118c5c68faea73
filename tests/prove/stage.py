"""Build engines, stand-ins and a service for one fault, with users who call it at a steady rate."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from local.engines.engine import Engine, Server
from local.engines.postgres import PostgresEngine
from local.engines.valkey import ValkeyEngine
from local.standins.tmdb import app as tmdb
from tests.prove.calls import KINDS, Http, Journal
from tests.prove.clients import ADMIN_WEIGHTS, USER_WEIGHTS, Client
from tests.prove.ledger import Db, Ledger
from tests.support.local import LocalService, local_service
from tests.support.standin import plex_of, served

OWNER = "owner"
ADMINS = 2
SIGN_INS_PER_SECOND = 5
SETTLE_SECONDS = 30.0
WARM_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """The deviations of a stage from the default."""

    cluster: bool = False
    bounds: bool = False
    skewed: bool = False
    small_disk: bool = False


@dataclass
class RunningEngine:
    """One of the two engines, which a fault can kill and restart."""

    engine: Engine
    server: Server

    def restart(self) -> None:
        """Restart the engine and wait until it responds."""
        self.server = self.engine.restart(self.server)


@dataclass
class Stage:
    """A service with its engines, stand-ins and users."""

    service: LocalService
    postgres: RunningEngine
    valkey: RunningEngine
    plex_url: str
    tmdb_url: str
    skew: Path
    disk: Path
    http: Http
    clients: list[Client]
    journal: Journal
    ledger: Ledger
    notes: list[str] = field(default_factory=list)
    # The kinds of calls that clients currently prefer.
    preferred: frozenset[str] = frozenset()

    @contextmanager
    def database(self) -> Iterator[Db]:
        """Connect as an administrator, without timeouts and without the read-only default."""
        options = "-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off"
        # In a deadlock, the service's transaction is the one that PostgreSQL cancels.
        options += " -c idle_in_transaction_session_timeout=0 -c deadlock_timeout=30s"
        with psycopg.connect(
            self.postgres.server.url, autocommit=True, options=options, connect_timeout=10
        ) as connection:
            yield connection

    @contextmanager
    def load(self, period: float) -> Iterator[None]:
        """Make each client call the service every `period` seconds while the block runs."""
        finished = threading.Event()
        errors: list[BaseException] = []

        def run_client(number: int, client: Client) -> None:
            next_call = time.monotonic() + period * number / len(self.clients)
            try:
                while not finished.wait(max(next_call - time.monotonic(), 0)):
                    client.act(self.preferred)
                    next_call = max(next_call + period, time.monotonic())
            except BaseException as error:
                errors.append(error)
                raise

        threads = [
            threading.Thread(target=run_client, args=each, name=f"client {each[0]}")
            for each in enumerate(self.clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            finished.set()
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]

    def warm_up(self) -> None:
        """Wait, under load, until each kind of call has succeeded once."""
        started = time.monotonic()
        while missing := self.not_succeeded(started):
            if time.monotonic() > started + WARM_UP_SECONDS:
                raise TimeoutError(f"never succeeded: {', '.join(sorted(missing))}")
            self.preferred = missing
            time.sleep(0.2)
        self.preferred = frozenset()

    def settle(self) -> list[str]:
        """Finish pending retries and try revoked sessions; return the deviations."""
        deviations = []
        for client in self.clients:
            client.settle(SETTLE_SECONDS)
        acknowledged = [(key, each) for key, each in self.ledger.creations.items() if each.id]
        by_user = {client.user_id: client for client in self.clients}
        for key, creation in acknowledged[-10:]:
            client = by_user[creation.user_id]
            if client.token is not None or client.sign_in():
                deviations.append(client.repeat(key, creation.id, creation.body))
        for token in self.ledger.revoked_tokens(20):
            reply = self.http.call(
                "me", "GET", "/api/auth/me", token=token, excused=frozenset({"JWT_INVALID"})
            )
            if reply.code != "JWT_INVALID":
                deviations.append(f"a revoked session got {reply.status} {reply.body}")
        return [each for each in deviations if each]

    def not_succeeded(self, since: float) -> frozenset[str]:
        """Return the kinds of calls without a success since a time."""
        succeeded = {call.kind for call in self.journal.between(since) if 0 < call.status < 400}
        return KINDS - succeeded


def _sign_in_client(client: Client, journal: Journal) -> None:
    """Sign a client in; retry while API Gateway throttles."""
    while not client.sign_in():
        if journal.calls[-1].code != "RATE_LIMITED":
            raise RuntimeError(f"{client.name} cannot sign in: {journal.calls[-1]}")
        time.sleep(1 / SIGN_INS_PER_SECOND)


def _clients(http: Http, plex_url: str, ledger: Ledger, names: Sequence[str]) -> list[Client]:
    """Return the admins, which all have the account of the owner, and a user for each name."""
    admins = [
        Client(http, plex_url, ledger, OWNER, weights=ADMIN_WEIGHTS, seed=number)
        for number in range(ADMINS)
    ]
    users = [
        Client(http, plex_url, ledger, name, weights=USER_WEIGHTS, seed=number)
        for number, name in enumerate(names)
    ]
    return admins + users


@contextmanager
def build_stage(folder: Path, setting: Setting, *, users: int) -> Iterator[Stage]:
    """Build a stage with `users` users and two admins, all signed in."""
    names = [f"person{number}" for number in range(users)]
    engines = folder / "engines"
    engines.mkdir(parents=True)
    skew = folder / "skew"
    with ExitStack() as stack:
        if setting.small_disk:
            from tests.prove.disk import small_disk  # noqa: PLC0415 - only for Linux

            stack.enter_context(small_disk(engines))
        postgres_engine = PostgresEngine(engines, durable=True)
        valkey_engine = ValkeyEngine(folder / "cache", cluster=setting.cluster)
        postgres = RunningEngine(postgres_engine, stack.enter_context(postgres_engine.use()))
        valkey = RunningEngine(valkey_engine, stack.enter_context(valkey_engine.use()))
        plex_url = stack.enter_context(served(plex_of(names)))
        tmdb_url = stack.enter_context(served(tmdb.create_app()))
        environment = {
            "DATABASE_URL": postgres.server.url,
            "REDIS_URL": valkey.server.url,
            "PLEX_CLIENT_ID": "prove",
            "PLEX_API_URL": plex_url,
            "PLEX_AUTH_URL": f"{plex_url}/auth",
            "TMDB_API_KEY": "prove",
            "TMDB_API_URL": f"{tmdb_url}/3",
        }
        service = stack.enter_context(
            local_service(
                folder / "data",
                environment=environment,
                bounds=setting.bounds,
                skew=skew if setting.skewed else None,
            )
        )
        journal, ledger = Journal(), Ledger()
        http = Http(service.url, journal, connections=users + 40)
        clients = _clients(http, plex_url, ledger, names)
        for client in clients:
            _sign_in_client(client, journal)
        # Start the function with the low concurrency limit before several clients call it.
        http.call("health", "GET", "/api/health")
        yield Stage(
            *(service, postgres, valkey, plex_url, tmdb_url, skew, engines),
            *(http, clients, journal, ledger),
        )
