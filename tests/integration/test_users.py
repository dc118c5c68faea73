"""Admins create accounts, read their details, set quotas and delete users."""

import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from psycopg.types.json import Jsonb

from medianest.accounts import service as accounts
from medianest.core.db import database_unavailable
from medianest.signin import passwords
from medianest.users import repository
from tests.support import plex
from tests.support.api import Answer, call, id_of
from tests.support.rows import audited, count

type Db = psycopg.Connection[tuple[Any, ...]]

USERS = "/api/admin/users"
PASSWORD = "Cellar-door_42"
ACCOUNT = {"email": "dora@example.com", "username": "dora", "password": PASSWORD, "role": "user"}
FILM = {"mediaType": "movie", "tmdbId": 603}
UNKNOWN_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
MOVIES = {"movies": {"limit": 2, "days": 7}}
SEASONS = {"seasons": {"limit": None, "days": 30}}
USER_FIELDS = {"id", "email", "username", "role", "status", "createdAt", "updatedAt"}


def create(token: str, **fields: Any) -> Answer:
    return call("POST", USERS, token=token, body=ACCOUNT | fields)


def get_user(token: str, user_id: str) -> Answer:
    return call("GET", f"{USERS}/{user_id}", token=token)


def change(token: str, user_id: str, **fields: Any) -> Answer:
    return call("PATCH", f"{USERS}/{user_id}", token=token, body=fields)


def delete(token: str, user_id: str) -> Answer:
    return call("DELETE", f"{USERS}/{user_id}", token=token)


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
        assert answer.data.keys() == USER_FIELDS
        expected = {"email": "dora@example.com", "username": "dora", "role": "user"}
        assert answer.data.items() >= (expected | {"status": "active"}).items()
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
        created = create(people["alice"]).data
        details = {"username": "dora", "role": "user"}
        assert audited(db, "user.created") == [
            (id_of(people["alice"]), "user", created["id"], details)
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

        def hash_and_count(password: str) -> str:
            open_transactions.append(
                db.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND state LIKE 'idle in transaction%'"
                ).fetchone()
            )
            return hash_password(password)

        monkeypatch.setattr(passwords, "hash_password", hash_and_count)
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
            ("email", "dora\uff20example.com"),
            ("email", "dora\ufe6bexample.com"),
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
        created = create(people["alice"], **fields)
        assert created.status == 201, created.text
        assert created.data["username"] == username
        assert log_in(created.data["username"]).data["user"]["id"] == created.data["id"]
        assert log_in(created.data["email"]).data["user"]["id"] == created.data["id"]

    @pytest.mark.parametrize(
        ("fields", "taken_fields"),
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
        self, db: Db, people: dict[str, str], fields: dict[str, str], taken_fields: list[str]
    ) -> None:
        create(people["alice"])
        before = count(db, "audit_logs")
        assert sorted(fields_of(create(people["alice"], **fields))) == taken_fields
        assert (count(db, "users"), count(db, "audit_logs")) == (4, before)
        unused_names = {"email": "other@example.com", "username": "other"}
        assert create(people["alice"], **unused_names).status == 201

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("J\u00fcrgen", "Ju\u0308rgen"),
            ("Straße", "STRASSE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("\u0130stanbul", "i\u0307STANBUL"),
        ],
    )
    def test_names_with_equal_folded_forms_belong_to_one_account(
        self, people: dict[str, str], first: str, second: str
    ) -> None:
        created = create(people["alice"], username=first)
        assert created.status == 201
        duplicate = create(people["alice"], username=second, email="other@example.com")
        assert fields_of(duplicate) == ["body.username"]
        for typed in (first, second, f"  {second}\u00a0"):
            assert log_in(typed).data["user"]["id"] == created.data["id"]

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
        created = create(people["alice"], email="bob@example.com", username="bob")
        assert created.status == 201
        assert created.data["id"] != id_of(people["bob"])
        assert log_in("bob").data["user"]["id"] == created.data["id"]

    def test_name_of_an_account_deleted_concurrently_can_be_used(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create(people["alice"])
        taken_by_local_users = repository.taken_by_local_users

        def interleaved_change(*args: Any, **kwargs: Any) -> list[str]:
            db.execute("DELETE FROM users WHERE username = 'dora'")
            return taken_by_local_users(*args, **kwargs)

        monkeypatch.setattr(repository, "taken_by_local_users", interleaved_change)
        assert create(people["alice"]).status == 201

    def test_admin_deleted_concurrently_creates_nothing(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hash_password = passwords.hash_password

        def interleaved_change(password: str) -> str:
            db.execute("DELETE FROM users WHERE username = 'alice'")
            return hash_password(password)

        monkeypatch.setattr(passwords, "hash_password", interleaved_change)
        answer = create(people["alice"])
        assert (answer.status, answer.code) == (401, "JWT_INVALID")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert count(db, "users") == 2


class TestDetails:
    def test_details_have_the_status_and_the_quota(self, people: dict[str, str]) -> None:
        bob = id_of(people["bob"])
        answer = get_user(people["alice"], bob)
        assert answer.data.keys() == USER_FIELDS | {"plexId"}
        assert (answer.data["id"], answer.data["status"]) == (bob, "active")
        quota = {"movies": {"limit": None, "days": 7}, "seasons": {"limit": 3, "days": 30}}
        change(people["alice"], bob, status="suspended", quota=quota)
        answer = get_user(people["alice"], bob)
        assert (answer.data["status"], answer.data["quota"]) == ("suspended", quota)

    def test_list_has_neither_status_nor_quota(self, people: dict[str, str]) -> None:
        change(people["alice"], id_of(people["bob"]), quota={"movies": {"limit": 1, "days": 1}})
        listed = call("GET", USERS, token=people["alice"]).data
        assert all(user.keys() == USER_FIELDS - {"status"} | {"plexId"} for user in listed)

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

        def stored_quota() -> Any:
            row = db.execute("SELECT quota FROM users WHERE id = %s", (bob,)).fetchone()
            return row and row[0]

        other = {"movies": {"limit": None, "days": 1}}
        for quota_change, expected in (
            (MOVIES, MOVIES),
            (SEASONS, MOVIES | SEASONS),
            (other, other | SEASONS),
            (SEASONS | MOVIES, MOVIES | SEASONS),
        ):
            assert change(alice, bob, quota=quota_change).data["quota"] == expected
            assert stored_quota() == expected
        # A change without a quota leaves the quota as it is.
        assert change(alice, bob, role="admin").data["quota"] == MOVIES | SEASONS
        for removed in (None, {"movies": None}, {"movies": None, "seasons": None}):
            change(alice, bob, quota=MOVIES | {"seasons": None})
            assert "quota" not in change(alice, bob, quota=removed).data
            assert stored_quota() is None

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
        before = get_user(people["alice"], bob).data
        assert fields_of(change(people["alice"], bob, **fields)) == [f"body.{field}"]
        assert get_user(people["alice"], bob).data == before
        assert audited(db, "user.changed") == []


class TestDelete:
    @pytest.fixture
    def bounded_updates(self, db: Db) -> Iterator[None]:
        """Let no statement update more audit rows than a batch has.

        The time limit of statements does the same, but only for ten times as many rows.
        """
        db.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF (SELECT count(*) FROM changed) > {accounts.DELETE_BATCH} THEN"
            " RAISE 'too many rows'; END IF; RETURN NULL; END $$;"
            " CREATE TRIGGER bounded AFTER UPDATE ON audit_logs REFERENCING NEW TABLE AS changed"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
        )
        yield
        db.execute("DROP FUNCTION refuse CASCADE")

    def test_user_sessions_and_requests_are_deleted_at_once(
        self, db: Db, plex_url: str, people: dict[str, str]
    ) -> None:
        second = plex.sign_in(plex_url, "bob")["token"]
        bob = id_of(people["bob"])  # this and the next line cache both sessions
        assert id_of(second) == bob
        headers = {"Idempotency-Key": "once"}
        created = call(
            "POST", "/api/media/request", token=people["bob"], body=FILM, headers=headers
        )
        assert created.status == 201
        answer = delete(people["alice"], bob)
        assert (answer.status, answer.text) == (204, "")
        for token in (people["bob"], second):
            for path in ("/api/auth/me", "/api/media/requests"):
                assert call("GET", path, token=token).code == "JWT_INVALID"
            assert call("POST", "/api/auth/refresh", token=token).code == "JWT_INVALID"
        for table in ("media_requests", "request_items", "idempotency_keys"):
            assert count(db, table) == 0
        assert (count(db, "users"), count(db, "sessions")) == (2, 2)
        assert get_user(people["alice"], bob).code == "NOT_FOUND"
        assert delete(people["alice"], bob).code == "NOT_FOUND"
        # Other users are unaffected, and the title can be requested again.
        assert call("GET", "/api/auth/me", token=people["carol"]).status == 200
        next_request = call("POST", "/api/media/request", token=people["carol"], body=FILM)
        assert next_request.status == 201

    def test_audit_rows_remain_and_the_deletion_names_the_user(
        self, db: Db, people: dict[str, str]
    ) -> None:
        bob = get_user(people["alice"], id_of(people["bob"])).data
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

    def test_decisions_of_a_deleted_admin_remain(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        carol = id_of(people["carol"])
        plex.promote(plex_url, people, "carol")
        created = call("POST", "/api/media/request", token=people["bob"], body=FILM).data
        path = f"/api/admin/requests/{created['id']}/approve"
        decided = call("POST", path, token=people["carol"]).data
        assert decided["processedBy"] == carol
        [listed] = call("GET", "/api/admin/requests", token=people["alice"]).data
        assert listed["processedByName"] == "carol"
        assert delete(people["alice"], carol).status == 204
        [listed] = call("GET", "/api/admin/requests", token=people["alice"]).data
        assert "processedByName" not in listed
        bobs_requests = call("GET", "/api/media/requests", token=people["bob"]).data
        del decided["processedBy"]
        assert bobs_requests == [decided]

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
        # The row no longer has a user id; its details name the deleted admin.
        [row] = audited(db, "user.deleted")
        assert row[:3] == (None, "user", alice)
        assert row[3]["username"] == "alice"

    def test_deleted_user_who_signs_in_again_is_a_new_user(
        self, plex_url: str, people: dict[str, str]
    ) -> None:
        bob = id_of(people["bob"])
        change(people["alice"], bob, role="admin", quota=MOVIES)
        delete(people["alice"], bob)
        new_user = plex.sign_in(plex_url, "bob")["user"]
        assert new_user["id"] != bob
        assert new_user["role"] == "user"
        assert "quota" not in get_user(people["alice"], new_user["id"]).data

    def test_names_of_a_deleted_local_account_can_be_reused(self, people: dict[str, str]) -> None:
        first = create(people["alice"]).data["id"]
        assert log_in("dora").status == 200
        delete(people["alice"], first)
        assert log_in("dora").code == "INVALID_CREDENTIALS"
        assert create(people["alice"]).data["id"] != first

    def test_user_with_more_audit_rows_than_one_statement_may_update_is_deleted(
        self, db: Db, people: dict[str, str], bounded_updates: None
    ) -> None:
        bob = id_of(people["bob"])
        db.execute(
            "INSERT INTO audit_logs (user_id, action, request_id, ip, user_agent)"
            " SELECT %s, 'session.refreshed', n::text, '::1', '' FROM generate_series(1, %s) n",
            (bob, 2 * accounts.DELETE_BATCH),
        )
        with pytest.raises(psycopg.errors.RaiseException):
            db.execute("UPDATE audit_logs SET user_id = NULL")
        total = count(db, "audit_logs")
        assert delete(people["alice"], bob).status == 204
        assert get_user(people["alice"], bob).code == "NOT_FOUND"
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
        created = []
        for film in (603, 27205, 155):
            body = {"mediaType": "movie", "tmdbId": film}
            created.append(call("POST", "/api/media/request", token=people["bob"], body=body).data)
        for each in created[:2]:
            path = f"/api/admin/requests/{each['id']}/approve"
            assert call("POST", path, token=people["carol"]).status == 200
        assert delete(people["alice"], id_of(people[name])).status == 204
        assert call("GET", "/api/auth/me", token=people[name]).code == "JWT_INVALID"
        assert len(audited(db, "user.deleted")) == 1
        assert count(db, "users") == 2
        remaining = call("GET", "/api/admin/requests", token=people["alice"]).data
        assert len(remaining) == (0 if name == "bob" else 3)
        assert all("processedBy" not in each for each in remaining)

    def test_interrupted_deletion_continues_with_the_next_call(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "DELETE_BATCH", 1)
        bob = id_of(people["bob"])
        delete_batch = accounts._delete_batch
        steps: list[bool] = []

        def fail(connection: Db, user_id: UUID) -> bool:
            if steps:
                raise database_unavailable()
            steps.append(delete_batch(connection, user_id))
            return steps[0]

        with monkeypatch.context() as patched:
            patched.setattr(accounts, "_delete_batch", fail)
            assert delete(people["alice"], bob).code == "DATABASE_CONNECTION_ERROR"
        assert steps == [False]
        # A partly deleted account is suspended.
        assert get_user(people["alice"], bob).data["status"] == "suspended"
        assert call("GET", "/api/auth/me", token=people["bob"]).code == "JWT_INVALID"
        assert audited(db, "user.deleted") == []
        assert delete(people["alice"], bob).status == 204
        assert get_user(people["alice"], bob).code == "NOT_FOUND"
        assert len(audited(db, "user.deleted")) == 1

    def test_admin_deletes_their_own_account_in_batches(
        self, db: Db, plex_url: str, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "DELETE_BATCH", 1)
        alice = id_of(people["alice"])
        assert delete(people["alice"], alice).code == "LAST_ADMIN"
        assert get_user(people["alice"], alice).data["status"] == "active"
        plex.promote(plex_url, people, "bob")
        assert delete(people["alice"], alice).status == 204
        assert get_user(people["bob"], alice).code == "NOT_FOUND"
        assert [row[:3] for row in audited(db, "user.deleted")] == [(None, "user", alice)]

    def test_foreign_keys_to_users_have_an_index(self, db: Db) -> None:
        unindexed = db.execute(
            "SELECT c.conrelid::regclass::text FROM pg_constraint c"
            " WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass AND NOT EXISTS ("
            "  SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
        ).fetchall()
        # The table is small: one row per changed setting.
        assert unindexed == [("system_config",)]


def test_table_refuses_a_malformed_quota(db: Db, people: dict[str, str]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE users SET quota = %s", (Jsonb([]),))
    db.execute("UPDATE users SET quota = %s", (Jsonb(MOVIES),))
    assert get_user(people["alice"], id_of(people["bob"])).data["quota"] == MOVIES
