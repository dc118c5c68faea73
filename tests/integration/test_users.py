"""Accounts: creation, details, changes, deletion and the list, by an admin."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from psycopg.types.json import Jsonb

from medianest.accounts import service as accounts
from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.caller import Caller
from medianest.core.db import database, database_unavailable
from medianest.sessions import repository as sessions_repository
from medianest.sessions.service import revoke_previous
from medianest.signin import passwords
from medianest.system_config.service import session_lifetimes
from medianest.users import repository
from medianest.users.models import Principal
from medianest.users.schemas import UserQuery
from tests.support import plex
from tests.support.api import Answer, call, id_of
from tests.support.local import eventually
from tests.support.rows import audited, count

type Db = psycopg.Connection[tuple[Any, ...]]

USERS = "/api/admin/users"
PASSWORD = "Cellar-door_42"
ACCOUNT = {"email": "dora@example.com", "username": "dora", "password": PASSWORD, "role": "user"}
FILM = {"mediaType": "movie", "tmdbId": 603}
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
MOVIES = {"movies": {"limit": 2, "days": 7}}
SEASONS = {"seasons": {"limit": None, "days": 30}}
CALLER = Caller("a call", "203.0.113.7", "tests")
VIEW = {"id", "email", "username", "role", "status", "createdAt", "updatedAt"}


def create(token: str, **fields: Any) -> Answer:
    return call("POST", USERS, token=token, body=ACCOUNT | fields)


def view(token: str, user_id: str) -> Answer:
    return call("GET", f"{USERS}/{user_id}", token=token)


def change(token: str, user_id: str, **fields: Any) -> Answer:
    return call("PATCH", f"{USERS}/{user_id}", token=token, body=fields)


def delete(token: str, user_id: str) -> Answer:
    return call("DELETE", f"{USERS}/{user_id}", token=token)


def demote(token: str, user_id: str) -> Answer:
    return change(token, user_id, role="user")


def end_sessions(token: str, user_id: str) -> Answer:
    return call("DELETE", f"{USERS}/{user_id}/sessions", token=token)


def change_setting(token: str) -> Answer:
    path = "/api/admin/config/audit.retention"
    return call("PUT", path, token=token, body={"value": {"days": 90}})


def approve(token: str, request_id: str) -> Answer:
    return call("POST", f"/api/admin/requests/{request_id}/approve", token=token)


# Writes that lock no other user; each takes a token and the id of a media request.
WRITES: dict[str, Callable[[str, str], Answer]] = {
    "create": lambda token, _: create(token),
    "settings": lambda token, _: change_setting(token),
    "decision": approve,
}


def session_of(token: str) -> UUID:
    listed = call("GET", "/api/auth/sessions", token=token).data
    return UUID(next(session["id"] for session in listed if session["current"]))


def log_in(identifier: str, password: str = PASSWORD) -> Answer:
    body = {"identifier": identifier, "password": password}
    return call("POST", "/api/auth/login", body=body)


def fields_of(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    return [problem["field"] for problem in answer.details]


class TestCreate:
    def test_created_account_can_sign_in(self, people: dict[str, str]) -> None:
        answer = create(people["alice"])
        assert answer.status == 201
        assert answer.data.keys() == VIEW
        known = {"email": "dora@example.com", "username": "dora", "role": "user"}
        assert answer.data.items() >= (known | {"status": "active"}).items()
        for identifier in ("dora@example.com", "DORA"):
            token = log_in(identifier).data["token"]
            assert call("GET", "/api/auth/me", token=token).data["id"] == answer.data["id"]
            assert call("GET", USERS, token=token).code == "FORBIDDEN"
        assert log_in("dora", PASSWORD + "x").code == "INVALID_CREDENTIALS"

    def test_created_admin_can_use_admin_routes(self, people: dict[str, str]) -> None:
        assert create(people["alice"], role="admin").data["role"] == "admin"
        assert call("GET", USERS, token=log_in("dora").data["token"]).status == 200

    def test_creation_is_audited(self, db: Db, people: dict[str, str]) -> None:
        db.execute("DELETE FROM audit_logs")
        made = create(people["alice"]).data
        details = {"username": "dora", "role": "user"}
        assert audited(db, "user.created") == [
            (id_of(people["alice"]), "user", made["id"], details)
        ]

    def test_password_appears_in_no_response_log_or_audit_row(
        self, db: Db, people: dict[str, str], logs: io.StringIO
    ) -> None:
        answer = create(people["alice"])
        row = db.execute("SELECT password_hash FROM users WHERE username = 'dora'").fetchone()
        assert row is not None
        assert row[0].startswith("$argon2id$")
        audit_rows = json.dumps(audited(db, "user.created"))
        for text in (
            answer.text,
            audit_rows,
            logs.getvalue(),
            call("GET", USERS, token=people["alice"]).text,
        ):
            assert PASSWORD not in text
            assert row[0] not in text
        assert PASSWORD not in row[0]

    def test_no_transaction_is_open_while_the_password_is_hashed(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hash_password = passwords.hash_password
        open_transactions: list[Any] = []

        def watched(password: str) -> str:
            open_transactions.append(
                db.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND state LIKE 'idle in transaction%'"
                ).fetchone()
            )
            return hash_password(password)

        monkeypatch.setattr(passwords, "hash_password", watched)
        assert create(people["alice"]).status == 201
        assert open_transactions == [(0,)]

    def test_all_problems_of_a_weak_password_are_reported(
        self, db: Db, people: dict[str, str]
    ) -> None:
        answer = create(people["alice"], password="dora")
        assert set(fields_of(answer)) == {"body.password"}
        messages = [problem["message"] for problem in answer.details]
        assert len(messages) > 3
        assert "Too similar to the user name or e-mail address" in messages
        assert count(db, "users") == 3

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "dora"),
            ("email", "@example.com"),
            ("email", "dora@"),
            ("email", "dora@a@example.com"),
            ("email", "do ra@example.com"),
            ("email", "dora\u00a0@example.com"),
            ("email", "dora\u202e@example.com"),
            ("email", "do\tra@example.com"),
            ("email", "dora@a\uff20example.com"),
            ("email", "d" * 243 + "@example.com"),
            ("email", "😀" * 61 + "@example.com"),
            ("email", "7@plex.invalid"),
            ("email", "7@\uff50lex.invalid"),
            ("email", " 7@plex.invalid "),
            ("email", "7@PLEX.invalid."),
            ("email", "7@home.plex.invalid"),
            ("email", ""),
            ("email", None),
            ("username", ""),
            ("username", "  "),
            ("username", "\u200b\u200d"),
            ("username", "d" * 65),
            ("username", "do@ra"),
            ("username", "do\uff20ra"),
            ("username", "do\x1bra"),
            ("username", "do\x9fra"),
            ("username", 7),
            ("password", ""),
            ("password", "Aa1_" * 33),
            ("role", "root"),
            ("role", None),
            ("status", "active"),
            ("id", UNKNOWN_ID),
            ("plexId", 7),
            ("passwordHash", "x"),
        ],
    )
    def test_invalid_field_is_reported_by_name(
        self, db: Db, people: dict[str, str], field: str, value: Any
    ) -> None:
        assert fields_of(create(people["alice"], **{field: value})) == [f"body.{field}"]
        assert count(db, "users") == 3

    @pytest.mark.parametrize("field", sorted(ACCOUNT))
    def test_missing_field_is_reported_by_name(self, people: dict[str, str], field: str) -> None:
        body = {name: value for name, value in ACCOUNT.items() if name != field}
        answer = call("POST", USERS, token=people["alice"], body=body)
        assert fields_of(answer) == [f"body.{field}"]

    @pytest.mark.parametrize(
        ("fields", "username"),
        [
            ({"username": " dora "}, "dora"),
            ({"username": "Åsa Ünlü"}, "Åsa Ünlü"),
            ({"username": "d" * 64}, "d" * 64),
            ({"username": "'; DROP TABLE users; --"}, "'; DROP TABLE users; --"),
            ({"username": "%_\\"}, "%_\\"),
            ({"username": "Jean\u00a0Paul"}, "Jean Paul"),
            ({"username": "Ju\u0308rgen"}, "Jürgen"),
            ({"username": "The 👩\u200d👩\u200d👧 club"}, "The 👩\u200d👩\u200d👧 club"),
            ({"username": "می\u200cخواهم"}, "می\u200cخواهم"),
            ({"username": "do\u200bra"}, "dora"),
            ({"email": " dora@example.com\n"}, "dora"),
            ({"email": "d" * 242 + "@example.com", "username": "😀" * 64}, "😀" * 64),
            ({"email": "😀" * 60 + "@example.com"}, "dora"),
            ({"username": "\ufdfa" * 64}, "\ufdfa" * 64),
            ({"email": "dora@localhost"}, "dora"),
            ({"email": "dora+films@notplex.invalid"}, "dora"),
            ({"email": "d" * 242 + "@example.com"}, "dora"),
            ({"email": "döra@exämple.com"}, "dora"),
        ],
    )
    def test_unusual_but_valid_names_are_accepted(
        self, people: dict[str, str], fields: dict[str, str], username: str
    ) -> None:
        made = create(people["alice"], **fields)
        assert made.status == 201, made.text
        assert made.data["username"] == username
        assert log_in(made.data["username"]).data["user"]["id"] == made.data["id"]
        assert log_in(made.data["email"]).data["user"]["id"] == made.data["id"]

    @pytest.mark.parametrize(
        ("fields", "taken"),
        [
            ({"username": "other"}, ["body.email"]),
            ({"username": "other", "email": "DORA@Example.com"}, ["body.email"]),
            ({"email": "other@example.com"}, ["body.username"]),
            ({"email": "other@example.com", "username": "Dora"}, ["body.username"]),
            ({"email": "other@example.com", "username": "\uff44ora"}, ["body.username"]),
            ({"username": "other", "email": " dora@EXAMPLE.com "}, ["body.email"]),
            ({}, ["body.email", "body.username"]),
        ],
    )
    def test_names_of_another_local_account_are_refused(
        self, db: Db, people: dict[str, str], fields: dict[str, str], taken: list[str]
    ) -> None:
        create(people["alice"])
        before = count(db, "audit_logs")
        assert sorted(fields_of(create(people["alice"], **fields))) == taken
        assert (count(db, "users"), count(db, "audit_logs")) == (4, before)
        free = {"email": "other@example.com", "username": "other"}
        assert create(people["alice"], **free).status == 201

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("J\u00fcrgen", "Ju\u0308rgen"),
            ("Straße", "STRASSE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("\u0130stanbul", "i\u0307STANBUL"),
        ],
    )
    def test_names_that_fold_alike_belong_to_one_account(
        self, people: dict[str, str], first: str, second: str
    ) -> None:
        made = create(people["alice"], username=first)
        assert made.status == 201
        twin = create(people["alice"], username=second, email="other@example.com")
        assert fields_of(twin) == ["body.username"]
        for typed in (first, second, f"  {second}\u00a0"):
            assert log_in(typed).data["user"]["id"] == made.data["id"]

    def test_names_that_only_lower_casing_makes_equal_are_distinct(
        self, people: dict[str, str]
    ) -> None:
        assert create(people["alice"], username="\u0130nci").status == 201
        other = create(people["alice"], username="inci", email="other@example.com")
        assert other.status == 201
        assert log_in("INCI").data["user"]["id"] == other.data["id"]

    def test_longest_address_and_name_can_sign_in(self, people: dict[str, str]) -> None:
        address = "😀" * 60 + "@x.example.com"
        assert create(people["alice"], email=address, username="😀" * 64).status == 201
        bearer = log_in(address)
        assert len(bearer.data["token"]) < 4096
        assert call("GET", "/api/auth/me", token=bearer.data["token"]).data["email"] == address
        body = {"identifier": "😀" * 64, "password": PASSWORD, "session": "cookie"}
        cookie = call("POST", "/api/auth/login", body=body).headers["set-cookie"]
        assert len(cookie.encode()) < 4096
        me = call("GET", "/api/auth/me", headers={"Cookie": cookie.partition(";")[0]})
        assert me.data["username"] == "😀" * 64

    def test_names_of_a_plex_user_can_be_used(self, people: dict[str, str]) -> None:
        made = create(people["alice"], email="bob@example.com", username="bob")
        assert made.status == 201
        assert made.data["id"] != id_of(people["bob"])
        assert log_in("bob").data["user"]["id"] == made.data["id"]

    def test_name_of_an_account_deleted_concurrently_can_be_used(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create(people["alice"])
        taken = repository.taken_by_local_users

        def late(*args: Any, **kwargs: Any) -> list[str]:
            db.execute("DELETE FROM users WHERE username = 'dora'")
            return taken(*args, **kwargs)

        monkeypatch.setattr(repository, "taken_by_local_users", late)
        assert create(people["alice"]).status == 201

    def test_admin_deleted_concurrently_creates_nothing(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hash_password = passwords.hash_password

        def late(password: str) -> str:
            db.execute("DELETE FROM users WHERE username = 'alice'")
            return hash_password(password)

        monkeypatch.setattr(passwords, "hash_password", late)
        answer = create(people["alice"])
        assert (answer.status, answer.code) == (401, "JWT_INVALID")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert count(db, "users") == 2


class TestDetails:
    def test_details_have_the_status_and_the_quota(self, people: dict[str, str]) -> None:
        bob = id_of(people["bob"])
        answer = view(people["alice"], bob)
        assert answer.data.keys() == VIEW | {"plexId"}
        assert (answer.data["id"], answer.data["status"]) == (bob, "active")
        quota = {"movies": {"limit": None, "days": 7}, "seasons": {"limit": 3, "days": 30}}
        change(people["alice"], bob, status="suspended", quota=quota)
        answer = view(people["alice"], bob)
        assert (answer.data["status"], answer.data["quota"]) == ("suspended", quota)

    def test_list_has_neither_status_nor_quota(self, people: dict[str, str]) -> None:
        change(people["alice"], id_of(people["bob"]), quota={"movies": {"limit": 1, "days": 1}})
        listed = call("GET", USERS, token=people["alice"]).data
        assert all(user.keys() == VIEW - {"status"} | {"plexId"} for user in listed)

    @pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
    def test_unknown_id_is_not_found(self, db: Db, people: dict[str, str], method: str) -> None:
        before = count(db, "audit_logs")
        body = {"role": "admin"} if method == "PATCH" else None
        answer = call(method, f"{USERS}/{UNKNOWN_ID}", token=people["alice"], body=body)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        answer = call(method, f"{USERS}/1", token=people["alice"], body=body)
        assert fields_of(answer) == ["path.id"]
        assert count(db, "audit_logs") == before


class TestQuota:
    def test_quota_is_set_replaced_and_removed(self, db: Db, people: dict[str, str]) -> None:
        alice, bob = people["alice"], id_of(people["bob"])

        def stored() -> Any:
            row = db.execute("SELECT quota FROM users WHERE id = %s", (bob,)).fetchone()
            return row and row[0]

        other = {"movies": {"limit": None, "days": 1}}
        for change_of_quota, whole in (
            (MOVIES, MOVIES),
            (SEASONS, MOVIES | SEASONS),
            (other, other | SEASONS),
            (SEASONS | MOVIES, MOVIES | SEASONS),
        ):
            assert change(alice, bob, quota=change_of_quota).data["quota"] == whole
            assert stored() == whole
        # A change without a quota leaves the quota as it is.
        assert change(alice, bob, role="admin").data["quota"] == MOVIES | SEASONS
        for nothing in (None, {"movies": None}, {"movies": None, "seasons": None}):
            change(alice, bob, quota=MOVIES | {"seasons": None})
            assert "quota" not in change(alice, bob, quota=nothing).data
            assert stored() is None

    def test_one_of_two_quotas_can_be_removed(self, people: dict[str, str]) -> None:
        alice, bob = people["alice"], id_of(people["bob"])
        change(alice, bob, quota=MOVIES | SEASONS)
        assert change(alice, bob, quota={"seasons": None}).data["quota"] == MOVIES
        assert change(alice, bob, quota=SEASONS | {"movies": None}).data["quota"] == SEASONS

    def test_quota_changes_are_audited(self, db: Db, people: dict[str, str]) -> None:
        alice, bob = id_of(people["alice"]), id_of(people["bob"])
        change(people["alice"], bob, quota=MOVIES, role="user")
        change(people["alice"], bob, quota=SEASONS)
        change(people["alice"], bob, quota=None)
        assert audited(db, "user.changed") == [
            (alice, "user", bob, {"quota": {"from": before, "to": after}})
            for before, after in (
                (None, MOVIES),
                (MOVIES, MOVIES | SEASONS),
                (MOVIES | SEASONS, None),
            )
        ]

    def test_quota_change_revokes_no_session(
        self, keys: redis.Redis, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        change(people["alice"], bob, quota=MOVIES)
        change(people["alice"], bob, quota=None, status="active")
        assert "ended" not in [keys.get(key) for key in keys.keys("session:*")]
        assert call("GET", "/api/auth/me", token=people["bob"]).status == 200

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"quota": []}, "quota"),
            ({"quota": 5}, "quota"),
            ({"quota": {}}, "quota"),
            ({"quota": {"films": {"limit": 1, "days": 1}}}, "quota.films"),
            ({"quota": {"movies": {"limit": 1}}}, "quota.movies.days"),
            ({"quota": {"movies": {"days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": -1, "days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": "1", "days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": 1.5, "days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": 2**31, "days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": 2**63, "days": 1}}}, "quota.movies.limit"),
            ({"quota": {"movies": {"limit": 1, "days": 0}}}, "quota.movies.days"),
            ({"quota": {"movies": {"limit": 1, "days": 2**63}}}, "quota.movies.days"),
            ({"quota": {"movies": {"limit": 1, "days": None}}}, "quota.movies.days"),
            ({"role": None}, "role"),
            ({"status": None}, "status"),
            ({"role": None, "quota": None}, "role"),
            ({"role": "admin", "status": None}, "status"),
        ],
    )
    def test_invalid_field_is_reported_by_name(
        self, db: Db, people: dict[str, str], fields: dict[str, Any], field: str
    ) -> None:
        bob = id_of(people["bob"])
        before = view(people["alice"], bob).data
        assert fields_of(change(people["alice"], bob, **fields)) == [f"body.{field}"]
        assert view(people["alice"], bob).data == before
        assert audited(db, "user.changed") == []


class TestDelete:
    def test_user_sessions_and_requests_are_deleted_at_once(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        bob = id_of(people["bob"])  # this and the next line cache both sessions
        assert id_of(second) == bob
        headers = {"Idempotency-Key": "once"}
        made = call("POST", "/api/media/request", token=people["bob"], body=FILM, headers=headers)
        assert made.status == 201
        answer = delete(people["alice"], bob)
        assert (answer.status, answer.text) == (204, "")
        for token in (people["bob"], second):
            for path in ("/api/auth/me", "/api/media/requests"):
                assert call("GET", path, token=token).code == "JWT_INVALID"
            assert call("POST", "/api/auth/refresh", token=token).code == "JWT_INVALID"
        for table in ("media_requests", "request_items", "idempotency_keys"):
            assert count(db, table) == 0
        assert (count(db, "users"), count(db, "sessions")) == (2, 2)
        assert view(people["alice"], bob).code == "NOT_FOUND"
        assert delete(people["alice"], bob).code == "NOT_FOUND"
        # Other users are unaffected, and the title can be requested again.
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
        again = call("POST", "/api/media/request", token=people["carol"], body=FILM)
        assert again.status == 201

    def test_audit_rows_stay_and_the_deletion_names_the_user(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bob = view(people["alice"], id_of(people["bob"])).data
        before = db.execute("SELECT id FROM audit_logs WHERE user_id = %s", (bob["id"],)).fetchall()
        assert before
        delete(people["alice"], bob["id"])
        after = db.execute(
            "SELECT user_id FROM audit_logs WHERE id = ANY(%s)", ([row[0] for row in before],)
        ).fetchall()
        assert after == [(None,)] * len(before)
        details = {"username": "bob", "role": "user", "plexId": bob["plexId"]}
        alice = id_of(people["alice"])
        assert audited(db, "user.deleted") == [(alice, "user", bob["id"], details)]

    def test_decisions_of_a_deleted_admin_stay(self, plex_url: str, people: dict[str, str]) -> None:
        carol = id_of(people["carol"])
        plex.promote(plex_url, people, "carol")
        made = call("POST", "/api/media/request", token=people["bob"], body=FILM).data
        path = f"/api/admin/requests/{made['id']}/approve"
        decided = call("POST", path, token=people["carol"]).data
        assert decided["processedBy"] == carol
        assert delete(people["alice"], carol).status == 204
        mine = call("GET", "/api/media/requests", token=people["bob"]).data
        del decided["processedBy"]
        assert mine == [decided]

    def test_last_admin_cannot_be_deleted(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        alice = id_of(people["alice"])
        suspended = id_of(people["carol"])
        change(people["alice"], suspended, role="admin", status="suspended")
        answer = delete(people["alice"], alice)
        assert (answer.status, answer.code) == (409, "LAST_ADMIN")
        assert call("GET", USERS, token=people["alice"]).status == 200
        assert audited(db, "user.deleted") == []
        plex.promote(plex_url, people, "bob")
        assert delete(people["alice"], alice).status == 204
        assert call("GET", USERS, token=people["alice"]).code == "JWT_INVALID"
        assert call("GET", USERS, token=people["bob"]).status == 200
        # The row has no user id any more; its details name the deleted admin.
        [row] = audited(db, "user.deleted")
        assert row[:3] == (None, "user", alice)
        assert row[3]["username"] == "alice"

    def test_deleted_user_who_signs_in_again_is_a_new_user(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        change(people["alice"], bob, role="admin", quota=MOVIES)
        delete(people["alice"], bob)
        again = plex.sign_in(plex_url, "bob")["user"]
        assert again["id"] != bob
        assert again["role"] == "user"
        assert "quota" not in view(people["alice"], again["id"]).data

    def test_names_of_a_deleted_local_account_can_be_reused(self, people: dict[str, str]) -> None:
        first = create(people["alice"]).data["id"]
        assert log_in("dora").status == 200
        delete(people["alice"], first)
        assert log_in("dora").code == "INVALID_CREDENTIALS"
        assert create(people["alice"]).data["id"] != first

    def test_user_with_more_audit_rows_than_one_statement_can_update_is_deleted(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        db.execute("SET statement_timeout = 0")
        db.execute(
            "INSERT INTO audit_logs (user_id, action, request_id, ip, user_agent)"
            " SELECT %s, 'session.refreshed', n::text, '::1', '' FROM generate_series(1, 150000) n",
            (bob,),
        )
        total = count(db, "audit_logs")
        assert delete(people["alice"], bob).status == 204
        assert view(people["alice"], bob).code == "NOT_FOUND"
        assert len(audited(db, "user.deleted")) == 1
        suspension = {"status": {"from": "active", "to": "suspended"}}
        assert [row[3] for row in audited(db, "user.changed")] == [suspension]
        assert count(db, "audit_logs") == total + 2

    @pytest.mark.parametrize("name", ["bob", "carol"])
    def test_deletion_in_batches_has_the_same_result(
        self,
        db: Db,
        plex_url: str,
        people: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        monkeypatch.setattr(accounts, "DELETE_BATCH", 1)
        plex.promote(plex_url, people, "carol")
        made = []
        for film in (603, 27205, 155):
            body = {"mediaType": "movie", "tmdbId": film}
            made.append(call("POST", "/api/media/request", token=people["bob"], body=body).data)
        for each in made[:2]:
            path = f"/api/admin/requests/{each['id']}/approve"
            assert call("POST", path, token=people["carol"]).status == 200
        assert delete(people["alice"], id_of(people[name])).status == 204
        assert call("GET", "/api/auth/me", token=people[name]).code == "JWT_INVALID"
        assert len(audited(db, "user.deleted")) == 1
        assert count(db, "users") == 2
        left = call("GET", "/api/admin/requests", token=people["alice"]).data
        assert len(left) == (0 if name == "bob" else 3)
        assert all("processedBy" not in each for each in left)

    def test_interrupted_deletion_continues_with_the_next_call(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "DELETE_BATCH", 1)
        bob = id_of(people["bob"])
        delete_some = accounts._delete_batch
        steps: list[bool] = []

        def fail(connection: Db, user_id: UUID) -> bool:
            if steps:
                raise database_unavailable()
            steps.append(delete_some(connection, user_id))
            return steps[0]

        with monkeypatch.context() as patched:
            patched.setattr(accounts, "_delete_batch", fail)
            assert delete(people["alice"], bob).code == "DATABASE_CONNECTION_ERROR"
        assert steps == [False]
        # A partly deleted account is suspended.
        assert view(people["alice"], bob).data["status"] == "suspended"
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        assert audited(db, "user.deleted") == []
        assert delete(people["alice"], bob).status == 204
        assert view(people["alice"], bob).code == "NOT_FOUND"
        assert len(audited(db, "user.deleted")) == 1

    def test_admin_deletes_their_own_account_in_batches(
        self, db: Db, plex_url: str, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "DELETE_BATCH", 1)
        alice = id_of(people["alice"])
        assert delete(people["alice"], alice).code == "LAST_ADMIN"
        assert view(people["alice"], alice).data["status"] == "active"
        plex.promote(plex_url, people, "bob")
        assert delete(people["alice"], alice).status == 204
        assert view(people["bob"], alice).code == "NOT_FOUND"
        assert [row[:3] for row in audited(db, "user.deleted")] == [(None, "user", alice)]

    def test_foreign_keys_to_users_have_an_index(self, db: Db) -> None:
        unindexed = db.execute(
            "SELECT c.conrelid::regclass::text FROM pg_constraint c"
            " WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass AND NOT EXISTS ("
            "  SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
        ).fetchall()
        # The table is small: one row per changed setting.
        assert unindexed == [("system_config",)]


def a_connection_waits(db: Db) -> bool:
    """Tell whether a connection to the database waits for a lock."""
    row = db.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    ).fetchone()
    return row == (1,)


class TestConcurrency:
    def other(self, direct_url: str) -> Db:
        connection = psycopg.connect(direct_url)
        connection.execute("SET LOCAL lock_timeout = '100ms'")
        return connection

    def test_lock_on_admins_does_not_block_their_requests(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        alice = id_of(people["alice"])
        with database().transaction() as connection, self.other(direct_url) as other:
            assert repository.lock_admins(connection) == [UUID(alice)]
            other.execute(
                "INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
                " VALUES (%s, 'movie', 603, 'The Matrix')",
                (alice,),
            )

    def test_concurrent_changes_of_admins_take_turns(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        with database().transaction() as connection, self.other(direct_url) as other:
            repository.lock_admins(connection)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                repository.lock_admins(other)

    def test_no_session_is_created_while_a_user_is_suspended_or_deleted(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        bob = UUID(id_of(people["bob"]))
        add = (
            "INSERT INTO sessions (user_id, expires_at, ip, user_agent)"
            " VALUES (%s, now() + interval '1 day', '::1', '')"
        )
        with self.other(direct_url) as other:
            with database().transaction() as connection:
                assert repository.lock(connection, bob) is not None
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute(add, (bob,))
                other.rollback()
            other.execute(add, (bob,))

    def test_concurrent_refresh_and_deletion_do_not_deadlock(
        self, db: Db, direct_url: str, people: dict[str, str]
    ) -> None:
        bob, session_id = UUID(id_of(people["bob"])), session_of(people["bob"])
        lifetimes = session_lifetimes()

        def refresh(session_id: UUID) -> object:
            with psycopg.connect(direct_url) as other:
                if repository.lock_active(other, bob, session_id) is None:
                    return None
                return sessions_repository.replace(other, session_id, CALLER, lifetimes)

        with ThreadPoolExecutor(1) as pool:
            with database().transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '5s'")
                repository.lock(connection, bob)
                refreshed = pool.submit(refresh, session_id)
                eventually(lambda: a_connection_waits(db))
                sessions_repository.delete_all(connection, bob)
                assert accounts._delete_batch(connection, bob)
            assert refreshed.result(10) is None
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"

    @pytest.mark.parametrize(
        ("column", "value", "code"),
        [("role", "user", "FORBIDDEN"), ("status", "suspended", "JWT_INVALID")],
    )
    @pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
    def test_admin_demoted_or_suspended_concurrently_writes_nothing(
        self,
        db: Db,
        people: dict[str, str],
        plex_url: str,
        monkeypatch: pytest.MonkeyPatch,
        act: Callable[[str, str], Answer],
        column: str,
        value: str,
        code: str,
    ) -> None:
        plex.promote(plex_url, people, "carol")
        made = call("POST", "/api/media/request", token=people["bob"], body=FILM).data["id"]
        before = count(db, "audit_logs")
        lock_active = repository.lock_active

        def late(connection: Db, user_id: UUID, session_id: UUID) -> Any:
            db.execute(f"UPDATE users SET {column} = '{value}' WHERE username = 'carol'".encode())
            return lock_active(connection, user_id, session_id)

        with monkeypatch.context() as patched:
            patched.setattr(repository, "lock_active", late)
            assert act(people["carol"], made).code == code
        assert count(db, "audit_logs") == before
        assert act(people["alice"], made).status in {200, 201, 204}
        assert count(db, "audit_logs") == before + 1

    @pytest.mark.parametrize("act", [delete, end_sessions, demote])
    def test_admin_demoted_concurrently_changes_no_user(
        self,
        db: Db,
        plex_url: str,
        people: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        act: Callable[[str, str], Answer],
    ) -> None:
        for name in ("bob", "carol"):
            plex.promote(plex_url, people, name)
        carol = id_of(people["carol"])
        before = count(db, "audit_logs")
        lock_admins = repository.lock_admins

        def late(connection: Db) -> list[UUID]:
            db.execute("UPDATE users SET role = 'user' WHERE username = 'bob'")
            return lock_admins(connection)

        with monkeypatch.context() as patched:
            patched.setattr(repository, "lock_admins", late)
            assert act(people["bob"], carol).code == "FORBIDDEN"
        assert count(db, "audit_logs") == before
        assert view(people["alice"], carol).data["role"] == "admin"
        assert call("GET", USERS, token=people["carol"]).status == 200
        assert act(people["alice"], carol).status in {200, 204}

    def test_concurrent_sign_ins_that_replace_each_others_session_do_not_deadlock(
        self, direct_url: str, people: dict[str, str]
    ) -> None:
        principals, local = [], []
        for name in ("dora", "emil"):
            made = create(people["alice"], email=f"{name}@example.com", username=name).data["id"]
            [current] = call("GET", "/api/auth/sessions", token=log_in(name).data["token"]).data
            principals.append(Principal(UUID(made), UUID(current["id"]), "user"))
            with database().transaction() as connection:
                account = repository.find_local_account(connection, name)
            assert account is not None
            local.append(account)
        with self.other(direct_url) as one, self.other(direct_url) as another:
            assert repository.lock_local_user(one, local[0]) is not None
            assert repository.lock_local_user(another, local[1]) is not None
            assert len(revoke_previous(one, principals[1], CALLER)) == 1
            assert len(revoke_previous(another, principals[0], CALLER)) == 1

    def test_concurrent_revocations_of_one_and_all_sessions_do_not_deadlock(
        self, db: Db, direct_url: str, people: dict[str, str]
    ) -> None:
        bob, session_id = UUID(id_of(people["bob"])), session_of(people["bob"])

        def end_all() -> int:
            with psycopg.connect(direct_url) as other:
                return sessions_repository.revoke_all(other, bob)[0]

        with ThreadPoolExecutor(1) as pool:
            with database().transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '100ms'")
                assert sessions_repository.revoke(connection, user_id=bob, session_id=session_id)
                ended = pool.submit(end_all)
                eventually(lambda: a_connection_waits(db))
                audit_repository.record(connection, Action.SESSION_REVOKED, CALLER, user_id=bob)
            assert ended.result(10) == 0


@pytest.fixture
def many_users(db: Db) -> Db:
    """Fill the table, because the planner uses indexes only on larger tables."""
    db.execute("SET statement_timeout = 0")
    db.execute(
        "INSERT INTO users (plex_id, email, username, created_at) SELECT -n,"
        " md5(n::text) || '@example.com', md5((-n)::text), now() - n * interval '1 minute'"
        " FROM generate_series(1, 4000) AS n"
    )
    db.execute("UPDATE users SET role = 'admin' WHERE plex_id BETWEEN -5 AND -1")
    db.execute("VACUUM ANALYZE users")
    return db


class TestListOfManyUsers:
    def plan(self, db: Db, query: UserQuery) -> str:
        """Return PostgreSQL's plans for a page."""
        plans: list[str] = []

        def note(notice: psycopg.errors.Diagnostic) -> None:
            plans.append(notice.message_primary or "")

        db.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
        db.execute("SET auto_explain.log_level = notice")
        db.add_notice_handler(note)
        try:
            repository.page(db, query)
        finally:
            db.remove_notice_handler(note)
        assert plans
        return "\n".join(plans)

    @pytest.mark.parametrize(
        ("sort", "index"),
        [
            ("createdAt", "users_by_age"),
            ("-createdAt", "users_by_age"),
            ("username", "users_by_name"),
            ("-username", "users_by_name"),
            ("email", "users_by_email"),
            ("-email", "users_by_email"),
        ],
    )
    def test_every_sort_order_uses_an_index(self, many_users: Db, sort: str, index: str) -> None:
        plan = self.plan(many_users, UserQuery.model_validate({"sort": sort}))
        assert f"using {index}" in plan
        assert plan.count("Sort Key") == 1, "only the page itself may be sorted"

    def test_search_uses_its_indexes(self, many_users: Db) -> None:
        plan = self.plan(many_users, UserQuery(search="c4ca4238"))
        assert "users_name_search" in plan
        assert "users_email_search" in plan
        assert "Seq Scan" not in plan

    def test_active_admins_are_found_by_an_index(self, many_users: Db) -> None:
        rows = many_users.execute(
            "EXPLAIN SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id"
            " FOR NO KEY UPDATE"
        )
        assert "Seq Scan" not in "\n".join(row[0] for row in rows)

    def test_pages_list_every_user_once(self, people: dict[str, str], many_users: Db) -> None:
        many_users.execute("DELETE FROM users WHERE plex_id < -45")
        # Equal times and names, so that only the id decides the order.
        many_users.execute(
            "UPDATE users SET created_at = now(), username = 'x', email = 'x@x',"
            " username_key = 'x', email_key = 'x@x'"
        )
        total = count(many_users, "users")
        for sort in ("createdAt", "-createdAt", "username", "-username", "email", "-email"):
            pages = [
                call(
                    "GET",
                    USERS,
                    token=people["alice"],
                    query={"sort": sort, "limit": 20, "page": page},
                ).json
                for page in (1, 2, 3, 4)
            ]
            ids = [user["id"] for page in pages for user in page["data"]]
            assert len(ids) == len(set(ids)) == total
            assert {page["pagination"]["total"] for page in pages} == {total}
            assert pages[3]["data"] == []


def test_table_refuses_a_malformed_quota(db: Db, people: dict[str, str]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE users SET quota = %s", (Jsonb([]),))
    db.execute("UPDATE users SET quota = %s", (Jsonb(MOVIES),))
    assert view(people["alice"], id_of(people["bob"])).data["quota"] == MOVIES
