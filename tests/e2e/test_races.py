"""Concurrent calls that many processes serve: PostgreSQL decides which of them succeeds."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, Db
from tests.support.api import Answer
from tests.support.concurrency import at_once, codes
from tests.support.local import LocalService


@dataclass
class Crowd:
    """A service, and the responses to the concurrent first sign-ins of twenty users."""

    service: LocalService
    plex_url: str
    sign_ins: dict[str, Answer]

    @property
    def tokens(self) -> dict[str, str]:
        return {name: answer.data["token"] for name, answer in self.sign_ins.items()}

    @property
    def admin_name(self) -> str:
        return next(
            name for name, answer in self.sign_ins.items() if answer.data["user"]["role"] == "admin"
        )

    @property
    def admin(self) -> str:
        """Return the token of the first admin."""
        return self.tokens[self.admin_name]

    def post_request(self, token: str, body: Any, **options: Any) -> Answer:
        path = "/api/media/request"
        return self.service.patiently("POST", path, token=token, body=body, **options)


def verify(service: LocalService, handle: str) -> Answer:
    return service.patiently("POST", "/api/auth/plex/verify", body={"pinId": handle})


@pytest.fixture(scope="module")
def crowd(crowd_plex: str, raced: tuple[LocalService, Db]) -> Crowd:
    service, _ = raced
    handles = [service.begin(crowd_plex, name) for name in CROWD]
    responses = at_once([partial(verify, service, handle) for handle in handles])
    return Crowd(service, crowd_plex, dict(zip(CROWD, responses, strict=True)))


def test_exactly_one_of_twenty_concurrent_first_sign_ins_becomes_admin(crowd: Crowd) -> None:
    responses = list(crowd.sign_ins.values())
    assert codes(responses) == {"200": len(CROWD)}
    roles = Counter(response.data["user"]["role"] for response in responses)
    assert roles == {"admin": 1, "user": len(CROWD) - 1}


def test_sign_in_handle_works_once_when_ten_calls_use_it_at_once(crowd: Crowd) -> None:
    handle = crowd.service.begin(crowd.plex_url, CROWD[0])
    responses = at_once([lambda: verify(crowd.service, handle)] * 10)
    assert codes(responses) == {"200": 1, "PIN_EXPIRED": 9}


def test_one_of_twenty_concurrent_requests_for_the_same_film_is_created(crowd: Crowd) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    path = "/api/media/request"
    responses = at_once(
        [
            partial(crowd.service.call, "POST", path, token=token, body=body)
            for token in crowd.tokens.values()
        ]
    )
    assert codes(responses) == {"201": 1, "ALREADY_REQUESTED": len(CROWD) - 1}
    listed = crowd.service.patiently(
        "GET", "/api/admin/requests", token=crowd.admin, query={"limit": 100}
    ).data
    assert [item["tmdbId"] for item in listed].count(603) == 1


def test_each_season_is_held_once_when_requests_for_overlapping_seasons_race(crowd: Crowd) -> None:
    subsets = [[1, 2], [2, 3], [3, 4], [4, 5], [5, 1], [1, 3, 5], [2, 4], [5, 4, 3], [1], [2]]
    responses = at_once(
        [
            partial(
                crowd.post_request, token, {"mediaType": "tv", "tmdbId": 1396, "seasons": seasons}
            )
            for token, seasons in zip(crowd.tokens.values(), subsets, strict=False)
        ]
    )
    assert codes(responses).keys() <= {"201", "ALREADY_REQUESTED"}
    held = [
        season
        for response in responses
        if response.status == 201
        for season in response.data["seasons"]
    ]
    assert sorted(held) == [1, 2, 3, 4, 5]
    for response, requested in zip(responses, subsets, strict=True):
        if response.status == 201:
            skipped = response.data.get("skippedSeasons", [])
            assert sorted(response.data["seasons"] + skipped) == sorted(requested)


def test_one_request_is_created_when_ten_calls_share_an_idempotency_key(crowd: Crowd) -> None:
    body = {"mediaType": "movie", "tmdbId": 27205}
    post_once = partial(crowd.post_request, crowd.admin, body, headers={"Idempotency-Key": "once"})
    responses = at_once([post_once] * 10)
    assert codes(responses).keys() <= {"201", "IDEMPOTENCY_IN_PROGRESS"}
    created_ids = {response.data["id"] for response in responses if response.status == 201}
    assert len(created_ids) == 1
    assert post_once().data["id"] in created_ids


def test_one_decision_succeeds_when_approvals_and_declines_race(crowd: Crowd) -> None:
    service, admin = crowd.service, crowd.admin
    created = crowd.post_request(admin, {"mediaType": "movie", "tmdbId": 157336}).data
    path = f"/api/admin/requests/{created['id']}"
    decisions = [
        lambda: service.patiently("POST", f"{path}/approve", token=admin, body={}),
        lambda: service.patiently("POST", f"{path}/decline", token=admin, body={"reason": "no"}),
    ]
    responses = at_once(decisions * 5)
    assert codes(responses) == {"200": 1, "INVALID_STATE": 9}
    winner = next(response.data["status"] for response in responses if response.status == 200)
    assert {response.details["status"] for response in responses if response.status == 409} == {
        winner
    }


def test_one_of_ten_concurrent_refreshes_of_a_token_succeeds(crowd: Crowd) -> None:
    service = crowd.service
    token = service.sign_in(crowd.plex_url, CROWD[1])
    responses = at_once(
        [lambda: service.patiently("POST", "/api/auth/refresh", token=token, body={})] * 10
    )
    assert codes(responses) == {"200": 1, "JWT_INVALID": 9}
    assert service.call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"


def test_concurrent_changes_of_a_setting_are_audited_as_one_chain(crowd: Crowd) -> None:
    service, admin = crowd.service, crowd.admin

    def put(days: int) -> Answer:
        path, body = "/api/admin/config/audit.retention", {"value": {"days": days}}
        return service.patiently("PUT", path, token=admin, body=body)

    responses = at_once([partial(put, days) for days in range(100, 110)])
    assert codes(responses) == {"200": 10}
    logs = service.patiently(
        "GET", "/api/admin/audit-logs", token=admin, query={"action": "config.changed"}
    )
    changes = {row["details"]["from"]["days"]: row["details"]["to"]["days"] for row in logs.data}
    # Each change starts from the value that the previous one wrote, the first from the default.
    days, applied = 365, []
    while days in changes:
        days = changes[days]
        applied.append(days)
    assert sorted(applied) == list(range(100, 110))
    listed = service.patiently("GET", "/api/admin/config", token=admin).data
    current = next(entry["value"] for entry in listed if entry["key"] == "audit.retention")
    assert current == {"days": applied[-1]}


def test_one_of_two_admins_remains_when_they_demote_each_other(crowd: Crowd) -> None:
    service, plex_url, first_name = crowd.service, crowd.plex_url, crowd.admin_name
    other_name = next(name for name in CROWD[2:] if name != first_name)
    first, second = crowd.admin, crowd.tokens[other_name]
    ids = [service.call("GET", "/api/auth/me", token=token).data["id"] for token in (first, second)]

    def change(token: str, user_id: str, role: str) -> Answer:
        path = f"/api/admin/users/{user_id}"
        return service.patiently("PATCH", path, token=token, body={"role": role})

    assert change(first, ids[1], "admin").status == 200
    second = service.sign_in(plex_url, other_name)  # the new role ended the session
    responses = at_once(
        [partial(change, first, ids[1], "user"), partial(change, second, ids[0], "user")]
    )
    assert codes(responses).keys() <= {"200", "LAST_ADMIN", "FORBIDDEN", "JWT_INVALID"}
    assert sum(response.status == 200 for response in responses) == 1
    # The other tests need the first admin and valid tokens.
    if responses[1].status == 200:
        assert change(second, ids[0], "admin").status == 200
    for name in (first_name, other_name):
        crowd.sign_ins[name] = verify(service, service.begin(plex_url, name))
