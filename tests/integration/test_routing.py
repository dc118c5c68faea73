"""Routing rules, the state of a server, and the runner of its inventory."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from local.standins.radarr.app import API_KEY
from medianest.arr.models import ArrError, Options
from medianest.jobs.models import Job, JobError
from medianest.servers import health, inventory, options, repository, routing
from medianest.servers.models import Server, TitleFacts
from medianest.servers.stored_schemas import HandoverOptions
from tests.support.api import Answer, call
from tests.support.arr import ArrStandin
from tests.support.rows import audited, count

type Db = psycopg.Connection[tuple[Any, ...]]

RULES = "/api/admin/routing-rules"
SERVERS = "/api/admin/servers"
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
FACTS = TitleFacts("movie", frozenset(), frozenset({16}), frozenset({"ja"}), frozenset({7}))


class Allowed:
    """A guard that allows every change."""

    def may_change(self) -> bool:
        return True


ALLOWED = Allowed()


@pytest.fixture
def admin(people: dict[str, str]) -> str:
    return people["alice"]


def add(token: str, name: str, **fields: Any) -> str:
    body = {"kind": "radarr", "name": name, "baseUrl": "https://a.example", "apiKey": API_KEY}
    return str(call("POST", SERVERS, token=token, body=body | fields).data["id"])


def put(token: str, *rules: dict[str, Any]) -> Answer:
    return call("PUT", RULES, token=token, body={"rules": list(rules)})


def rule(server: str, **fields: Any) -> dict[str, Any]:
    return {"mediaType": "movie", "serverId": server} | fields


def routed(db: Db, facts: TitleFacts = FACTS, chosen: str | None = None) -> str | None:
    found = routing.route(db, "radarr", facts, None if chosen is None else UUID(chosen))
    return None if found is None else found.server.name


def server_of(db: Db, server: str) -> Server:
    found = repository.get(db, UUID(server))
    assert found is not None
    return found


class TestRules:
    def test_rules_are_replaced_whole_and_keep_their_order(self, db: Db, admin: str) -> None:
        first, second = add(admin, "a"), add(admin, "b")
        wanted = [
            rule(second, conditions={"genreIds": [16], "anime": True}, options={"search": False}),
            rule(first, conditions={}, options={}),
        ]
        stored = put(admin, *wanted).data
        assert [{k: v for k, v in each.items() if k != "id"} for each in stored] == wanted
        assert call("GET", RULES, token=admin).data == stored
        put(admin, *wanted)
        assert put(admin).data == []
        details = [each[3] for each in audited(db, "routing_rules.changed")]
        assert [len(each["to"]) for each in details] == [2, 0]

    def test_a_call_whose_answer_was_lost_can_be_repeated(self, db: Db, admin: str) -> None:
        server, user = add(admin, "a"), str(uuid4())
        conditions = {"genreIds": [16], "userIds": [user], "anime": True, "languages": ["ja"]}
        body = {"rules": [rule(server, conditions=conditions, options={"tags": ["one"]})]}
        first, second = [
            call("PUT", RULES, token=admin, body=body | {"expected": []}) for _ in range(2)
        ]
        assert second.data == first.data
        other = {"rules": [rule(server)], "expected": []}
        assert call("PUT", RULES, token=admin, body=other).code == "EDIT_CONFLICT"
        changes = db.execute("SELECT count(*) FROM audit_logs WHERE action LIKE 'routing%'")
        assert changes.fetchone() == (1,)

    def test_a_bad_rule_is_named_and_no_rule_changes(self, db: Db, admin: str) -> None:
        server = add(admin, "a")
        put(admin, rule(server))
        answer = put(
            admin,
            rule(server, options={"seriesType": "anime"}),
            rule(UNKNOWN_ID),
            rule(server, mediaType="tv"),
        )
        assert [each["field"] for each in answer.details] == [
            "body.rules.0.options.seriesType",
            "body.rules.1.serverId",
            "body.rules.2.serverId",
        ]
        assert put(admin, *[rule(server)] * 51).code == "VALIDATION_ERROR"
        assert put(admin, *[rule(server)] * 50).status == 200
        assert count(db, "routing_rules") == 50

    def test_a_deleted_server_takes_its_rules_with_it(self, db: Db, admin: str) -> None:
        server = add(admin, "a")
        put(admin, rule(server))
        assert call("DELETE", f"/api/admin/servers/{server}", token=admin).status == 204
        assert count(db, "routing_rules") == 0


class TestRoute:
    def test_choice_then_rule_then_default_decides(self, db: Db, admin: str) -> None:
        assert routed(db) is None
        default, of_rule, other = (
            add(admin, "default", isDefault=True),
            add(admin, "rule"),
            add(admin, "other"),
        )
        assert routed(db) == "default"
        put(
            admin,
            rule(other, conditions={"languages": ["de"]}),
            rule(of_rule, conditions={"languages": ["de", "ja"], "genreIds": [16]}),
            rule(default),
        )
        assert routed(db) == "rule"
        assert routed(db, chosen=other) == "other"
        assert routed(db, chosen=UNKNOWN_ID) is None
        call("PATCH", f"/api/admin/servers/{of_rule}", token=admin, body={"enabled": False})
        assert routed(db) == "default"
        assert routed(db, chosen=of_rule) is None

    @pytest.mark.parametrize(
        ("conditions", "holds"),
        [
            ({}, True),
            ({"genreIds": [1, 16]}, True),
            ({"genreIds": [1]}, False),
            ({"keywordIds": [7]}, True),
            ({"keywordIds": [8]}, False),
            ({"userIds": [UNKNOWN_ID]}, False),
            ({"anime": False}, True),
            ({"anime": True}, False),
            ({"genreIds": [16], "languages": ["en"]}, False),
        ],
    )
    def test_all_conditions_of_a_rule_must_hold(
        self, db: Db, admin: str, conditions: dict[str, Any], holds: bool
    ) -> None:
        put(admin, rule(add(admin, "a"), conditions=conditions))
        assert (routed(db) is not None) == holds

    def test_options_of_the_rule_replace_those_of_the_server(self, db: Db, admin: str) -> None:
        of_server = {"qualityProfileId": 4, "rootFolderPath": "/films", "tags": ["a"]}
        server = add(admin, "a", options=of_server)
        put(admin, rule(server, options={"rootFolderPath": "/anime", "search": False}))
        found = routing.route(db, "radarr", FACTS, None)
        assert found is not None
        merged = options.merged(options.of(found.server), found.options)
        assert options.for_client(merged) == Options(4, "/anime", ("a",), search=False)

    def test_options_without_a_profile_are_misconfigured(self) -> None:
        with pytest.raises(ArrError) as caught:
            options.for_client(HandoverOptions())
        assert (caught.value.cls, caught.value.code) == ("misconfigured", "OPTIONS_MISSING")


class TestHealth:
    def test_the_third_failure_opens_the_circuit_and_a_success_closes_it(
        self, db: Db, admin: str
    ) -> None:
        server = add(admin, "a")
        fail = partial(health.failed, db, UUID(server), "unreachable", "CONNECTION_FAILED", "x")
        fail()
        fail()
        assert (server_of(db, server).state, server_of(db, server).open_until) == ("unknown", None)
        fail()
        opened = server_of(db, server)
        assert (opened.state, opened.failures) == ("unreachable", 3)
        # A call that began before counts nothing more.
        fail()
        assert server_of(db, server).failures == 3
        db.execute("UPDATE jobs SET run_at = now() + interval '1 day'")
        health.succeeded(db, UUID(server))
        closed = server_of(db, server)
        assert (closed.state, closed.failures, closed.open_until) == ("ok", 0, None)
        assert (closed.last_error, count(db, "jobs WHERE run_at <= now()")) == (None, 1)

    def test_a_dead_server_is_probed_each_minute_at_first_and_each_half_hour_at_last(
        self, db: Db, admin: str
    ) -> None:
        server = UUID(add(admin, "a"))
        pauses: list[timedelta] = []
        for _ in range(22):
            health.failed(db, server, "unreachable", "CONNECTION_FAILED", "x")
            row = db.execute("SELECT open_until - now() FROM download_servers").fetchone()
            assert row is not None
            pauses.append(row[0] or timedelta())
            db.execute("UPDATE download_servers SET open_until = now() - interval '1 s'")
        minutes = [round(each.total_seconds() / 60) for each in pauses]
        assert minutes == [0, 0, *[1] * 12, 2, 4, 8, 16, *[30] * 4]

    def test_a_misconfigured_server_stays_so_through_success_and_failure(
        self, db: Db, admin: str
    ) -> None:
        server = add(admin, "a")
        health.failed(db, UUID(server), "misconfigured", "KEY_REJECTED", "no")
        health.failed(db, UUID(server), "unreachable", "CONNECTION_FAILED", "x")
        health.succeeded(db, UUID(server))
        parked = server_of(db, server)
        assert (parked.state, parked.failures) == ("misconfigured", 0)
        assert parked.last_error == {"code": "KEY_REJECTED", "message": "no"}

    def test_an_answer_about_a_title_closes_the_circuit_and_doubt_tells_nothing(
        self, db: Db, admin: str
    ) -> None:
        server = add(admin, "a")
        health.failed(db, UUID(server), "unreachable", "CONNECTION_FAILED", "x")
        health.failed(db, UUID(server), "unsure", "NO_RESPONSE", "x")
        assert server_of(db, server).failures == 1
        health.failed(db, UUID(server), "never", "REJECTED", "x")
        assert (server_of(db, server).state, server_of(db, server).failures) == ("ok", 0)


class TestInventory:
    def job(self, db: Db, server: str) -> Job:
        row = db.execute("SELECT id, created_at, deadline_at FROM jobs").fetchone()
        assert row is not None
        return Job(row[0], "inventory", UUID(server), {}, 1, row[0], row[2], row[1], row[2], False)

    def test_a_run_stores_the_inventory_and_the_state(
        self, db: Db, admin: str, standin: ArrStandin
    ) -> None:
        server = add(admin, "a", baseUrl=standin.http.origin)
        inventory.run(self.job(db, server), ALLOWED)(db)
        found = server_of(db, server)
        assert found.state == "ok"
        assert found.inventory is not None
        assert "/media/films" in [each["path"] for each in found.inventory["rootFolders"]]

    def test_a_run_fails_with_the_class_of_the_failure(
        self, db: Db, admin: str, standin: ArrStandin
    ) -> None:
        server = add(admin, "a", baseUrl=standin.http.origin, apiKey="wrong-key-0000")
        job = self.job(db, server)
        with pytest.raises(JobError) as caught:
            inventory.run(job, ALLOWED)
        assert (caught.value.cls, caught.value.code) == ("misconfigured", "KEY_REJECTED")
        inventory.HANDLER.on_failed(db, job, caught.value)
        assert server_of(db, server).state == "misconfigured"

    def test_an_inventory_of_another_address_is_not_stored(
        self, db: Db, admin: str, standin: ArrStandin
    ) -> None:
        server = add(admin, "a", baseUrl=standin.http.origin)
        write = inventory.run(self.job(db, server), ALLOWED)
        db.execute("UPDATE download_servers SET base_url = 'https://other.example'")
        write(db)
        assert server_of(db, server).inventory is None

    def test_a_disabled_server_is_not_called(self, db: Db, admin: str, standin: ArrStandin) -> None:
        server = add(admin, "a", baseUrl="https://127.0.0.1:1025")
        db.execute("UPDATE download_servers SET enabled = false")
        inventory.run(self.job(db, server), ALLOWED)(db)
        assert server_of(db, server).state == "unknown"
