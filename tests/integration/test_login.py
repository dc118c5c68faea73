"""Local accounts: sign-in with a password, and password changes."""

import io
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import argon2
import psycopg
import pytest
from argon2.low_level import Type

from local.standins.plex.resources import SERVER_ID
from medianest.core.db import database
from medianest.core.environment import load
from medianest.signin import passwords, with_plex
from medianest.users import repository as users_repository
from medianest.users.models import User
from tests.support import plex
from tests.support.api import Answer, call
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]

PASSWORD = "Sunset-Garden-42"
OTHER = "Walnut-Harbour-87"
# Rate limits apply per address, so each call uses another address.
_ADDRESSES = (f"198.51.100.{number}" for number in itertools.cycle(range(1, 255)))


def add_user(name: str, password: str = PASSWORD, email: str | None = None) -> User:
    with database().transaction() as connection:
        user = users_repository.add_local_user(
            connection,
            email=email or f"{name}@example.com",
            username=name,
            password_hash=passwords.hash_password(password),
            role="user",
        )
    assert user is not None
    return user


@pytest.fixture
def erin(db: Db, keys: object) -> User:
    return add_user("Erin", email="Erin.Example@example.com")


def login(identifier: str, password: str = PASSWORD, **fields: Any) -> Answer:
    return call(
        "POST",
        "/api/auth/login",
        body={"identifier": identifier, "password": password, **fields},
        ip=next(_ADDRESSES),
    )


def token_of(identifier: str, password: str = PASSWORD) -> str:
    token: str = login(identifier, password).data["token"]
    return token


def change(token: str, current: str | None = PASSWORD, new: str = OTHER) -> Answer:
    body = {"newPassword": new} | ({} if current is None else {"currentPassword": current})
    return call("POST", "/api/auth/password", body=body, token=token, ip=next(_ADDRESSES))


def is_signed_in(token: str) -> bool:
    answer = call("GET", "/api/auth/me", token=token, ip=next(_ADDRESSES))
    assert answer.status in {200, 401}
    return answer.status == 200


def stored_hash(db: Db, user: User) -> str:
    row = db.execute("SELECT password_hash FROM users WHERE id = %s", (user.id,)).fetchone()
    assert row is not None
    return str(row[0])


def audited_details(db: Db, action: str) -> list[tuple[UUID | None, dict[str, Any]]]:
    rows = db.execute(
        "SELECT user_id, details FROM audit_logs WHERE action = %s ORDER BY created_at", (action,)
    )
    return [(row[0], row[1]) for row in rows]


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


@pytest.fixture
def argon2_calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the calls of Argon2."""
    counter: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call_and_count(*arguments: Any, **options: Any) -> Any:
            counter[name] += 1
            return function(*arguments, **options)

        return call_and_count

    for name in ("hash", "verify"):
        function = getattr(argon2.PasswordHasher, name)
        monkeypatch.setattr(argon2.PasswordHasher, name, counted(name, function))
    return counter


class TestLogin:
    def test_sign_in_returns_a_bearer_token(self, erin: User) -> None:
        answer = login("Erin")
        assert answer.status == 200
        assert answer.data.keys() == {"user", "expiresAt", "token"}
        assert answer.data["user"].keys() == {
            "id", "email", "username", "role", "createdAt", "updatedAt",
        }  # fmt: skip
        assert answer.data["user"]["id"] == str(erin.id)
        assert "set-cookie" not in answer.headers
        me = call("GET", "/api/auth/me", token=answer.data["token"], ip=next(_ADDRESSES))
        assert me.data == answer.data["user"]

    def test_sign_in_sets_a_cookie(self, erin: User) -> None:
        answer = login("Erin", session="cookie")
        assert answer.data.keys() == {"user", "expiresAt", "csrfToken"}
        cookie = answer.headers["set-cookie"].partition(";")[0]
        assert cookie.startswith("__Host-medianest_session=")
        assert cookie.partition("=")[2] not in answer.text
        me = call("GET", "/api/auth/me", headers={"Cookie": cookie}, ip=next(_ADDRESSES))
        assert me.data == answer.data["user"]

    @pytest.mark.parametrize(
        "identifier",
        [
            "Erin",
            "erin",
            "ERIN",
            "Erin.Example@example.com",
            "ERIN.EXAMPLE@EXAMPLE.COM",
            " Erin ",
            "\u00a0erin\n",
            "\uff25rin",
            "erin.example\uff20example.com",
        ],
    )
    def test_identifier_ignores_case_spaces_and_unicode_form(
        self, erin: User, identifier: str
    ) -> None:
        assert login(identifier).status == 200

    @pytest.mark.parametrize(
        "identifier",
        ["%", "E%", "_rin", "Er in", "Er\u00edn", "erin.example", "' OR 1=1 --", "e\\rin"],
    )
    def test_identifier_does_not_match_patterns_or_similar_names(
        self, erin: User, identifier: str
    ) -> None:
        assert_refused(login(identifier))

    @pytest.mark.parametrize(
        "password", [PASSWORD.lower(), PASSWORD + " ", PASSWORD[:-1], "%", PASSWORD + "x" * 100]
    )
    def test_wrong_password_is_refused_without_a_session(
        self, db: Db, erin: User, password: str
    ) -> None:
        assert_refused(login("Erin", password))
        assert count(db, "sessions") == 0
        assert login("Erin").status == 200

    def test_unknown_account_and_wrong_password_have_equal_response_and_cost(
        self, db: Db, erin: User, plex_url: str, argon2_calls: Counter[str]
    ) -> None:
        plex.sign_in(plex_url, "bob")
        responses = []
        for identifier in ("Erin", "unknown", "unknown@example.com", "bob", "bob@example.com"):
            argon2_calls.clear()
            response = login(identifier, "Wrong-Password-1")
            assert_refused(response)
            responses.append(response.text)
            assert argon2_calls == {"verify": 1}
        assert len(set(responses)) == 1

    def test_dummy_hash_of_unknown_accounts_is_not_accepted_as_a_password(self, erin: User) -> None:
        assert_refused(login("unknown", passwords.UNKNOWN_ACCOUNT_HASH))

    def test_invalid_body_is_refused_before_hashing(
        self, erin: User, argon2_calls: Counter[str]
    ) -> None:
        for answer in (login("Erin", "x" * 129), login("x" * 255), login("Erin", "")):
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert argon2_calls == {}

    def test_suspension_is_reported_only_with_the_correct_password(
        self, db: Db, erin: User
    ) -> None:
        db.execute("UPDATE users SET status = 'suspended'")
        assert_refused(login("Erin", "Wrong-Password-1"))
        answer = login("Erin")
        assert (answer.status, answer.code) == (403, "ACCOUNT_SUSPENDED")
        assert count(db, "sessions") == 0
        db.execute("UPDATE users SET status = 'active'")
        assert login("Erin").status == 200

    @pytest.mark.parametrize(
        "hasher",
        [
            argon2.PasswordHasher(),
            argon2.PasswordHasher(time_cost=2, memory_cost=8, parallelism=1),
            argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.I),
        ],
        ids=["library-defaults", "more-passes", "argon2i"],
    )
    def test_sign_in_rehashes_a_password_with_outdated_parameters(
        self, db: Db, erin: User, hasher: argon2.PasswordHasher
    ) -> None:
        previous = hasher.hash(PASSWORD)
        db.execute("UPDATE users SET password_hash = %s", (previous,))
        assert_refused(login("Erin", OTHER))
        assert stored_hash(db, erin) == previous
        assert login("Erin").status == 200
        current = stored_hash(db, erin)
        assert not passwords.is_outdated(current)
        assert login("Erin").status == 200
        assert stored_hash(db, erin) == current

    def test_plex_account_with_the_same_email_is_a_separate_user(
        self, db: Db, erin: User, plex_url: str
    ) -> None:
        local = add_user("bob")
        by_plex = plex.sign_in(plex_url, "bob")["user"]
        assert by_plex["email"] == local.email
        assert by_plex["id"] != str(local.id)
        assert login("bob").data["user"]["id"] == str(local.id)
        assert plex.sign_in(plex_url, "bob")["user"]["id"] == by_plex["id"]

    @pytest.mark.parametrize("name", ["admin", "administrator", "root", "medianest"])
    def test_fresh_deployment_has_no_default_account(self, db: Db, keys: object, name: str) -> None:
        for password in (name, "password", "changeme", "Admin123!"):
            assert_refused(login(name, password))
        assert_refused(login(f"{name}@medianest.local", "admin"))

    def test_sign_in_is_refused_when_the_password_changes_concurrently(
        self, db: Db, erin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verify, changed = passwords.verify, passwords.hash_password(OTHER)

        def slow_verify(password: str, password_hash: str | None) -> bool:
            matches = verify(password, password_hash)
            db.execute("UPDATE users SET password_hash = %s", (changed,))
            return matches

        with monkeypatch.context() as patched:
            patched.setattr(passwords, "verify", slow_verify)
            assert_refused(login("Erin"))
        assert count(db, "sessions") == 0
        assert login("Erin", OTHER).status == 200

    def test_sign_in_succeeds_when_the_hash_is_renewed_concurrently(
        self, db: Db, erin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verify, renewed = passwords.verify, passwords.hash_password(PASSWORD)

        def slow_verify(password: str, password_hash: str | None) -> bool:
            matches = verify(password, password_hash)
            db.execute("UPDATE users SET password_hash = %s", (renewed,))
            return matches

        monkeypatch.setattr(passwords, "verify", slow_verify)
        assert login("Erin").status == 200
        assert count(db, "sessions") == 1


class TestAccountConstraints:
    @pytest.mark.parametrize(
        ("email", "username"),
        [
            ("erin.example@example.com", "other"),
            ("ERIN.EXAMPLE@EXAMPLE.COM", "other"),
            ("other@example.com", "erin"),
            ("other@example.com", "ERIN"),
        ],
    )
    def test_email_and_username_are_unique_ignoring_case(
        self, db: Db, erin: User, email: str, username: str
    ) -> None:
        with database().transaction() as connection:
            user = users_repository.add_local_user(
                connection, email=email, username=username, password_hash="x", role="user"
            )
        assert user is None
        assert count(db, "users") == 1

    @pytest.mark.parametrize(
        ("email", "username", "password_hash"),
        [
            ("a@example.com", "a", None),
            ("a@example.com", "b@example.com", "x"),
            ("a", "a", "x"),
        ],
        ids=["no-credential", "username-with-at-sign", "invalid-email"],
    )
    def test_inconsistent_rows_violate_a_constraint(
        self, db: Db, email: str, username: str, password_hash: str | None
    ) -> None:
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(
                "INSERT INTO users (email, username, password_hash) VALUES (%s, %s, %s)",
                (email, username, password_hash),
            )


class TestChangePassword:
    def test_new_password_replaces_the_current_one(self, db: Db, erin: User) -> None:
        answer = change(token_of("Erin"))
        assert (answer.status, answer.text) == (204, "")
        assert not passwords.is_outdated(stored_hash(db, erin))
        assert_refused(login("Erin"))
        assert login("Erin", OTHER).status == 200

    def test_change_revokes_every_other_session_of_the_user(
        self, erin: User, plex_url: str
    ) -> None:
        add_user("frank")
        own_token, other, third = (token_of("Erin") for _ in range(3))
        frank = token_of("frank")
        assert change(own_token).status == 204
        assert [is_signed_in(token) for token in (own_token, other, third, frank)] == [
            True, False, False, True,
        ]  # fmt: skip

    @pytest.mark.parametrize("current", [None, "", "Wrong-Password-1", PASSWORD.lower(), OTHER])
    def test_change_without_the_current_password_is_refused(
        self, db: Db, erin: User, current: str | None
    ) -> None:
        own_token, other = token_of("Erin"), token_of("Erin")
        previous = stored_hash(db, erin)
        answer = change(own_token, current)
        if current == "":
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        else:
            assert_refused(answer)
        assert stored_hash(db, erin) == previous
        assert is_signed_in(other)
        assert change(own_token).status == 204

    def test_plex_account_cannot_set_a_password(self, db: Db, keys: object, plex_url: str) -> None:
        token = plex.sign_in(plex_url, "bob")["token"]
        for current in (None, PASSWORD):
            assert_refused(change(token, current))
        assert db.execute("SELECT password_hash FROM users").fetchall() == [(None,)]
        assert is_signed_in(token)

    @pytest.mark.parametrize(
        ("new", "violations"),
        [
            ("Short-1", 1),
            ("Password1!", 1),
            ("My-Erin-Password-1", 1),
            (PASSWORD, 1),
            ("qwertyui", 4),
        ],
    )
    def test_password_that_breaks_the_policy_is_refused(
        self, db: Db, erin: User, new: str, violations: int
    ) -> None:
        own_token, other = token_of("Erin"), token_of("Erin")
        previous = stored_hash(db, erin)
        answer = change(own_token, new=new)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert [item["field"] for item in answer.details] == ["body.newPassword"] * violations
        assert all(item["message"] and new not in item["message"] for item in answer.details)
        assert stored_hash(db, erin) == previous
        assert is_signed_in(other)

    def test_policy_is_reported_only_with_the_current_password(self, erin: User) -> None:
        assert_refused(change(token_of("Erin"), "Wrong-Password-1", "short"))

    @pytest.mark.parametrize("new", ["kV7#mQ2x" * 8, "kV7#mQ2x" * 16, "Zażółć-Gęślą-😀-7"])
    def test_long_and_unicode_passwords_are_accepted(self, erin: User, new: str) -> None:
        assert change(token_of("Erin"), new=new).status == 204
        assert login("Erin", new).status == 200
        assert_refused(login("Erin", new[:-1] + "?"))

    def test_change_in_a_cookie_session_needs_the_csrf_token(self, erin: User) -> None:
        signed_in = login("Erin", session="cookie")
        headers = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
        body = {"currentPassword": PASSWORD, "newPassword": OTHER}
        refused = call(
            "POST", "/api/auth/password", body=body, headers=headers, ip=next(_ADDRESSES)
        )
        assert (refused.status, refused.code) == (403, "CSRF_TOKEN_MISMATCH")
        headers["X-CSRF-Token"] = signed_in.data["csrfToken"]
        accepted = call(
            "POST", "/api/auth/password", body=body, headers=headers, ip=next(_ADDRESSES)
        )
        assert accepted.status == 204

    def test_slower_of_two_concurrent_changes_is_refused(
        self, db: Db, erin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own_token, other = token_of("Erin"), token_of("Erin")
        hash_password, faster = passwords.hash_password, passwords.hash_password(OTHER)

        def slow_hash(password: str) -> str:
            db.execute("UPDATE users SET password_hash = %s", (faster,))
            return hash_password(password)

        monkeypatch.setattr(passwords, "hash_password", slow_hash)
        assert_refused(change(own_token, new="Copper-Meadow-19"))
        assert stored_hash(db, erin) == faster
        assert is_signed_in(other)


class TestAudit:
    def test_successful_sign_in_is_audited(self, db: Db, erin: User) -> None:
        login("Erin")
        assert audited_details(db, "auth.sign_in") == [(erin.id, {"method": "password"})]
        assert audited_details(db, "auth.sign_in_failed") == []

    def test_failed_sign_ins_are_audited_and_logged_with_their_reason(
        self, db: Db, erin: User, logs: io.StringIO
    ) -> None:
        login("a-password-typed-as-a-name")
        refused = login("Erin", "Wrong-Password-1")
        db.execute("UPDATE users SET status = 'suspended'")
        login("Erin")
        assert audited_details(db, "auth.sign_in_failed") == [
            (None, {"method": "password", "reason": "unknown_account"}),
            (erin.id, {"method": "password", "reason": "wrong_password"}),
            (erin.id, {"method": "password", "reason": "suspended"}),
        ]
        assert audited_details(db, "auth.sign_in") == []
        audit_rows = db.execute("SELECT audit_logs::text FROM audit_logs").fetchall()
        assert "a-password-typed-as-a-name" not in str(audit_rows)
        by_request = db.execute(
            "SELECT details->>'reason' FROM audit_logs WHERE request_id = %s",
            (refused.headers["x-request-id"],),
        ).fetchall()
        assert by_request == [("wrong_password",)]
        logged = [json.loads(line) for line in logs.getvalue().splitlines()]
        failures = [line for line in logged if line.get("message") == "sign_in_failed"]
        assert [line["cause"] for line in failures] == [
            "unknown_account", "wrong_password", "suspended",
        ]  # fmt: skip
        assert failures[1]["user_id"] == str(erin.id)

    def test_password_changes_are_audited(self, db: Db, erin: User) -> None:
        own_token, _ = token_of("Erin"), token_of("Erin")
        change(own_token, "Wrong-Password-1")
        assert audited_details(db, "auth.password_failed") == [
            (erin.id, {"reason": "wrong_password"})
        ]
        assert audited_details(db, "auth.password_changed") == []
        change(own_token)
        assert audited_details(db, "auth.password_changed") == [(erin.id, {"sessions": 1})]

    def test_password_change_of_a_plex_account_is_audited_as_failed(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        signed_in = plex.sign_in(plex_url, "bob")
        change(signed_in["token"])
        user_id = UUID(signed_in["user"]["id"])
        assert audited_details(db, "auth.password_failed") == [(user_id, {"reason": "no_password"})]

    def test_sign_in_of_a_suspended_plex_account_is_audited_as_failed(
        self, db: Db, keys: object, plex_url: str
    ) -> None:
        user_id = UUID(plex.sign_in(plex_url, "bob")["user"]["id"])
        db.execute("UPDATE users SET status = 'suspended'")
        assert plex.verify(plex.begin(plex_url, "bob")).code == "ACCOUNT_SUSPENDED"
        assert audited_details(db, "auth.sign_in_failed") == [
            (user_id, {"method": "plex", "reason": "suspended"})
        ]

    def test_sign_in_of_a_plex_account_without_access_is_audited_as_failed(
        self, db: Db, keys: object, plex_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = load({**os.environ, "PLEX_SERVER_ID": SERVER_ID})
        monkeypatch.setattr(with_plex, "environment", lambda: settings)
        assert plex.verify(plex.begin(plex_url, "dave")).code == "PLEX_ACCESS_DENIED"
        [(user_id, details)] = audited_details(db, "auth.sign_in_failed")
        assert user_id is None
        assert details == {"method": "plex", "reason": "no_access", "plexId": "1004"}
        assert count(db, "users") == 0

    @pytest.fixture
    def metrics(self, capsys: pytest.CaptureFixture[str]) -> Callable[[], Counter[str]]:
        """Return a function that counts the metrics since its previous call."""

        def count_new() -> Counter[str]:
            lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            return Counter(
                metric["Name"]
                for line in lines
                for group in line["_aws"]["CloudWatchMetrics"]
                for metric in group["Metrics"]
            )

        return count_new

    def test_failures_are_counted_in_metrics(
        self, erin: User, logs: io.StringIO, metrics: Callable[[], Counter[str]]
    ) -> None:
        token = token_of("Erin")
        assert metrics() == {"SignIn": 1}
        login("Erin", "Wrong-Password-1")
        assert metrics() == {"SignInFailed": 1}
        change(token, "Wrong-Password-1")
        assert metrics() == {"PasswordChangeFailed": 1}


def test_passwords_and_hashes_are_not_in_responses_logs_or_audit_rows(
    db: Db, erin: User, logs: io.StringIO
) -> None:
    responses = [
        login("Erin"),
        login("Erin", "CANARY-Wrong-1"),
        login("unknown-CANARY", PASSWORD),
        login("Erin", "CANARY" * 30),
    ]
    token = responses[0].data["token"]
    responses += [
        change(token, "CANARY-Wrong-1"),
        change(token, PASSWORD, "CANARY"),
        change(token, PASSWORD, "CANARY-Harbour-87"),
        call("GET", "/api/auth/me", token=token, ip=next(_ADDRESSES)),
    ]
    assert [response.status for response in responses] == [200, 401, 401, 400, 401, 400, 204, 200]
    audit = str(db.execute("SELECT audit_logs::text FROM audit_logs").fetchall())
    for text in (*(response.text for response in responses), logs.getvalue(), audit):
        assert PASSWORD not in text
        assert "CANARY" not in text
        assert "argon2" not in text
        assert stored_hash(db, erin) not in text
    assert "sign_in_failed" in logs.getvalue()
