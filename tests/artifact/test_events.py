"""The built functions handle every file of events/ as documented, on AWS's runtime client."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.standins import Standins
from local.standins.tmdb.catalogue import load_catalogue
from local.template.models import Function
from local.template.reader import read_template
from medianest.core.examples import JOB_ID, SERVER_ID
from medianest.signin import passwords
from tests.conftest import ENCRYPTION_KEY, JWT_SECRET
from tests.support.api import ROOT, route_of
from tests.support.limits import raise_limits
from tests.support.plex import approve
from tests.support.rie import NATIVE_ARCHITECTURE, Emulator, app_url, emulated, make_runtime

EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob("events/*.json"))}
ROUTE_EVENTS = [name for name, event in EVENTS.items() if "httpMethod" in event]
OTHER_EVENTS = [name for name in EVENTS if name not in ROUTE_EVENTS]
WORKER_EVENTS = [name for name in OTHER_EVENTS if name.startswith("worker")]
SAMPLE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PASSWORD, NEW_PASSWORD = "Sunset-Garden-42", "Walnut-Harbour-87"
FILM_OF_THE_EVENT = 603


def function_of(name: str) -> str:
    """Return the function of a schedule's event or of an event sent by hand."""
    return name.split("-", maxsplit=1)[0].capitalize() + "Function"


class DeployedFunctions:
    """The deployed functions, called with sample events."""

    def __init__(self, emulator: Callable[[str], Emulator], plex_url: str, db: Any) -> None:
        self._emulator = emulator
        self._plex_url = plex_url
        self._db = db
        self._names = (f"person{number}" for number in itertools.count())
        film_ids = [each.id for each in load_catalogue().titles if each.media_type == "movie"]
        self._films = (film for film in film_ids if film != FILM_OF_THE_EVENT)
        self._servers: dict[str, str] = {}

    def send(self, event: Mapping[str, Any]) -> Any:
        """Make a call and return the status and the body, parsed if it is JSON."""
        function, _, _ = route_of(event["httpMethod"], event["path"])
        answer = self._emulator(function).invoke(event)
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        is_json = headers.get("content-type", "").startswith("application/json")
        return answer["statusCode"], json.loads(answer["body"]) if is_json else answer["body"]

    def data_of(self, event: Mapping[str, Any]) -> Any:
        """Make a call, check that it succeeds and return its data."""
        status, body = self.send(event)
        assert 200 <= status < 300, body
        return body and body["data"]

    def approved_pin(self, person: str) -> str:
        """Start a sign-in, approve it at Plex and return its handle."""
        pin = self.data_of(EVENTS["auth-plex-pin"])
        approve(self._plex_url, pin["code"], person)
        handle: str = pin["pinId"]
        return handle

    def token(self, person: str = "alice") -> str:
        """Sign a person in and return the token; alice was the first user and is admin."""
        event = with_replacements(
            "auth-plex-verify", REPLACE_WITH_A_PIN_ID=self.approved_pin(person)
        )
        token: str = self.data_of(event)["token"]
        return token

    def local_user(self) -> tuple[str, str]:
        """Create an account with a password; return its name and id."""
        name = next(self._names)
        row = self._db.execute(
            "INSERT INTO users (email, username, password_hash, role)"
            " VALUES (%s, %s, %s, 'user') RETURNING id",
            (f"{name}@example.com", name, passwords.hash_password(PASSWORD)),
        ).fetchone()
        return name, str(row[0])

    def request(self, token: str) -> str:
        """Request a film that has no request yet; return the request's id."""
        event = with_replacements("media-request", REPLACE_WITH_A_TOKEN=token)
        for headers in (event["headers"], event["multiValueHeaders"]):
            del headers["Idempotency-Key"]
        event["body"] = json.dumps({"mediaType": "movie", "tmdbId": next(self._films)})
        identifier: str = self.data_of(event)["id"]
        return identifier

    def approved_request(self, token: str) -> str:
        """Approve a request, which queues it for a server; return its id."""
        self.server("radarr", token)
        approve_event = with_replacements("admin-requests-approve", REPLACE_WITH_A_TOKEN=token)
        (sample_id,) = SAMPLE_ID.findall(approve_event["path"])
        text = json.dumps(approve_event).replace(sample_id, self.request(token))
        identifier: str = self.data_of(json.loads(text))["id"]
        return identifier

    def server(self, kind: str, token: str) -> str:
        """Return the id of a download server, which is added first unless there is one."""
        if kind not in self._servers:
            self._servers[kind] = self.new_server(kind, token)
        return self._servers[kind]

    def new_server(self, kind: str, token: str) -> str:
        """Add a download server with a name of its own; return its id."""
        event = with_replacements("admin-servers-post", REPLACE_WITH_A_TOKEN=token)
        changes = {"kind": kind, "name": next(self._names)}
        event["body"] = json.dumps(json.loads(event["body"]) | changes)
        identifier: str = self.data_of(event)["id"]
        return identifier

    def job(self, token: str) -> str:
        """Return the id of a queued job: the reading of a new server's inventory."""
        server = self.new_server("radarr", token)
        row = self._db.execute("SELECT id FROM jobs WHERE server_id = %s", (server,)).fetchone()
        return str(row[0])

    def other_session(self, token: str) -> str:
        """Sign alice in again; return the id of the session that the token does not belong to."""
        self.token()
        sessions = self.data_of(with_replacements("auth-sessions", REPLACE_WITH_A_TOKEN=token))
        return next(str(each["id"]) for each in sessions if not each["current"])

    def with_real_values(self, name: str) -> dict[str, Any]:
        """Return an event with real values in place of its placeholders and sample ids."""
        replacements = {
            "REPLACE_WITH_A_PASSWORD": PASSWORD,
            "REPLACE_WITH_A_NEW_PASSWORD": NEW_PASSWORD,
        }
        if name == "auth-plex-verify":
            replacements["REPLACE_WITH_A_PIN_ID"] = self.approved_pin("bob")
        if name in {"auth-login", "auth-password"}:
            user, _ = self.local_user()
            replacements["REPLACE_WITH_A_USER_NAME"] = user
        if name == "auth-password":
            replacements["REPLACE_WITH_A_TOKEN"] = self.data_of(
                with_replacements("auth-login", **replacements)
            )["token"]
        if "REPLACE_WITH_A_TOKEN" in json.dumps(EVENTS[name]):
            replacements.setdefault("REPLACE_WITH_A_TOKEN", self.token())
        event = with_replacements(name, **replacements)
        for sample_id in dict.fromkeys(SAMPLE_ID.findall(event["path"] + (event["body"] or ""))):
            real = self.real_id(event, sample_id, replacements["REPLACE_WITH_A_TOKEN"])
            event = json.loads(json.dumps(event).replace(sample_id, real))
        return event

    def server_for(self, event: Mapping[str, Any], token: str) -> str:
        """Return the id of a server that an event may refer to; none is used after its deletion."""
        if event["httpMethod"] == "DELETE":
            return self.new_server("radarr", token)
        return self.server("sonarr" if '"tv"' in (event["body"] or "") else "radarr", token)

    def real_id(self, event: Mapping[str, Any], sample_id: str, token: str) -> str:
        """Create the object that an event refers to and return its id."""
        if sample_id == SERVER_ID:
            return self.server_for(event, token)
        if sample_id == JOB_ID:
            return self.job(token)
        if event["path"].startswith("/api/auth/sessions"):
            return self.other_session(token)
        if event["path"].startswith("/api/admin/users"):
            return self.local_user()[1]
        if event["path"].endswith(("/retry", "/withdraw")):
            return self.approved_request(token)
        return self.request(token)


def with_replacements(name: str, **replacements: str) -> dict[str, Any]:
    """Return a sample event with its placeholders replaced."""
    text = json.dumps(EVENTS[name])
    # The longest first, because one placeholder may be a prefix of another.
    for placeholder in sorted(replacements, key=len, reverse=True):
        text = text.replace(placeholder, replacements[placeholder])
    event: dict[str, Any] = json.loads(text)
    return event


@pytest.fixture(scope="module")
def emulator(
    builds: Path,
    database_url: str,
    redis_url: str,
    upstreams: Standins,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Emulator]]:
    """Return a callable: function id to its emulator, started on first use."""
    folder = tmp_path_factory.mktemp("rie")
    runtime = make_runtime(folder / "runtime")
    build = builds / NATIVE_ARCHITECTURE
    built = read_template(build / "template.yaml", opt=build)
    shared = {
        "REDIS_URL": redis_url,
        "JWT_SECRET": JWT_SECRET,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "PLEX_CLIENT_ID": "medianest-tests",
        "PLEX_API_URL": upstreams.plex_url,
        "PLEX_AUTH_URL": f"{upstreams.plex_url}/auth",
        "TMDB_API_KEY": "key-of-the-tests",
        "TMDB_API_URL": f"{upstreams.tmdb_url}/3",
        "APP_DATABASE_URL": app_url(database_url),
        "NODE_ENV": "development",  # the local engines have no TLS
    }
    with ExitStack() as stack:
        started: dict[str, Emulator] = {}

        def environment(function: Function) -> dict[str, str]:
            is_owner = function.id == "MigrationsFunction"
            values = shared | {"DATABASE_URL": database_url if is_owner else app_url(database_url)}
            return {name: values.get(name, value) for name, value in function.environment.items()}

        def emulator_of(name: str) -> Emulator:
            if name not in started:
                function = built.functions[name]
                emulated_function = emulated(
                    function, environment(function), runtime=runtime, log=folder / f"{name}.log"
                )
                started[name] = stack.enter_context(emulated_function)
            return started[name]

        yield emulator_of


@pytest.fixture(scope="module")
def deployed(
    emulator: Callable[[str], Emulator], database_url: str, upstreams: Standins
) -> Iterator[DeployedFunctions]:
    """Return the deployed functions, with a migrated database and alice as admin."""
    applied = emulator("MigrationsFunction").invoke(EVENTS["migrations"])["applied"]
    assert applied
    with psycopg.connect(database_url, autocommit=True) as db:
        raise_limits(db)
        deployed = DeployedFunctions(emulator, upstreams.plex_url, db)
        deployed.token()
        yield deployed


@pytest.mark.parametrize("name", [name for name in WORKER_EVENTS if name != "worker"])
def test_each_sample_event_of_the_workers_schedules_runs_its_task(
    deployed: DeployedFunctions, emulator: Callable[[str], Emulator], name: str
) -> None:
    answer = emulator(function_of(name)).invoke(EVENTS[name])
    assert answer == {"done": 0, "failed": 0, "given_back": 0, "lost": 0, "more": False}


def test_the_worker_answers_the_bells_of_its_sample_event(
    deployed: DeployedFunctions, emulator: Callable[[str], Emulator]
) -> None:
    assert emulator("WorkerFunction").invoke(EVENTS["worker"]) == {"batchItemFailures": []}


@pytest.mark.parametrize("name", ROUTE_EVENTS)
def test_each_unchanged_sample_event_gets_its_documented_status(
    deployed: DeployedFunctions, name: str
) -> None:
    event = EVENTS[name]
    status, body = deployed.send(event)
    if "Authorization" in event["headers"] or name == "auth-login":
        assert (status, body["success"]) == (401, False), body
    elif name == "auth-plex-verify":
        assert (status, body["success"]) == (404, False), body
    else:
        assert 200 <= status < 300, body


@pytest.mark.parametrize("name", ROUTE_EVENTS)
def test_each_route_accepts_its_sample_event_with_real_values(
    deployed: DeployedFunctions, name: str
) -> None:
    status, body = deployed.send(deployed.with_real_values(name))
    assert 200 <= status < 300, body


@pytest.mark.parametrize("name", [name for name in OTHER_EVENTS if name.startswith("cleanup")])
def test_each_sample_event_of_a_schedule_runs_its_task(
    deployed: DeployedFunctions, emulator: Callable[[str], Emulator], name: str
) -> None:
    answer = emulator(function_of(name)).invoke(EVENTS[name])
    assert answer["task"] == EVENTS[name]["task"]
    assert answer["more"] is False


def test_a_second_run_of_the_migrations_applies_nothing(
    deployed: DeployedFunctions, emulator: Callable[[str], Emulator]
) -> None:
    assert emulator("MigrationsFunction").invoke(EVENTS["migrations"]) == {"applied": []}


def test_every_sample_event_was_sent() -> None:
    cleanup_events = {name for name in OTHER_EVENTS if name.startswith("cleanup")}
    others = {"migrations", "page", "rotation", *WORKER_EVENTS}
    # test_rotation.py sends the event of the rotation, test_deployment.py that of the page.
    assert EVENTS.keys() == {*others, *cleanup_events, *ROUTE_EVENTS}
