"""Many at once, served by many processes: PostgreSQL decides."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, OwnEngines
from tests.support.api import Answer
from tests.support.crowd import at_once, codes
from tests.support.local import LocalService, local_service


@dataclass
class Crowded:
    """A service whose first users all signed in at the same time, and their tokens by name."""

    http: LocalService
    plex_url: str
    sign_ins: dict[str, Answer]

    @property
    def tokens(self) -> dict[str, str]:
        return {name: answer.data["token"] for name, answer in self.sign_ins.items()}

    @property
    def admin(self) -> str:
        """Return the token of the only admin."""
        [token] = [
            answer.data["token"]
            for answer in self.sign_ins.values()
            if answer.data["user"]["role"] == "admin"
        ]
        return str(token)

    def ask(self, token: str, body: Any, **options: Any) -> Answer:
        path = "/api/media/request"
        return self.http.patiently("POST", path, token=token, body=body, **options)


@pytest.fixture(scope="module")
def crowded(
    crowd_plex: str, tmp_path_factory: pytest.TempPathFactory, own_engines: OwnEngines
) -> Iterator[Crowded]:
    """Run one service for all tests: its start is the slow part."""
    environment = {
        "PLEX_CLIENT_ID": "races",
        "PLEX_API_URL": crowd_plex,
        "PLEX_AUTH_URL": f"{crowd_plex}/auth",
    }
    data = tmp_path_factory.mktemp("races") / "data"
    with (
        own_engines("races") as own,
        local_service(data, environment={**own, **environment}) as running,
    ):
        handles = {name: running.begin(crowd_plex, name) for name in CROWD}
        answers = at_once([partial(verify, running, handle) for handle in handles.values()])
        yield Crowded(running, crowd_plex, dict(zip(handles, answers, strict=True)))


def verify(service: LocalService, handle: str) -> Answer:
    return service.patiently("POST", "/api/auth/plex/verify", body={"pinId": handle})


def test_first_sign_ins_at_once_make_one_admin(crowded: Crowded) -> None:
    answers = list(crowded.sign_ins.values())
    assert codes(answers) == {"200": len(CROWD)}
    roles = Counter(answer.data["user"]["role"] for answer in answers)
    assert roles == {"admin": 1, "user": len(CROWD) - 1}


def test_a_handle_used_ten_times_at_once_signs_in_once(crowded: Crowded) -> None:
    handle = crowded.http.begin(crowded.plex_url, CROWD[0])
    answers = at_once([lambda: verify(crowded.http, handle)] * 10)
    assert codes(answers) == {"200": 1, "PIN_EXPIRED": 9}


def test_a_film_requested_by_all_at_once_is_requested_once(crowded: Crowded) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    call = partial(crowded.http.call, "POST", "/api/media/request", body=body)
    answers = at_once([partial(call, token=token) for token in crowded.tokens.values()])
    assert codes(answers) == {"201": 1, "ALREADY_REQUESTED": len(CROWD) - 1}
    listed = crowded.http.patiently("GET", "/api/admin/requests", token=crowded.admin).json
    assert [each["tmdbId"] for each in listed["data"]].count(603) == 1


def test_overlapping_seasons_requested_at_once_are_requested_once(crowded: Crowded) -> None:
    subsets = [[1, 2], [2, 3], [3, 4], [4, 5], [5, 1], [1, 3, 5], [2, 4], [5, 4, 3], [1], [2]]
    answers = at_once(
        [
            partial(crowded.ask, token, {"mediaType": "tv", "tmdbId": 1396, "seasons": seasons})
            for token, seasons in zip(crowded.tokens.values(), subsets, strict=False)
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


def test_an_idempotency_key_used_ten_times_at_once_makes_one_request(crowded: Crowded) -> None:
    body = {"mediaType": "movie", "tmdbId": 27205}
    ask = partial(crowded.ask, crowded.admin, body, headers={"Idempotency-Key": "once"})
    answers = at_once([ask] * 10)
    assert codes(answers).keys() <= {"201", "IDEMPOTENCY_IN_PROGRESS"}
    made = {answer.data["id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    assert ask().data["id"] in made


def test_approvals_against_declines_at_once_decide_once(crowded: Crowded) -> None:
    made = crowded.ask(crowded.admin, {"mediaType": "movie", "tmdbId": 157336}).data
    path = f"/api/admin/requests/{made['id']}"
    post = partial(crowded.http.patiently, "POST", token=crowded.admin)
    jobs = [
        partial(post, f"{path}/approve", body={}),
        partial(post, f"{path}/decline", body={"reason": "no"}),
    ]
    answers = at_once(jobs * 5)
    assert codes(answers) == {"200": 1, "INVALID_STATE": 9}
    winner = next(answer.data["status"] for answer in answers if answer.status == 200)
    assert {answer.details["status"] for answer in answers if answer.status == 409} == {winner}


def test_of_ten_refreshes_at_once_one_succeeds(crowded: Crowded) -> None:
    service = crowded.http
    token = service.sign_in(crowded.plex_url, CROWD[1])
    refresh = partial(service.patiently, "POST", "/api/auth/refresh", token=token, body={})
    answers = at_once([refresh] * 10)
    assert codes(answers) == {"200": 1, "JWT_INVALID": 9}
    assert service.call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"


def test_changes_of_a_setting_at_once_follow_each_other(crowded: Crowded) -> None:
    service, admin = crowded.http, crowded.admin

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


def test_last_two_admins_who_demote_each_other_leave_one(crowded: Crowded) -> None:
    """The last test of this module: the admin may be none afterwards."""
    service, first = crowded.http, crowded.admin
    name = next(name for name in CROWD[2:] if crowded.tokens[name] != first)
    ids = [
        service.call("GET", "/api/auth/me", token=token).data["id"]
        for token in (first, crowded.tokens[name])
    ]

    def change(token: str, user_id: str, role: str) -> Answer:
        path = f"/api/admin/users/{user_id}"
        return service.patiently("PATCH", path, token=token, body={"role": role})

    assert change(first, ids[1], "admin").status == 200
    second = service.sign_in(crowded.plex_url, name)  # the new role ended the session
    answers = at_once(
        [partial(change, first, ids[1], "user"), partial(change, second, ids[0], "user")]
    )
    assert codes(answers).keys() <= {"200", "LAST_ADMIN", "FORBIDDEN", "JWT_INVALID"}
    assert sum(answer.status == 200 for answer in answers) == 1
