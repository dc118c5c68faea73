"""Bulk decisions: one call decides many requests."""

import itertools
import json
from typing import Any

import psycopg
import pytest

from medianest.audit import repository as audit_repository
from tests.support.api import Answer, call

type Db = psycopg.Connection[tuple[Any, ...]]

FILMS = [603, 27205, 157336, 13, 238, 155, 680, 550]
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def post_request(token: str, number: int) -> str:
    body = {"mediaType": "movie", "tmdbId": FILMS[number]}
    answer = call("POST", "/api/media/request", token=token, body=body)
    assert answer.status == 201, answer.text
    return str(answer.data["id"])


def decide(token: str, decision: str, ids: list[str], **remarks: str) -> Answer:
    if decision == "decline":
        remarks = {"reason": "no room", **remarks}
    body = {"decision": decision, "ids": ids, **remarks}
    return call("POST", "/api/admin/requests/decisions", token=token, body=body)


def get_request(token: str, request_id: str) -> Any:
    return call("GET", f"/api/media/requests/{request_id}", token=token).data


def audited_decisions(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT action, user_id::text, target_id, details FROM audit_logs"
        " WHERE action IN ('request.approved', 'request.declined') ORDER BY target_id"
    ).fetchall()


def snapshot(db: Db) -> list[list[tuple[Any, ...]]]:
    return [
        db.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall()
        for table in ("media_requests", "request_items", "audit_logs")
    ]


@pytest.fixture
def request_ids(people: dict[str, str]) -> list[str]:
    """Create requests of two users."""
    names = itertools.cycle(("bob", "carol"))
    return [
        post_request(people[name], number) for number, name in zip(range(6), names, strict=False)
    ]


class TestDecisions:
    @pytest.mark.parametrize(
        ("decision", "status", "remark"),
        [
            ("approve", "approved", {"note": "for the weekend"}),
            ("approve", "approved", {}),
            ("decline", "declined", {"reason": "no room"}),
        ],
    )
    def test_each_chosen_request_is_decided_and_audited(
        self,
        db: Db,
        people: dict[str, str],
        request_ids: list[str],
        decision: str,
        status: str,
        remark: dict[str, str],
    ) -> None:
        alice = call("GET", "/api/auth/me", token=people["alice"]).data["id"]
        chosen = request_ids[:4][::-1]
        answer = decide(people["alice"], decision, chosen, **remark)
        assert answer.status == 200
        assert answer.json == {
            "success": True,
            "data": [{"id": each, "status": status} for each in chosen],
        }
        for request_id, name in zip(request_ids, itertools.cycle(("bob", "carol")), strict=False):
            current = get_request(people[name], request_id)
            if request_id in chosen:
                assert (current["status"], current["processedBy"]) == (status, alice)
                assert current["processedAt"] >= current["requestedAt"]
                assert current.get("reason") == remark.get("reason")
            else:
                assert current["status"] == "pending"
                assert "processedBy" not in current
        assert audited_decisions(db) == [
            (f"request.{status}", alice, each, remark) for each in sorted(chosen)
        ]

    def test_bulk_and_single_decision_have_the_same_result(
        self, people: dict[str, str], request_ids: list[str]
    ) -> None:
        single = call(
            "POST",
            f"/api/admin/requests/{request_ids[0]}/decline",
            token=people["alice"],
            body={"reason": "no room"},
        ).data
        decide(people["alice"], "decline", [request_ids[2]])
        bulk = get_request(people["bob"], request_ids[2])
        differing = {"id", "title", "tmdbId", "posterPath", "year", "requestedAt", "processedAt"}
        assert single.keys() == bulk.keys()
        assert {key: single[key] for key in single.keys() - differing} == {
            key: bulk[key] for key in bulk.keys() - differing
        }

    def test_declined_titles_can_be_requested_and_approved_titles_cannot(
        self, people: dict[str, str], request_ids: list[str]
    ) -> None:
        decide(people["alice"], "decline", request_ids[:2])
        decide(people["alice"], "approve", request_ids[2:4])
        for number, status in enumerate((201, 201, 409, 409, 409, 409)):
            body = {"mediaType": "movie", "tmdbId": FILMS[number]}
            repeated = call("POST", "/api/media/request", token=people["alice"], body=body)
            assert repeated.status == status

    @pytest.mark.parametrize("decision", ["approve", "decline"])
    def test_undecidable_requests_get_an_error_at_their_position(
        self, db: Db, people: dict[str, str], request_ids: list[str], decision: str
    ) -> None:
        alice = people["alice"]
        decide(alice, "approve", [request_ids[0]])
        decide(alice, "decline", [request_ids[1]])
        call("DELETE", f"/api/media/requests/{request_ids[2]}", token=people["bob"])
        before = len(audited_decisions(db))
        ids = [
            request_ids[5],
            request_ids[1],
            UNKNOWN_ID,
            request_ids[0],
            request_ids[2],
            request_ids[3],
        ]
        answer = decide(alice, decision, ids)
        assert answer.status == 200
        assert [item["id"] for item in answer.data] == ids
        status = {"approve": "approved", "decline": "declined"}[decision]
        for item, code, details in (
            (answer.data[1], "INVALID_STATE", {"status": "declined", "processedByName": "alice"}),
            (answer.data[2], "NOT_FOUND", {}),
            (answer.data[3], "INVALID_STATE", {"status": "approved", "processedByName": "alice"}),
            (answer.data[4], "NOT_FOUND", {}),
        ):
            assert item.keys() == {"id", "error"}
            assert item["error"]["code"] == code
            assert item["error"]["message"]
            found = dict(item["error"].get("details", {}))
            assert (found.pop("processedAt", None) is not None) == (code == "INVALID_STATE")
            assert found == details
        for item in (answer.data[0], answer.data[5]):
            assert item == {"id": item["id"], "status": status}
        assert len(audited_decisions(db)) == before + 2
        repeated = decide(alice, decision, ids)
        assert all("error" in item for item in repeated.data)
        assert len(audited_decisions(db)) == before + 2

    def test_each_decision_is_counted_once_in_the_metric(
        self, people: dict[str, str], request_ids: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        decide(people["alice"], "approve", [request_ids[0]])
        capsys.readouterr()
        decide(people["alice"], "approve", request_ids[:3])
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["RequestDecided"] for line in lines if "RequestDecided" in line] == [[2]]
        decide(people["alice"], "approve", request_ids[:3])
        assert "RequestDecided" not in capsys.readouterr().out

    def test_number_of_statements_does_not_depend_on_the_number_of_requests(
        self, people: dict[str, str], request_ids: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statements: list[object] = []
        execute = psycopg.Connection.execute

        def counted(self: Db, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append(query)
            return execute(self, query, *args, **kwargs)

        monkeypatch.setattr(psycopg.Connection, "execute", counted)
        counts = []
        for chosen in (request_ids[:1], request_ids[1:]):
            statements.clear()
            decide(people["alice"], "decline", chosen)
            counts.append(len(statements))
        assert counts[0] == counts[1] > 0

    def test_no_request_is_decided_when_the_transaction_fails(
        self,
        db: Db,
        people: dict[str, str],
        request_ids: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = snapshot(db)
        original = audit_repository.record_each

        def fail_late(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            raise RuntimeError("no room for another row")

        with monkeypatch.context() as patched:
            patched.setattr(audit_repository, "record_each", fail_late)
            answer = decide(people["alice"], "decline", request_ids)
        assert answer.code == "INTERNAL_ERROR"
        assert snapshot(db) == before
        assert all(
            "status" in item for item in decide(people["alice"], "decline", request_ids).data
        )


class TestBody:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"decision": "approve"}, "body.ids"),
            ({"ids": [UNKNOWN_ID]}, "body.decision"),
            ({"decision": "approved", "ids": [UNKNOWN_ID]}, "body.decision"),
            ({"decision": "approve", "ids": []}, "body.ids"),
            ({"decision": "approve", "ids": UNKNOWN_ID}, "body.ids"),
            ({"decision": "approve", "ids": [UNKNOWN_ID, UNKNOWN_ID]}, "body.ids"),
            ({"decision": "approve", "ids": [UNKNOWN_ID, UNKNOWN_ID.upper()]}, "body.ids"),
            ({"decision": "approve", "ids": [UNKNOWN_ID, "1"]}, "body.ids.1"),
            ({"decision": "approve", "ids": [7]}, "body.ids.0"),
            ({"decision": "approve", "ids": [None]}, "body.ids.0"),
            (
                {
                    "decision": "approve",
                    "ids": [f"{number:08x}{UNKNOWN_ID[8:]}" for number in range(101)],
                },
                "body.ids",
            ),
            ({"decision": "approve", "ids": [UNKNOWN_ID], "reason": "no"}, "body.reason"),
            ({"decision": "decline", "ids": [UNKNOWN_ID]}, "body.reason"),
            ({"decision": "decline", "ids": [UNKNOWN_ID], "reason": None}, "body.reason"),
            ({"decision": "decline", "ids": [UNKNOWN_ID], "reason": " "}, "body.reason"),
            ({"decision": "decline", "ids": [UNKNOWN_ID], "reason": "x" * 501}, "body.reason"),
            (
                {"decision": "decline", "ids": [UNKNOWN_ID], "reason": "no", "note": "x"},
                "body.note",
            ),
            ({"decision": "approve", "ids": [UNKNOWN_ID], "note": "x" * 501}, "body.note"),
            ({"decision": "approve", "ids": [UNKNOWN_ID], "status": "approved"}, "body.status"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_invalid_body_is_refused_with_its_field(
        self,
        db: Db,
        people: dict[str, str],
        request_ids: list[str],
        body: dict[str, Any],
        field: str,
    ) -> None:
        before = snapshot(db)
        path = "/api/admin/requests/decisions"
        answer = call("POST", path, token=people["alice"], body=body)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == [field]
        assert snapshot(db) == before

    def test_one_hundred_requests_are_accepted(
        self, people: dict[str, str], request_ids: list[str]
    ) -> None:
        ids = [f"{number:08x}{UNKNOWN_ID[8:]}" for number in range(94)] + request_ids
        answer = decide(people["alice"], "approve", ids)
        assert [item["id"] for item in answer.data] == ids
        decided = [item["id"] for item in answer.data if "status" in item]
        assert decided == request_ids
