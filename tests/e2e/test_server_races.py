"""Concurrent changes to servers and rules, served by many processes: the last one wins whole."""

from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import CROWD, Db
from tests.support.api import Answer
from tests.support.concurrency import at_once, codes
from tests.support.local import LocalService


class Racing:
    """A service with an admin, and its database."""

    def __init__(self, http: LocalService, token: str, db: Db) -> None:
        self.http = http
        self.token = token
        self.db = db

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.http.patiently(method, f"/api/admin/{path}", token=self.token, body=body)

    def add(self, name: str, **fields: Any) -> Answer:
        body = {"kind": "radarr", "name": name, "baseUrl": "https://a.example", "apiKey": "k" * 20}
        return self.call("POST", "servers", body | fields)

    def empty(self) -> None:
        self.db.execute("DELETE FROM jobs; DELETE FROM download_servers")


@pytest.fixture(scope="module")
def race(crowd_plex: str, raced: tuple[LocalService, Db]) -> Racing:
    running, db = raced
    return Racing(running, running.sign_in(crowd_plex, CROWD[0]), db)


def test_one_of_eight_defaults_is_left(race: Racing) -> None:
    race.empty()
    ids = [race.add(f"n{number}").data["id"] for number in range(8)]
    responses = at_once(
        [partial(race.call, "PATCH", f"servers/{each}", {"isDefault": True}) for each in ids]
    )
    assert codes(responses) == {"200": 8}
    left = race.db.execute("SELECT count(*) FROM download_servers WHERE is_default").fetchone()
    assert left == (1,)


def test_the_limit_of_servers_and_their_names_hold(race: Racing) -> None:
    race.empty()
    assert {race.add(f"m{number}").status for number in range(6)} == {201}
    names = [f"n{number // 2}" for number in range(12)]
    responses = at_once([partial(race.add, name, isDefault=True) for name in names])
    assert codes(responses) == {"201": 4, "VALIDATION_ERROR": 8}
    listed = race.call("GET", "servers").data
    assert len({each["name"] for each in listed}) == 10
    assert sum(each["isDefault"] for each in listed) == 1


def test_of_eight_lists_of_rules_one_is_left_whole(race: Racing) -> None:
    race.empty()
    server = race.add("n").data["id"]
    lists = [
        [
            {"mediaType": "movie", "serverId": server, "conditions": {"genreIds": [number + 1]}}
            for _ in range(number + 1)
        ]
        for number in range(8)
    ]
    responses = at_once(
        [partial(race.call, "PUT", "routing-rules", {"rules": rules}) for rules in lists]
    )
    assert codes(responses) == {"200": 8}
    left = [each["conditions"]["genreIds"][0] for each in race.call("GET", "routing-rules").data]
    assert left == [len(left)] * len(left) != []


def test_of_eight_lists_that_replace_the_same_one_is_taken(race: Racing) -> None:
    race.empty()
    server = race.add("n").data["id"]
    rule = {"mediaType": "movie", "serverId": server}
    seen = [each["id"] for each in race.call("PUT", "routing-rules", {"rules": [rule]}).data]
    lists = [[rule] * (number + 2) for number in range(8)]
    responses = at_once(
        [
            partial(race.call, "PUT", "routing-rules", {"rules": rules, "expected": seen})
            for rules in lists
        ]
    )
    assert codes(responses) == {"200": 1, "EDIT_CONFLICT": 7}
    [taken] = [each.data for each in responses if each.status == 200]
    assert race.call("GET", "routing-rules").data == taken


def test_a_change_that_races_a_deletion_is_done_before_it_or_not_found(race: Racing) -> None:
    race.empty()
    for number in range(5):
        server = race.add("n").data["id"]
        change, deletion = at_once(
            [
                partial(race.call, "PATCH", f"servers/{server}", {"name": f"m{number}"}),
                partial(race.call, "DELETE", f"servers/{server}"),
            ]
        )
        assert deletion.status == 204
        assert change.status in {200, 404}
        assert race.call("GET", "servers").data == []
