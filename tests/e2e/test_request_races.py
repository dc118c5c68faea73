"""Concurrent creation, decision and cancellation of requests, served by many processes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, Db
from tests.support.api import ROOT, Answer
from tests.support.concurrency import at_once, codes
from tests.support.local import LocalService

USERS = CROWD[:12]
THRONES = 1399  # has eight seasons
CATALOGUE = json.loads((ROOT / "local/standins/tmdb/catalogue.json").read_text())
MOVIES = [movie["id"] for movie in CATALOGUE["movies"]]
# The films of each test, all different.
QUOTA_FILMS, BULK_FILMS, DELETION_FILMS, DECISION_FILMS = (
    MOVIES[:10],
    MOVIES[10:20],
    MOVIES[20:26],
    MOVIES[26:32],
)
DECISION_ACTIONS = "('request.approved', 'request.declined', 'request.cancelled')"


@dataclass
class Crowded:
    """A service with signed-in users, and its database."""

    http: LocalService
    tokens: dict[str, str]
    db: Db
    plex_url: str

    def call(self, name: str, method: str, path: str, body: Any = None) -> Answer:
        return self.http.patiently(method, path, token=self.tokens[name], body=body)

    def give_role(self, name: str, role: str) -> None:
        """Change the role of a user, which ends their sessions, and sign the user in again."""
        path = f"/api/admin/users/{self.id_of(name)}"
        assert self.call(USERS[0], "PATCH", path, {"role": role}).status == 200
        self.tokens[name] = self.http.sign_in(self.plex_url, name)

    def post_request(self, name: str, body: dict[str, Any]) -> Answer:
        return self.call(name, "POST", "/api/media/request", body)

    def film(self, name: str, number: int) -> Answer:
        return self.post_request(name, {"mediaType": "movie", "tmdbId": number})

    def cancel(self, name: str, request_id: str) -> Answer:
        return self.call(name, "DELETE", f"/api/media/requests/{request_id}")

    def decide(self, name: str, request_id: str, decision: str) -> Answer:
        body = {"reason": "no"} if decision == "decline" else {}
        return self.call(name, "POST", f"/api/admin/requests/{request_id}/{decision}", body)

    def bulk(self, name: str, decision: str, ids: list[str]) -> Answer:
        body = {"decision": decision, "ids": ids}
        if decision == "decline":
            body["reason"] = "no"
        return self.call(name, "POST", "/api/admin/requests/decisions", body)

    def id_of(self, name: str) -> str:
        return str(self.call(name, "GET", "/api/auth/me").data["id"])

    def rows(self, query: str, *params: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(query.encode(), params).fetchall()

    def effects(self, request_id: str) -> list[str]:
        """Return the decisions on a request in the audit log."""
        return [
            str(action)
            for (action,) in self.rows(
                "SELECT action FROM audit_logs WHERE target_id = %s AND action IN "
                + DECISION_ACTIONS,
                request_id,
            )
        ]


@pytest.fixture(scope="module")
def crowd(crowd_plex: str, raced: tuple[LocalService, Db]) -> Crowded:
    """Sign users in; USERS[0] and USERS[1] are admins."""
    running, db = raced
    tokens = {name: running.sign_in(crowd_plex, name) for name in USERS}
    crowd = Crowded(running, tokens, db, crowd_plex)
    crowd.give_role(USERS[1], "admin")
    return crowd


def test_each_season_is_held_once_when_ten_users_request_overlapping_seasons(
    crowd: Crowded,
) -> None:
    subsets = [
        [1, 2, 3], [3, 2], [4, 3, 2, 1], [5, 4], [8, 7, 6, 5], [6, 7], [1, 8], [2, 4, 6, 8],
        [7, 5, 3, 1], [8, 1],
    ]  # fmt: skip
    responses = at_once(
        [
            partial(
                crowd.post_request,
                name,
                {"mediaType": "tv", "tmdbId": THRONES, "seasons": seasons},
            )
            for name, seasons in zip(USERS[2:], subsets, strict=True)
        ]
    )
    assert codes(responses).keys() <= {"201", "ALREADY_REQUESTED"}
    created = [response.data for response in responses if response.status == 201]
    held = sorted(season for request in created for season in request["seasons"])
    assert held == [1, 2, 3, 4, 5, 6, 7, 8]
    for response, requested in zip(responses, subsets, strict=True):
        if response.status == 201:
            skipped = response.data.get("skippedSeasons", [])
            assert response.data["seasons"]
            assert sorted(response.data["seasons"] + skipped) == sorted(requested)
    # A refused call leaves no request, and each request holds at least one season.
    rows = crowd.rows(
        "SELECT r.id::text, array_agg(i.season ORDER BY i.season) FROM media_requests r"
        " LEFT JOIN request_items i ON i.request_id = r.id WHERE r.tmdb_id = %s GROUP BY r.id",
        THRONES,
    )
    assert sorted(rows) == sorted((request["id"], request["seasons"]) for request in created)


def test_two_of_ten_concurrent_requests_pass_when_the_quota_has_two_left(crowd: Crowded) -> None:
    name = USERS[2]
    quota = {"movies": {"limit": 2, "days": 7}, "seasons": {"limit": 3, "days": 7}}
    path = f"/api/admin/users/{crowd.id_of(name)}"
    assert crowd.call(USERS[0], "PATCH", path, {"quota": quota}).status == 200
    responses = at_once([partial(crowd.film, name, number) for number in QUOTA_FILMS])
    assert codes(responses) == {"201": 2, "QUOTA_EXCEEDED": 8}
    for response in responses:
        if response.status == 403:
            assert (response.details["used"], response.details["limit"]) == (2, 2)
    stored = crowd.rows(
        "SELECT count(*) FROM media_requests WHERE user_id = %s AND media_type = 'movie'",
        crowd.id_of(name),
    )
    assert stored == [(2,)]
    # A refused call does not reserve the title: another user can request it.
    refused_film = next(
        number
        for number, response in zip(QUOTA_FILMS, responses, strict=True)
        if response.status == 403
    )
    assert crowd.film(USERS[3], refused_film).status == 201


@pytest.mark.parametrize("offset", range(len(DECISION_FILMS)))
def test_one_call_succeeds_when_approval_decline_and_cancellation_race(
    crowd: Crowded, offset: int
) -> None:
    owner, first, second = USERS[4], USERS[0], USERS[1]
    film = DECISION_FILMS[offset]
    request_id = crowd.film(owner, film).data["id"]
    jobs: list[Callable[[], Answer]] = [
        partial(crowd.decide, first, request_id, "approve"),
        partial(crowd.decide, second, request_id, "decline"),
        partial(crowd.cancel, owner, request_id),
        partial(crowd.cancel, first, request_id),
        partial(crowd.cancel, owner, request_id),
        partial(crowd.decide, second, request_id, "approve"),
    ]
    responses = at_once(jobs[offset:] + jobs[:offset])
    assert len([response for response in responses if response.status < 300]) == 1
    refused = codes([response for response in responses if response.status >= 300])
    [effect] = crowd.effects(request_id)
    items = crowd.rows("SELECT active FROM request_items WHERE request_id = %s", request_id)
    if effect == "request.cancelled":
        assert refused == {"NOT_FOUND": 5}
        assert items == []
    else:
        assert refused == {"INVALID_STATE": 5}
        assert items == [(effect == "request.approved",)]
        current = crowd.call(owner, "GET", f"/api/media/requests/{request_id}").data
        assert effect == f"request.{current['status']}"
    next_request = crowd.film(USERS[5], film)
    assert next_request.status == (409 if effect == "request.approved" else 201)


def test_each_request_is_decided_once_when_bulk_decisions_and_cancellations_race(
    crowd: Crowded,
) -> None:
    owner, first, second = USERS[6], USERS[0], USERS[1]
    ids = [crowd.film(owner, number).data["id"] for number in BULK_FILMS]
    responses = at_once(
        [
            partial(crowd.bulk, first, "approve", ids),
            partial(crowd.bulk, second, "decline", ids[::-1]),
            partial(crowd.bulk, first, "decline", ids[5:] + ids[:5]),
            partial(crowd.bulk, second, "approve", ids[5:] + ids[:5]),
            partial(crowd.cancel, owner, ids[0]),
            partial(crowd.cancel, owner, ids[-1]),
        ]
    )
    assert codes(responses[:4]) == {"200": 4}
    assert codes(responses[4:]).keys() <= {"204", "INVALID_STATE"}
    outcomes: dict[str, list[str]] = {each: [] for each in ids}
    winners: dict[str, str] = {}
    told: dict[str, set[str]] = {each: set() for each in ids}
    for name, response in zip((first, second, first, second), responses[:4], strict=True):
        for item in response.data:
            if "status" in item:
                outcomes[item["id"]].append(f"request.{item['status']}")
                winners[item["id"]] = name
            elif item["error"]["code"] == "INVALID_STATE":
                told[item["id"]].add(item["error"]["details"]["processedByName"])
    # The losers learn the name of the admin who was first.
    assert told == {each: {winners[each]} if each in winners else set() for each in ids}
    for request_id, response in zip((ids[0], ids[-1]), responses[4:], strict=True):
        if response.status == 204:
            outcomes[request_id].append("request.cancelled")
    for request_id in ids:
        assert len(outcomes[request_id]) == 1
        assert crowd.effects(request_id) == outcomes[request_id]


def test_user_is_deleted_while_decisions_and_requests_run(crowd: Crowded) -> None:
    # Deletion locks admins, the user, then their requests: another lock order would deadlock.
    first, second = USERS[0], USERS[1]
    for deleted_user, role in zip(USERS[8:12], ("user", "admin", "user", "admin"), strict=True):
        films = iter(DELETION_FILMS)
        ids = [crowd.film(deleted_user, next(films)).data["id"] for _ in range(3)]
        path = f"/api/admin/users/{crowd.id_of(deleted_user)}"
        crowd.give_role(deleted_user, role)
        responses = at_once(
            [
                partial(crowd.bulk, deleted_user, "approve", ids),
                partial(crowd.bulk, second, "decline", ids),
                partial(crowd.decide, first, ids[1], "decline"),
                partial(crowd.call, first, "DELETE", path),
                partial(crowd.cancel, deleted_user, ids[2]),
                partial(crowd.film, deleted_user, next(films)),
                partial(crowd.film, second, next(films)),
            ]
        )
        assert codes(responses).keys() <= {
            "200", "201", "204", "NOT_FOUND", "INVALID_STATE", "JWT_INVALID", "FORBIDDEN",
        }  # fmt: skip
        assert crowd.call(first, "GET", path).code == "NOT_FOUND"
        for request_id in ids:
            assert crowd.call(first, "GET", f"/api/media/requests/{request_id}").status == 404
            assert len(crowd.effects(request_id)) <= 1
        # The titles of the deleted user can be requested.
        assert crowd.cancel(second, responses[-1].data["id"]).status == 204
        for film in DELETION_FILMS:
            created = crowd.film(second, film)
            assert crowd.cancel(second, created.data["id"]).status == 204
