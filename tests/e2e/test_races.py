"""Many at once, served by many processes: PostgreSQL decides."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, OwnEngines
from tests.support.api import Answer
from tests.support.crowd import at_once, codes
from tests.support.local import LocalService, local_service


@pytest.fixture
def crowded(crowd_plex: str, tmp_path: Path, own_engines: OwnEngines) -> Iterator[LocalService]:
    environment = {
        "PLEX_CLIENT_ID": "races",
        "PLEX_API_URL": crowd_plex,
        "PLEX_AUTH_URL": f"{crowd_plex}/auth",
    }
    with (
        own_engines("races") as own,
        local_service(tmp_path / "data", environment={**own, **environment}) as running,
    ):
        yield running


def verify(service: LocalService, handle: str) -> Answer:
    return service.patiently("POST", "/api/auth/plex/verify", body={"pinId": handle})


def test_everything_at_once(crowded: LocalService, crowd_plex: str) -> None:
    # One service for all: its start is the slow part.
    tokens = first_sign_ins(crowded, crowd_plex)
    one_handle_many_times(crowded, crowd_plex)
    one_film_by_everybody(crowded, tokens)
    seasons_by_everybody(crowded, tokens)
    one_key_ten_times(crowded, tokens)
    approve_against_decline(crowded, tokens)
    one_refresh_of_ten(crowded, crowd_plex)
    one_setting_by_many(crowded, tokens["admin"])
    admins_who_demote_each_other(crowded, crowd_plex, tokens)


def first_sign_ins(service: LocalService, plex_url: str) -> dict[str, str]:
    handles = {name: service.begin(plex_url, name) for name in CROWD}
    answers = at_once([partial(verify, service, handle) for handle in handles.values()])
    assert codes(answers) == {"200": len(CROWD)}
    roles = Counter(answer.data["user"]["role"] for answer in answers)
    assert roles == {"admin": 1, "user": len(CROWD) - 1}
    return {
        "admin" if answer.data["user"]["role"] == "admin" else name: answer.data["token"]
        for name, answer in zip(handles, answers, strict=True)
    }


def one_handle_many_times(service: LocalService, plex_url: str) -> None:
    handle = service.begin(plex_url, CROWD[0])
    answers = at_once([lambda: verify(service, handle)] * 10)
    assert codes(answers) == {"200": 1, "PIN_EXPIRED": 9}


def ask(service: LocalService, token: str, body: Any, **options: Any) -> Answer:
    return service.patiently("POST", "/api/media/request", token=token, body=body, **options)


def one_film_by_everybody(service: LocalService, tokens: dict[str, str]) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    path = "/api/media/request"
    answers = at_once(
        [partial(service.call, "POST", path, token=token, body=body) for token in tokens.values()]
    )
    assert codes(answers) == {"201": 1, "ALREADY_REQUESTED": len(CROWD) - 1}
    listed = service.patiently("GET", "/api/admin/requests", token=tokens["admin"]).json
    assert listed["pagination"]["total"] == 1


def seasons_by_everybody(service: LocalService, tokens: dict[str, str]) -> None:
    subsets = [[1, 2], [2, 3], [3, 4], [4, 5], [5, 1], [1, 3, 5], [2, 4], [5, 4, 3], [1], [2]]
    answers = at_once(
        [
            partial(ask, service, token, {"mediaType": "tv", "tmdbId": 1396, "seasons": seasons})
            for token, seasons in zip(tokens.values(), subsets, strict=False)
        ]
    )
    assert codes(answers).keys() <= {"201", "ALREADY_REQUESTED"}
    held = [
        season for answer in answers if answer.status == 201 for season in answer.data["seasons"]
    ]
    assert sorted(held) == [1, 2, 3, 4, 5]
    for answer, asked in zip(answers, subsets, strict=True):
        if answer.status == 201:
            skipped = answer.data.get("skippedSeasons", [])
            assert sorted(answer.data["seasons"] + skipped) == sorted(asked)


def one_key_ten_times(service: LocalService, tokens: dict[str, str]) -> None:
    token = tokens["admin"]
    body = {"mediaType": "movie", "tmdbId": 27205}
    answers = at_once([lambda: ask(service, token, body, headers={"Idempotency-Key": "once"})] * 10)
    assert codes(answers).keys() <= {"201", "IDEMPOTENCY_IN_PROGRESS"}
    made = {answer.data["id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    again = ask(service, token, body, headers={"Idempotency-Key": "once"})
    assert again.data["id"] in made


def approve_against_decline(service: LocalService, tokens: dict[str, str]) -> None:
    admin = tokens["admin"]
    made = ask(service, admin, {"mediaType": "movie", "tmdbId": 157336}).data
    path = f"/api/admin/requests/{made['id']}"
    jobs = [
        lambda: service.patiently("POST", f"{path}/approve", token=admin, body={}),
        lambda: service.patiently("POST", f"{path}/decline", token=admin, body={"reason": "no"}),
    ]
    answers = at_once(jobs * 5)
    assert codes(answers) == {"200": 1, "INVALID_STATE": 9}
    winner = next(answer.data["status"] for answer in answers if answer.status == 200)
    assert {answer.details["status"] for answer in answers if answer.status == 409} == {winner}


def one_refresh_of_ten(service: LocalService, plex_url: str) -> None:
    token = service.sign_in(plex_url, CROWD[1])
    answers = at_once(
        [lambda: service.patiently("POST", "/api/auth/refresh", token=token, body={})] * 10
    )
    assert codes(answers) == {"200": 1, "JWT_INVALID": 9}
    assert service.call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"


def one_setting_by_many(service: LocalService, admin: str) -> None:
    def put(days: int) -> Answer:
        path, body = "/api/admin/config/audit.retention", {"value": {"days": days}}
        return service.patiently("PUT", path, token=admin, body=body)

    answers = at_once([partial(put, days) for days in range(100, 110)])
    assert codes(answers) == {"200": 10}
    logs = service.patiently(
        "GET", "/api/admin/audit-logs", token=admin, query={"action": "config.changed"}
    )
    changes = {row["details"]["from"]["days"]: row["details"]["to"]["days"] for row in logs.data}
    # Each tells what the one before it wrote, from the default to what holds now.
    days, order = 365, []
    while days in changes:
        days = changes[days]
        order.append(days)
    assert sorted(order) == list(range(100, 110))
    listed = service.patiently("GET", "/api/admin/config", token=admin).data
    holds = next(entry["value"] for entry in listed if entry["key"] == "audit.retention")
    assert holds == {"days": order[-1]}


def admins_who_demote_each_other(
    service: LocalService, plex_url: str, tokens: dict[str, str]
) -> None:
    first = tokens["admin"]
    other_name = next(name for name in tokens if name not in {"admin", CROWD[0], CROWD[1]})
    second = tokens[other_name]
    ids = [service.call("GET", "/api/auth/me", token=token).data["id"] for token in (first, second)]

    def change(token: str, user_id: str, role: str) -> Answer:
        path = f"/api/admin/users/{user_id}"
        return service.patiently("PATCH", path, token=token, body={"role": role})

    assert change(first, ids[1], "admin").status == 200
    second = service.sign_in(plex_url, other_name)  # the new role ended the session
    answers = at_once(
        [partial(change, first, ids[1], "user"), partial(change, second, ids[0], "user")]
    )
    assert codes(answers).keys() <= {"200", "LAST_ADMIN", "FORBIDDEN", "JWT_INVALID"}
    assert sum(answer.status == 200 for answer in answers) == 1
