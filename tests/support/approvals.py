"""Approvals by admins, the runs of the worker that follow, and what people see of them."""

import importlib
from typing import Any

import psycopg

from medianest.core.db import database
from medianest.jobs import runners, worker
from medianest.jobs import service as jobs_service
from tests.support import plex
from tests.support.api import Answer, call

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]}


def work() -> worker.RunResult:
    """Run what is due, as the worker does."""
    importlib.import_module("functions.worker.app")

    runners.prepare()
    return worker.run(lambda: 120.0)


def request(people: dict[str, str], body: dict[str, Any]) -> str:
    """Request a title as Bob; return the id of the request."""
    answer = call("POST", "/api/media/request", token=people["bob"], body=body)
    return str(answer.data["id"])


def approved(people: dict[str, str], body: dict[str, Any]) -> str:
    """Have a request of Bob approved; return its id."""
    request_id = request(people, body)
    answer = call("POST", f"/api/admin/requests/{request_id}/approve", token=people["alice"])
    assert answer.status == 200
    return request_id


def fulfilment(people: dict[str, str], request_id: str, name: str = "bob") -> dict[str, Any]:
    """Return the fulfilment of a request, as the person sees it."""
    found: dict[str, Any] = call(
        "GET", f"/api/media/requests/{request_id}", token=people[name]
    ).data["fulfilment"]
    return found


def for_admin(people: dict[str, str], request_id: str) -> dict[str, Any]:
    """Return the fulfilment of a request, as an admin sees it."""
    rows = call("GET", "/api/admin/requests", token=people["alice"]).data
    [found] = [row["fulfilment"] for row in rows if row["id"] == request_id]
    assert isinstance(found, dict)
    return found


def act(people: dict[str, str], request_id: str, action: str, body: Any = None) -> Answer:
    """Act on a request as an admin."""
    path = f"/api/admin/requests/{request_id}/{action}"
    return call("POST", path, token=people["alice"], body=body)


def retry(people: dict[str, str], request_id: str) -> Answer:
    """Retry a request as an admin."""
    return call("POST", f"/api/admin/requests/{request_id}/retry", token=people["alice"])


def withdraw(people: dict[str, str], request_id: str, reason: str) -> Answer:
    """Withdraw an approved request as an admin."""
    return call(
        "POST",
        f"/api/admin/requests/{request_id}/withdraw",
        token=people["alice"],
        body={"reason": reason},
    )


def adopt(token: str) -> Answer:
    """Hand over what was approved before."""
    return call("POST", "/api/admin/fulfilment/adopt", token=token, body={})


def import_file(url: str, **body: Any) -> None:
    """Give a server the file of a title."""
    plex.control(url, "POST", "import", body)


def check(db: Db) -> None:
    """Ask the servers for the files of what they have."""
    with database().transaction() as connection:
        jobs_service.enqueue_checks(connection)
    work()
