"""Media requests: details, cancellation, automatic approval, locks and lists."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from medianest.audit import repository as audit_repository
from medianest.core.caller import Caller
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.requests import create, decisions, service
from medianest.requests.decision_schemas import ApproveIn, DecisionsIn
from medianest.requests.schemas import RequestIn
from medianest.users.models import Principal
from tests.support.api import Answer, call, id_of
from tests.support.local import eventually
from tests.support.rows import audited, request_rows

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
SHOW = {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]}
FILMS = [603, 27205, 157336, 13, 238]
CALLER = Caller("test", "203.0.113.7", "tests")
EXPIRES_AT = datetime.now(UTC) + timedelta(days=1)
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def post(token: str, body: dict[str, Any] | None = None, **options: Any) -> Answer:
    return call("POST", "/api/media/request", token=token, body=body or MATRIX, **options)


def create_request(token: str, body: dict[str, Any] | None = None) -> Any:
    answer = post(token, body)
    assert answer.status == 201, answer.text
    return answer.data


def get_request(token: str, request_id: str) -> Answer:
    return call("GET", f"/api/media/requests/{request_id}", token=token)


def cancel(token: str, request_id: str) -> Answer:
    return call("DELETE", f"/api/media/requests/{request_id}", token=token)


def decide(token: str, request_id: str, decision: str) -> Answer:
    body = {"reason": "no room"} if decision == "decline" else {}
    return call("POST", f"/api/admin/requests/{request_id}/{decision}", token=token, body=body)


def configure(token: str, key: str, value: Any) -> None:
    answer = call("PUT", f"/api/admin/config/{key}", token=token, body={"value": value})
    assert answer.status == 200, answer.text


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Callable[[], Counter[str]]:
    """Return a function that counts the request metrics written since its last call."""

    def written() -> Counter[str]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        counted: Counter[str] = Counter()
        for line in lines:
            for name in ("RequestCreated", "RequestDecided", "RequestCancelled"):
                counted[name] += len(line.get(name, []))
        return +counted

    return written


class TestDetails:
    def test_details_equal_the_entry_of_the_list(self, people: dict[str, str]) -> None:
        for body in ({**MATRIX, "comment": "please"}, SHOW):
            created = create_request(people["bob"], body)
            answer = get_request(people["bob"], created["id"])
            assert answer.status == 200
            assert answer.data == created
        listed = call("GET", "/api/media/requests", token=people["bob"]).json["data"]
        assert answer.data == listed[0]

    def test_decided_request_shows_the_decision(self, people: dict[str, str]) -> None:
        created = create_request(people["bob"])
        declined = decide(people["alice"], created["id"], "decline").data
        assert get_request(people["bob"], created["id"]).data == declined
        assert declined["reason"] == "no room"

    def test_request_keeps_the_poster_and_the_year_of_its_title_in_every_response(
        self, people: dict[str, str]
    ) -> None:
        alice, bob = people["alice"], people["bob"]
        created = create_request(bob)
        approved = decide(alice, created["id"], "approve").data
        responses = [
            created,
            approved,
            get_request(bob, created["id"]).data,
            call("GET", "/api/media/requests", token=bob).data[0],
            call("GET", "/api/admin/requests", token=alice).data[0],
        ]
        expected = {"title": "The Matrix", "posterPath": "/matrix-poster.jpg", "year": 1999}
        assert [{key: each[key] for key in expected} for each in responses] == [expected] * 5

    def test_request_of_a_title_without_a_poster_has_none(self, people: dict[str, str]) -> None:
        created = create_request(people["bob"], {"mediaType": "movie", "tmdbId": 832})
        assert created["year"] == 1931
        assert "posterPath" not in created

    def test_repeated_call_returns_the_poster_and_the_year(self, people: dict[str, str]) -> None:
        headers = {"Idempotency-Key": "6f1c2a34"}
        first = post(people["bob"], headers=headers)
        repeated = post(people["bob"], headers=headers)
        assert repeated.data == first.data
        assert repeated.data["year"] == 1999

    def test_request_of_the_previous_release_has_neither_poster_nor_year(
        self, people: dict[str, str], db: Db
    ) -> None:
        db.execute(
            "INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
            " VALUES (%s, 'movie', 603, 'The Matrix')",
            (id_of(people["bob"]),),
        )
        (listed,) = call("GET", "/api/media/requests", token=people["bob"]).data
        assert listed["title"] == "The Matrix"
        assert not {"posterPath", "year"} & listed.keys()

    def test_request_of_another_user_is_refused_like_an_unknown_id(
        self, people: dict[str, str]
    ) -> None:
        created = create_request(people["bob"])
        refused, unknown = (
            get_request(people["carol"], created["id"]),
            get_request(people["carol"], UNKNOWN_ID),
        )
        assert (refused.status, refused.code) == (404, "NOT_FOUND")
        assert refused.json == unknown.json
        assert get_request(people["bob"], created["id"]).status == 200

    def test_admin_sees_every_request(self, people: dict[str, str]) -> None:
        created = create_request(people["bob"])
        assert get_request(people["alice"], created["id"]).data == created
        assert get_request(people["alice"], UNKNOWN_ID).code == "NOT_FOUND"

    def test_role_is_read_from_the_database_not_from_the_cache(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bobs_request, carols_request = (
            create_request(people["bob"]),
            create_request(people["carol"], SHOW),
        )
        for name in ("alice", "bob"):
            id_of(people[name])  # this caches their sessions with their current roles
        db.execute("UPDATE users SET role = 'user' WHERE username = 'alice'")
        db.execute("UPDATE users SET role = 'admin' WHERE username = 'bob'")
        assert get_request(people["alice"], bobs_request["id"]).code == "NOT_FOUND"
        assert cancel(people["alice"], bobs_request["id"]).code == "NOT_FOUND"
        assert get_request(people["bob"], carols_request["id"]).status == 200
        assert cancel(people["bob"], carols_request["id"]).status == 204

    def test_suspended_admin_with_a_cached_session_sees_only_their_own_requests(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bobs_request, alices_request = (
            create_request(people["bob"]),
            create_request(people["alice"], SHOW),
        )
        assert get_request(people["alice"], bobs_request["id"]).status == 200
        db.execute("UPDATE users SET status = 'suspended' WHERE username = 'alice'")
        assert get_request(people["alice"], bobs_request["id"]).code == "NOT_FOUND"
        assert get_request(people["alice"], alices_request["id"]).status == 200

    @pytest.mark.parametrize("request_id", ["1", "me", UNKNOWN_ID[:-1], "%00", UNKNOWN_ID + "0"])
    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_malformed_id_is_rejected(
        self, people: dict[str, str], method: str, request_id: str
    ) -> None:
        answer = call(method, f"/api/media/requests/{request_id}", token=people["bob"])
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == ["path.id"]


class TestCancel:
    def test_cancelled_request_is_deleted_and_its_title_can_be_requested(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        created = create_request(people["bob"])
        answer = cancel(people["bob"], created["id"])
        assert (answer.status, answer.text) == (204, "")
        assert get_request(people["bob"], created["id"]).code == "NOT_FOUND"
        assert call("GET", "/api/media/requests", token=people["bob"]).json["data"] == []
        assert request_rows(db)[:2] == [[], []]
        assert create_request(people["carol"])["title"] == "The Matrix"
        details = {"mediaType": "movie", "tmdbId": 603, "title": "The Matrix"}
        assert audited(db, "request.cancelled") == [(bob, "request", created["id"], details)]

    def test_cancelled_show_frees_its_seasons(self, db: Db, people: dict[str, str]) -> None:
        create_request(people["carol"], {**SHOW, "seasons": [3]})
        created = create_request(people["bob"], {**SHOW, "seasons": [2, 1]})
        assert cancel(people["bob"], created["id"]).status == 204
        carols_request = create_request(people["carol"], {**SHOW, "seasons": [1, 2, 3]})
        assert (carols_request["seasons"], carols_request["skippedSeasons"]) == ([1, 2], [3])
        [(_, _, _, details)] = audited(db, "request.cancelled")
        assert details["seasons"] == [1, 2]

    def test_request_of_another_user_is_refused_like_an_unknown_id(
        self, db: Db, people: dict[str, str]
    ) -> None:
        pending, approved = create_request(people["bob"]), create_request(people["bob"], SHOW)
        decide(people["alice"], approved["id"], "approve")
        before = request_rows(db)
        unknown = cancel(people["carol"], UNKNOWN_ID)
        for created in (pending, approved):
            answer = cancel(people["carol"], created["id"])
            assert (answer.status, answer.code) == (404, "NOT_FOUND")
            assert answer.json == unknown.json
        assert request_rows(db) == before
        assert cancel(people["bob"], pending["id"]).status == 204

    def test_admin_cancels_any_request_and_the_audit_log_names_its_owner(
        self, db: Db, people: dict[str, str]
    ) -> None:
        alice, bob = id_of(people["alice"]), id_of(people["bob"])
        bobs_request, alices_request = (
            create_request(people["bob"]),
            create_request(people["alice"], SHOW),
        )
        for created in (bobs_request, alices_request):
            assert cancel(people["alice"], created["id"]).status == 204
        first, second = audited(db, "request.cancelled")
        assert (first[0], first[2], first[3]["ownerId"]) == (alice, bobs_request["id"], bob)
        assert (second[0], second[2]) == (alice, alices_request["id"])
        assert "ownerId" not in second[3]

    @pytest.mark.parametrize("decision", ["approve", "decline"])
    @pytest.mark.parametrize("name", ["bob", "alice"])
    def test_decided_request_cannot_be_cancelled(
        self, db: Db, people: dict[str, str], decision: str, name: str
    ) -> None:
        created = create_request(people["bob"])
        decided = decide(people["alice"], created["id"], decision).data
        before = request_rows(db)
        answer = cancel(people[name], created["id"])
        assert (answer.status, answer.code) == (409, "INVALID_STATE")
        assert answer.details == {"status": decided["status"]}
        assert request_rows(db) == before

    @pytest.mark.parametrize("decision", ["approve", "decline"])
    def test_cancelled_request_cannot_be_decided(
        self, people: dict[str, str], decision: str
    ) -> None:
        created = create_request(people["bob"])
        cancel(people["bob"], created["id"])
        assert decide(people["alice"], created["id"], decision).code == "NOT_FOUND"
        assert cancel(people["bob"], created["id"]).code == "NOT_FOUND"

    def test_cancellation_is_counted_once(
        self, people: dict[str, str], metrics: Callable[[], Counter[str]]
    ) -> None:
        created = create_request(people["bob"])
        assert metrics() == {"RequestCreated": 1}
        for _ in range(2):
            cancel(people["bob"], created["id"])
        assert metrics() == {"RequestCancelled": 1}

    def test_cancellation_is_rolled_back_without_its_audit_row(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        created = create_request(people["bob"])
        before = request_rows(db)
        with monkeypatch.context() as patched:
            patched.setattr(audit_repository, "record", fail)
            assert cancel(people["bob"], created["id"]).code == "INTERNAL_ERROR"
        assert request_rows(db) == before
        assert cancel(people["bob"], created["id"]).status == 204


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("the audit row cannot be written")


class TestUserChangedSinceSignIn:
    """A cached session may be a minute old, so every write checks the user's row."""

    @pytest.mark.parametrize(
        "change", ["UPDATE users SET status = 'suspended'", "DELETE FROM users"]
    )
    def test_suspended_or_deleted_user_writes_nothing(
        self, db: Db, people: dict[str, str], change: str
    ) -> None:
        created = create_request(people["carol"])
        id_of(people["bob"])
        db.execute(f"{change} WHERE username = 'bob'".encode())
        before = request_rows(db)
        for answer in (post(people["bob"], SHOW), cancel(people["bob"], created["id"])):
            assert (answer.status, answer.code) == (401, "JWT_INVALID")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert request_rows(db) == before

    def test_reactivated_user_can_write_again(self, db: Db, people: dict[str, str]) -> None:
        id_of(people["bob"])
        for status, code in (("suspended", 401), ("active", 201)):
            db.execute("UPDATE users SET status = %s WHERE username = 'bob'", (status,))
            assert post(people["bob"], SHOW).status == code

    def test_demoted_admin_decides_nothing(self, db: Db, people: dict[str, str]) -> None:
        created = create_request(people["carol"])
        [session] = call("GET", "/api/auth/sessions", token=people["bob"]).data
        # Bob was an admin when he was authenticated.
        bob = Principal(UUID(id_of(people["bob"])), UUID(session["id"]), "admin", EXPIRES_AT)
        with pytest.raises(AppError) as caught:
            decisions.approve(UUID(created["id"]), ApproveIn(), bob, CALLER)
        assert caught.value.code is ErrorCode.FORBIDDEN
        assert get_request(people["carol"], created["id"]).data["status"] == "pending"


class TestCreate:
    @pytest.mark.parametrize(
        "extra",
        [
            {"status": "approved"},
            {"userId": UNKNOWN_ID},
            {"role": "admin"},
            {"requestedAt": "2020-01-01T00:00:00Z"},
            {"processedBy": UNKNOWN_ID},
            {"title": "Another title"},
            {"tmdb_id": 603},
        ],
        ids=str,
    )
    def test_unknown_field_is_rejected(
        self, db: Db, people: dict[str, str], extra: dict[str, str]
    ) -> None:
        answer = post(people["bob"], {**MATRIX, **extra})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == [f"body.{next(iter(extra))}"]
        assert request_rows(db)[0] == []
        created = create_request(people["bob"])
        assert (created["status"], created["userId"]) == ("pending", id_of(people["bob"]))
        assert created["title"] == "The Matrix"

    @pytest.mark.parametrize("first", [{}, {"comment": "a"}, {"comment": None, "seasons": None}])
    @pytest.mark.parametrize("second", [{}, {"comment": "b"}, {"comment": None, "seasons": None}])
    def test_duplicate_is_refused_whether_or_not_optional_fields_are_given(
        self, db: Db, people: dict[str, str], first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        show = {"mediaType": "tv", "tmdbId": 1396}
        for title in (MATRIX, show):
            create_request(people["bob"], {**title, **first})
            duplicate = post(people["carol"], {**title, **second})
            assert (duplicate.status, duplicate.code) == (409, "ALREADY_REQUESTED")
        with_all_seasons = post(people["carol"], {**show, "seasons": [1, 2, 3, 4, 5]})
        assert with_all_seasons.code == "ALREADY_REQUESTED"
        assert len(request_rows(db)[0]) == 2


class TestAutoApproval:
    @pytest.fixture
    def auto_approve_films(self, people: dict[str, str]) -> None:
        configure(people["alice"], "autoApprove.user", {"movie": True, "tv": False})

    @pytest.mark.usefixtures("auto_approve_films")
    def test_request_is_approved_on_creation(
        self, db: Db, people: dict[str, str], metrics: Callable[[], Counter[str]]
    ) -> None:
        bob = id_of(people["bob"])
        metrics()
        created = create_request(people["bob"])
        assert created["status"] == "approved"
        assert created["processedAt"] == created["requestedAt"]
        assert not {"processedBy", "reason"} & created.keys()
        assert get_request(people["bob"], created["id"]).data == created
        assert metrics() == {"RequestCreated": 1, "RequestDecided": 1}
        target = (bob, "request", created["id"])
        title = {"mediaType": "movie", "tmdbId": 603, "title": "The Matrix"}
        assert audited(db, "request.created") == [(*target, title)]
        assert audited(db, "request.approved") == [(*target, {"auto": True})]

    @pytest.mark.usefixtures("auto_approve_films")
    def test_automatic_approval_is_final_and_reserves_the_title(
        self, people: dict[str, str]
    ) -> None:
        created = create_request(people["bob"])
        assert cancel(people["bob"], created["id"]).details == {"status": "approved"}
        for decision in ("approve", "decline"):
            assert decide(people["alice"], created["id"], decision).code == "INVALID_STATE"
        assert post(people["carol"]).code == "ALREADY_REQUESTED"

    @pytest.mark.usefixtures("auto_approve_films")
    def test_setting_is_per_media_type_and_role(self, people: dict[str, str]) -> None:
        assert create_request(people["bob"], SHOW)["status"] == "pending"
        assert create_request(people["alice"])["status"] == "pending"
        configure(people["alice"], "autoApprove.admin", {"movie": False, "tv": True})
        assert create_request(people["alice"], {**SHOW, "seasons": [3]})["status"] == "approved"
        assert create_request(people["carol"], {**SHOW, "seasons": [4]})["status"] == "pending"

    def test_role_is_read_from_the_database_not_from_the_cache(
        self, db: Db, people: dict[str, str]
    ) -> None:
        configure(people["alice"], "autoApprove.admin", {"movie": True, "tv": False})
        id_of(people["bob"])
        db.execute("UPDATE users SET role = 'admin' WHERE username = 'bob'")
        assert create_request(people["bob"])["status"] == "approved"

    @pytest.mark.usefixtures("auto_approve_films")
    def test_repeated_call_with_the_same_key_decides_nothing_again(
        self, db: Db, people: dict[str, str], metrics: Callable[[], Counter[str]]
    ) -> None:
        key = {"Idempotency-Key": "k"}
        first = post(people["bob"], headers=key)
        metrics()
        second = post(people["bob"], headers=key)
        assert (second.status, second.json) == (201, first.json)
        assert metrics() == {}
        assert len(audited(db, "request.approved")) == 1


# Writes of a user whose row another transaction has locked; each takes the id of a request.
WRITES: dict[str, Callable[[UUID, Principal, Caller], object]] = {
    "create": lambda _, principal, caller: create.create(
        RequestIn.model_validate(SHOW), principal, caller, "key"
    ),
    "cancel": service.cancel,
    "approve": lambda created, principal, caller: decisions.approve(
        created, ApproveIn(), principal, caller
    ),
    "decline": lambda created, principal, caller: decisions.decline(
        created, "no", principal, caller
    ),
    "bulk": lambda created, principal, caller: decisions.decide(
        DecisionsIn(decision="approve", ids=[created]), principal, caller
    ),
}


class TestLocks:
    @pytest.fixture
    def long_lock_timeout(
        self,
        db: Db,
        environment: dict[str, str],
        reconnect: Callable[[], None],
        people: object,
    ) -> Iterator[None]:
        """Raise the lock timeout of the functions' connection, for a busy machine."""
        parts = urlsplit(environment["DATABASE_URL"])
        change = sql.SQL("ALTER ROLE {} IN DATABASE {} SET lock_timeout = {}")
        names = [sql.Identifier(str(parts.username)), sql.Identifier(parts.path[1:])]
        db.execute(change.format(*names, "20s"))
        reconnect()
        yield
        db.execute(change.format(*names, "1s"))
        reconnect()

    @pytest.mark.usefixtures("long_lock_timeout")
    @pytest.mark.parametrize("write", WRITES)
    def test_write_locks_the_acting_user_before_anything_else(
        self, db: Db, direct_url: str, people: dict[str, str], write: str
    ) -> None:
        created = create_request(people["alice"])
        [session] = call("GET", "/api/auth/sessions", token=people["alice"]).data
        alice = Principal(UUID(created["userId"]), UUID(session["id"]), "admin", EXPIRES_AT)
        with (
            ThreadPoolExecutor(1) as pool,
            psycopg.connect(direct_url) as holder,
            psycopg.connect(direct_url, autocommit=True) as observer,
        ):

            def waiting() -> Any:
                return observer.execute(
                    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                ).fetchone()

            def tables_written_to_while_waiting() -> list[tuple[Any, ...]]:
                (pid,) = eventually(waiting)
                tables = observer.execute(
                    "SELECT DISTINCT c.relname FROM pg_locks l JOIN pg_class c"
                    " ON c.oid = l.relation"
                    " WHERE l.pid = %s AND c.relkind = 'r' AND l.mode <> 'AccessShareLock'",
                    (pid,),
                ).fetchall()
                holder.rollback()
                return tables

            holder.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (alice.user_id,))
            tables = pool.submit(tables_written_to_while_waiting)
            WRITES[write](UUID(created["id"]), alice, CALLER)
            # One statement locks the user's and the session's row; no table is locked before it.
            assert sorted(tables.result(20)) == [("sessions",), ("users",)]


class TestLists:
    @pytest.fixture
    def created_requests(self, db: Db, people: dict[str, str]) -> list[Any]:
        """Create requests of three users in every state, some with equal times."""
        bodies = [{"mediaType": "movie", "tmdbId": number} for number in FILMS]
        bodies += [{**SHOW, "seasons": [season]} for season in range(1, 6)]
        names = itertools.cycle(("bob", "carol", "bob", "alice"))
        created_requests = [
            create_request(people[name], body) for name, body in zip(names, bodies, strict=False)
        ]
        for request, decision in zip(
            created_requests, itertools.cycle(("approve", "decline", "")), strict=False
        ):
            if decision:
                decide(people["alice"], request["id"], decision)
        db.execute("UPDATE media_requests SET requested_at = now() WHERE tmdb_id IN (603, 1396)")
        query = {"limit": 100}
        listed = call("GET", "/api/admin/requests", token=people["alice"], query=query)
        assert len(listed.json["data"]) == len(created_requests)
        rows: list[Any] = listed.json["data"]
        return rows

    def test_filters_can_be_combined(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        users = [*{item["userId"] for item in created_requests}, UNKNOWN_ID, None]
        states = ["pending", "approved", "declined", None]
        for user, state, kind in itertools.product(users, states, ["movie", "tv", None]):
            filters = {"userId": user, "status": state, "mediaType": kind}
            query = {name: value for name, value in filters.items() if value is not None}
            answer = call("GET", "/api/admin/requests", token=people["alice"], query=query)
            expected = [
                item
                for item in created_requests
                if all(item[name] == query[name] for name in query)
            ]
            assert answer.json["data"] == expected, query
            assert answer.json["pagination"]["total"] == len(expected)
            bobs_answer = call(
                "GET",
                "/api/media/requests",
                token=people["bob"],
                query={name: query[name] for name in query if name != "userId"},
            )
            bobs_id = next(
                item["userId"]
                for item in created_requests
                if item["requester"]["username"] == "bob"
            )
            if user == bobs_id:
                assert [item["id"] for item in bobs_answer.json["data"]] == [
                    item["id"] for item in expected
                ]

    @pytest.mark.parametrize("sort", ["requestedAt", "title"])
    @pytest.mark.parametrize("query", [{}, {"mediaType": "tv"}])
    def test_pages_follow_the_sort_order_and_its_reverse(
        self, people: dict[str, str], created_requests: list[Any], sort: str, query: dict[str, str]
    ) -> None:
        def ids(order: str, limit: int) -> list[str]:
            found: list[str] = []
            for page in itertools.count(1):
                answer = call(
                    "GET",
                    "/api/admin/requests",
                    token=people["alice"],
                    query={**query, "sort": order, "limit": limit, "page": page},
                )
                found += [item["id"] for item in answer.json["data"]]
                pagination = answer.json["pagination"]
                assert pagination["total"] == len(
                    [item for item in created_requests if query.items() <= item.items()]
                )
                assert pagination["hasNext"] == (len(found) < pagination["total"])
                if not pagination["hasNext"]:
                    return found
            raise AssertionError

        ascending = ids(sort, 100)
        assert len(set(ascending)) == len(ascending)
        assert ids(f"-{sort}", 100) == ascending[::-1]
        for limit in (1, 2, 3, 5):
            assert ids(sort, limit) == ascending
        keys = {item["id"]: item[sort].lower() for item in created_requests}
        assert [keys[each] for each in ascending] == sorted(keys[each] for each in ascending)

    def test_page_past_the_end_is_empty(
        self, people: dict[str, str], created_requests: list[Any]
    ) -> None:
        for page, limit in ((2, len(created_requests)), (3, 5), (1_000_000, 100)):
            answer = call(
                "GET",
                "/api/admin/requests",
                token=people["alice"],
                query={"page": page, "limit": limit},
            ).json
            assert answer["data"] == []
            assert answer["pagination"] == {
                "page": page,
                "limit": limit,
                "total": len(created_requests),
                "hasNext": False,
                "hasPrev": True,
            }
