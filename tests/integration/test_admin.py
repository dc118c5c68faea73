"""Admins list and change users, list all requests and decide them."""

from typing import Any

import psycopg
import pytest
import redis

from tests.support import plex
from tests.support.api import Answer, call, id_of

type Db = psycopg.Connection[tuple[Any, ...]]

MATRIX = {"mediaType": "movie", "tmdbId": 603}
SHOW = {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]}
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"


def post_request(token: str, body: dict[str, Any] | None = None) -> Any:
    answer = call("POST", "/api/media/request", token=token, body=body or MATRIX)
    assert answer.status == 201, answer.text
    return answer.data


def decide(token: str, request_id: str, decision: str, body: Any = None) -> Answer:
    if decision == "decline" and body is None:
        body = {"reason": "no room"}
    return call("POST", f"/api/admin/requests/{request_id}/{decision}", token=token, body=body)


class TestListUsers:
    def users(self, token: str, **query: Any) -> Any:
        answer = call("GET", "/api/admin/users", token=token, query=query)
        assert answer.status == 200, answer.text
        return answer.json

    def names(self, token: str, **query: Any) -> list[str]:
        return [user["username"] for user in self.users(token, **query)["data"]]

    def test_all_users_are_listed_without_secrets(self, people: dict[str, str]) -> None:
        listed = self.users(people["alice"])
        assert [user["username"] for user in listed["data"]] == ["carol", "bob", "alice"]
        assert listed["pagination"]["total"] == 3
        keys = {"id", "email", "username", "role", "plexId", "createdAt", "updatedAt"}
        assert all(user.keys() == keys for user in listed["data"])

    def test_users_are_filtered_by_role_search_and_status(
        self, db: Db, people: dict[str, str]
    ) -> None:
        alice = people["alice"]
        assert self.names(alice, role="admin") == ["alice"]
        assert self.names(alice, role="user") == ["carol", "bob"]
        assert self.names(alice, search="AROL") == ["carol"]
        assert self.names(alice, search="bob@example") == ["bob"]
        db.execute("UPDATE users SET status = 'suspended' WHERE username = 'bob'")
        assert self.names(alice, status="suspended") == ["bob"]
        assert self.names(alice, status="active") == ["carol", "alice"]

    def test_users_are_sorted_by_the_requested_field(self, people: dict[str, str]) -> None:
        alice = people["alice"]
        assert self.names(alice, sort="username") == ["alice", "bob", "carol"]
        assert self.names(alice, sort="-username") == ["carol", "bob", "alice"]
        assert self.names(alice, sort="email") == ["alice", "bob", "carol"]
        assert self.names(alice, sort="createdAt") == ["alice", "bob", "carol"]

    def test_page_past_the_last_is_empty(self, people: dict[str, str]) -> None:
        alice = people["alice"]
        assert self.names(alice, limit=2, page=2) == ["alice"]
        assert self.names(alice, limit=2, page=3) == []

    @pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "a%e"])
    def test_search_does_not_interpret_patterns(self, people: dict[str, str], text: str) -> None:
        assert self.names(people["alice"], search=text) == []

    def test_search_finds_pattern_characters_in_names(self, db: Db, people: dict[str, str]) -> None:
        rename = "UPDATE users SET username_key = NULL, username = "
        db.execute(f"{rename} '100%_\\' WHERE username = 'bob'".encode())
        for text in ("100%", "0%_", "%_\\"):
            assert self.names(people["alice"], search=text) == ["100%_\\"]
        db.execute(f"{rename} '%_\\' WHERE username LIKE '100%'".encode())
        for text in ("%", "%_"):
            assert self.names(people["alice"], search=text) == ["%_\\"]

    def test_short_search_matches_any_part_of_names_and_email_addresses(
        self, db: Db, people: dict[str, str]
    ) -> None:
        alice = people["alice"]
        db.execute(
            "UPDATE users SET username = '山田太郎', email = 'ta@mail.example',"
            " username_key = NULL, email_key = NULL WHERE username = 'carol'"
        )
        assert self.names(alice, search="ob") == self.names(alice, search="B@") == ["bob"]
        assert self.names(alice, search="太郎") == self.names(alice, search="田") == ["山田太郎"]
        assert self.names(alice, search="l.") == ["山田太郎"]
        assert self.names(alice, search="ob", role="admin") == []
        assert self.names(alice, search="zz") == []
        assert self.users(alice, search="li", role="admin")["pagination"]["total"] == 1

    @pytest.mark.parametrize(
        "search",
        [
            "  jürg ",
            "ju\u0308rg",
            "JÜRG",
            "\uff4aürg",
            "j\u00fcrgen@BEISPIEL",
            "ü",
            "\u00a0rge\u00a0",
        ],
    )
    def test_search_ignores_case_and_unicode_form(
        self, people: dict[str, str], search: str
    ) -> None:
        body = {
            "email": "jürgen@beispiel.example",
            "username": "Ju\u0308rgen",
            "password": "Cellar-door_42",
            "role": "user",
        }
        created = call("POST", "/api/admin/users", token=people["alice"], body=body)
        assert created.data["username"] == "Jürgen"
        assert self.names(people["alice"], search=search) == ["Jürgen"]

    @pytest.mark.parametrize("search", ["", " ", "\u00a0\u2003"])
    def test_empty_search_is_refused(self, people: dict[str, str], search: str) -> None:
        answer = call("GET", "/api/admin/users", token=people["alice"], query={"search": search})
        assert (answer.status, answer.details[0]["field"]) == (400, "query.search")


class TestChangeUser:
    def change(self, token: str, user_id: str, **fields: Any) -> Answer:
        return call("PATCH", f"/api/admin/users/{user_id}", token=token, body=fields)

    def test_suspension_revokes_sessions_immediately_and_permanently(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])  # this call caches the session of bob
        answer = self.change(people["alice"], bob, status="suspended")
        assert (answer.status, answer.data["id"]) == (200, bob)
        for path in ("/api/auth/me", "/api/media/requests"):
            assert call("GET", path, token=people["bob"]).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
        assert self.change(people["alice"], bob, status="active").status == 200
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        token = plex.sign_in(plex_url, "bob")["token"]
        assert call("GET", "/api/auth/me", token=token).status == 200

    def test_new_role_applies_immediately_and_revokes_sessions(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        assert call("GET", "/api/admin/users", token=people["bob"]).code == "FORBIDDEN"
        assert self.change(people["alice"], bob, role="admin").data["role"] == "admin"
        assert call("GET", "/api/admin/users", token=people["bob"]).code == "JWT_INVALID"
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        signed_in = plex.sign_in(plex_url, "bob")
        assert signed_in["user"]["role"] == "admin"
        assert call("GET", "/api/admin/users", token=signed_in["token"]).status == 200
        alice = id_of(people["alice"])
        assert self.change(signed_in["token"], alice, role="user").status == 200
        for path in ("/api/admin/users", "/api/auth/me"):
            assert call("GET", path, token=people["alice"]).code == "JWT_INVALID"
        assert plex.sign_in(plex_url, "alice")["user"]["role"] == "user"

    @pytest.mark.parametrize("change", ["role = 'user'", "status = 'suspended'"])
    def test_a_cached_session_of_an_admin_does_not_replace_the_row(
        self, db: Db, people: dict[str, str], change: str
    ) -> None:
        for path in ("/api/auth/me", "/api/admin/users"):  # the first call caches the session
            assert call("GET", path, token=people["alice"]).status == 200
        # Not by the API, which would also end the session.
        db.execute(f"UPDATE users SET {change} WHERE username = 'alice'".encode())
        answer = call("GET", "/api/admin/users", token=people["alice"])
        assert answer.code == ("FORBIDDEN" if "role" in change else "JWT_INVALID")

    def test_a_cached_session_of_another_user_is_refused_without_its_row(
        self, db: Db, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        assert call("GET", "/api/admin/users", token=people["bob"]).code == "FORBIDDEN"
        db.execute("UPDATE users SET role = 'admin' WHERE username = 'bob'")
        assert call("GET", "/api/admin/users", token=people["bob"]).code == "FORBIDDEN"
        assert keys.delete(*keys.scan_iter("session:*"))
        assert call("GET", "/api/admin/users", token=people["bob"]).status == 200

    @pytest.mark.parametrize("fields", [{"role": "user"}, {"status": "suspended"}])
    def test_last_active_admin_cannot_be_demoted_or_suspended(
        self, db: Db, people: dict[str, str], fields: dict[str, str]
    ) -> None:
        alice = id_of(people["alice"])
        answer = self.change(people["alice"], alice, **fields)
        assert (answer.status, answer.code) == (409, "LAST_ADMIN")
        assert call("GET", "/api/admin/users", token=people["alice"]).status == 200
        self.change(people["alice"], id_of(people["bob"]), role="admin")
        assert self.change(people["alice"], alice, **fields).status == 200

    def test_change_is_audited_with_previous_and_new_value(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bob, alice = id_of(people["bob"]), id_of(people["alice"])
        self.change(people["alice"], bob, role="admin")
        audited = db.execute(
            "SELECT user_id::text, target_id, details FROM audit_logs WHERE action = 'user.changed'"
        ).fetchall()
        assert audited == [(alice, bob, {"role": {"from": "user", "to": "admin"}})]

    def test_unchanged_values_are_not_audited(self, db: Db, people: dict[str, str]) -> None:
        bob, alice = id_of(people["bob"]), id_of(people["alice"])
        quota = {"movies": {"limit": 1, "days": 7}}
        before = self.change(people["alice"], bob, quota=quota).data
        written = db.execute("SELECT count(*) FROM audit_logs").fetchone()
        for fields in (
            {"role": "user", "status": "active"},
            {"quota": quota},
            {"quota": {"seasons": None}},
        ):
            answer = self.change(people["alice"], bob, **fields)
            assert (answer.status, answer.data) == (200, before)
        # The last admin may send their current role and status.
        repeated = self.change(people["alice"], alice, role="admin", status="active")
        assert (repeated.status, repeated.data["id"]) == (200, alice)
        assert db.execute("SELECT count(*) FROM audit_logs").fetchone() == written
        # The audit row of a change has only the fields that differ.
        self.change(people["alice"], bob, role="user", status="suspended", quota=quota)
        audited = db.execute(
            "SELECT details FROM audit_logs WHERE action = 'user.changed' ORDER BY created_at"
        ).fetchall()
        assert audited[1:] == [({"status": {"from": "active", "to": "suspended"}},)]

    @pytest.mark.parametrize(
        "fields",
        [{"role": "root"}, {"status": "gone"}, {"email": "x@example.com"}, {"id": UNKNOWN_ID}, {}],
    )
    def test_invalid_or_unknown_fields_are_refused(
        self, people: dict[str, str], fields: dict[str, str]
    ) -> None:
        answer = self.change(people["alice"], id_of(people["bob"]), **fields)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")

    def test_change_of_an_unknown_user_gets_404(self, people: dict[str, str]) -> None:
        assert self.change(people["alice"], UNKNOWN_ID, role="admin").code == "NOT_FOUND"

    def test_admin_revokes_all_sessions_of_a_user(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        second = plex.sign_in(plex_url, "bob")["token"]
        call("GET", "/api/auth/me", token=second)
        answer = call("DELETE", f"/api/admin/users/{bob}/sessions", token=people["alice"])
        assert answer.status == 204
        for token in (people["bob"], second):
            assert call("GET", "/api/auth/me", token=token).code == "JWT_INVALID"
        for name in ("alice", "carol"):
            assert call("GET", "/api/auth/me", token=people[name]).status == 200
        # No session is left: nothing is audited.
        repeated = call("DELETE", f"/api/admin/users/{bob}/sessions", token=people["alice"])
        assert repeated.status == 204
        audited = db.execute(
            "SELECT target_id, details FROM audit_logs WHERE action = 'session.revoked'"
        ).fetchall()
        assert audited == [(bob, {"sessions": 2})]
        missing = call("DELETE", f"/api/admin/users/{UNKNOWN_ID}/sessions", token=people["alice"])
        assert missing.code == "NOT_FOUND"


class TestListRequests:
    def test_requests_of_all_users_are_listed_with_the_requester(
        self, people: dict[str, str]
    ) -> None:
        first, second = post_request(people["bob"]), post_request(people["carol"], SHOW)
        answer = call("GET", "/api/admin/requests", token=people["alice"]).json
        assert [item["id"] for item in answer["data"]] == [second["id"], first["id"]]
        assert answer["data"][0]["requester"]["username"] == "carol"
        assert answer["data"][0]["seasons"] == [1, 2]
        assert {**answer["data"][1]} == {
            **first,
            "requester": {
                "id": first["userId"],
                "username": "bob",
                "email": "bob@example.com",
            },
        }

    def test_requests_are_filtered_by_user_status_and_media_type(
        self, people: dict[str, str]
    ) -> None:
        film, show = post_request(people["bob"]), post_request(people["carol"], SHOW)
        decide(people["alice"], film["id"], "approve")

        def ids(**query: Any) -> list[str]:
            answer = call("GET", "/api/admin/requests", token=people["alice"], query=query)
            return [item["id"] for item in answer.json["data"]]

        assert ids(userId=film["userId"]) == [film["id"]]
        assert ids(status="pending") == [show["id"]]
        assert ids(status="approved", mediaType="movie") == [film["id"]]
        assert ids(status="approved", mediaType="tv") == []
        assert ids(userId=UNKNOWN_ID) == []


class TestDecisions:
    def test_approval_is_stored_and_audited(self, db: Db, people: dict[str, str]) -> None:
        created = post_request(people["bob"])
        answer = decide(people["alice"], created["id"], "approve", {"note": "fine"})
        alice = call("GET", "/api/auth/me", token=people["alice"]).data
        assert answer.status == 200
        assert answer.data["status"] == "approved"
        assert answer.data["processedBy"] == alice["id"]
        assert answer.data["processedAt"] >= answer.data["requestedAt"]
        assert "reason" not in answer.data
        bobs_requests = call("GET", "/api/media/requests", token=people["bob"]).json["data"]
        assert bobs_requests == [answer.data]
        audited = db.execute(
            "SELECT user_id::text, target_id, details FROM audit_logs"
            " WHERE action = 'request.approved'"
        ).fetchall()
        assert audited == [(alice["id"], created["id"], {"note": "fine"})]

    def test_decline_returns_the_reason_and_releases_the_title(
        self, people: dict[str, str]
    ) -> None:
        created = post_request(people["bob"], SHOW)
        answer = decide(people["alice"], created["id"], "decline", {"reason": "no room"})
        assert answer.data["status"] == "declined"
        assert answer.data["reason"] == "no room"
        assert answer.data["seasons"] == [1, 2]
        assert post_request(people["carol"], SHOW)["seasons"] == [1, 2]

    def test_approved_title_cannot_be_requested_again(self, people: dict[str, str]) -> None:
        created = post_request(people["bob"])
        decide(people["alice"], created["id"], "approve")
        refused = call("POST", "/api/media/request", token=people["carol"], body=MATRIX)
        assert refused.code == "ALREADY_REQUESTED"

    @pytest.mark.parametrize("first", ["approve", "decline"])
    @pytest.mark.parametrize("second", ["approve", "decline"])
    def test_second_decision_on_a_request_is_refused(
        self, db: Db, people: dict[str, str], first: str, second: str
    ) -> None:
        created = post_request(people["bob"])
        decided = decide(people["alice"], created["id"], first).data
        audited = db.execute("SELECT count(*) FROM audit_logs").fetchone()
        repeated = decide(people["alice"], created["id"], second)
        assert (repeated.status, repeated.code) == (409, "INVALID_STATE")
        assert repeated.details == {
            "status": decided["status"],
            "processedAt": decided["processedAt"],
            "processedByName": "alice",
        }
        assert db.execute("SELECT count(*) FROM audit_logs").fetchone() == audited
        bobs_requests = call("GET", "/api/media/requests", token=people["bob"]).json["data"]
        assert bobs_requests == [decided]

    @pytest.mark.parametrize("decision", ["approve", "decline"])
    def test_decision_on_an_unknown_request_gets_404(
        self, people: dict[str, str], decision: str
    ) -> None:
        answer = decide(people["alice"], UNKNOWN_ID, decision)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")

    def test_users_cannot_approve_their_own_requests(self, people: dict[str, str]) -> None:
        created = post_request(people["bob"])
        assert decide(people["bob"], created["id"], "approve").code == "FORBIDDEN"
        alices_request = post_request(people["alice"], SHOW)
        assert decide(people["alice"], alices_request["id"], "approve").status == 200
