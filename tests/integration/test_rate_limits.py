"""Rate limits over the API: which calls count, the headers, and when a caller may retry."""

import io
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from psycopg import sql
from pydantic import SecretStr

from medianest.api.cookies import SECURE_COOKIE
from medianest.audit import repository as audit_repository
from medianest.core.cache import Cache, shared_cache
from medianest.core.caller import Caller
from medianest.core.db import Database, database, database_unavailable
from medianest.core.errors import AppError
from medianest.rate_limits import repository
from medianest.rate_limits import service as rate_limits
from medianest.rate_limits.policies import POLICIES, Policy
from medianest.rate_limits.sliding_window import HEADERS, Bucket, MemoryLog, evaluate, hit_cache
from medianest.sessions import service as sessions
from medianest.signin import passwords, with_password
from medianest.system_config import service as system_config
from tests.support import plex
from tests.support.api import Answer, call, run_schedule
from tests.support.limits import default_limits, set_limit
from tests.support.openapi import SOME_ID

pytestmark = pytest.mark.usefixtures("uncached_settings")

type Db = psycopg.Connection[tuple[Any, ...]]

NAMES = [name.lower() for name in HEADERS]
PIN = ("POST", "/api/auth/plex/pin")
VERIFY = ("POST", "/api/auth/plex/verify")
LOGIN = ("POST", "/api/auth/login")
PASSWORD = ("POST", "/api/auth/password")
SEARCH = ("GET", "/api/media/search")
REQUEST = ("POST", "/api/media/request")
ME = ("GET", "/api/auth/me")
USERS = ("GET", "/api/admin/users")
CREDENTIALS = {"identifier": "ann@example.com", "password": "Wr0ng-and-l0ng!"}


def assert_refused(answer: Answer, policy: str, limit: int, window: int) -> None:
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    retry_after = int(answer.headers["retry-after"])
    assert 1 <= retry_after <= window
    assert answer.details == {
        "policy": policy,
        "limit": limit,
        "window": window,
        "retryAfter": retry_after,
    }
    assert answer.headers["x-ratelimit-limit"] == str(limit)
    assert answer.headers["x-ratelimit-remaining"] == "0"
    resets_in = int(answer.headers["x-ratelimit-reset"]) - time.time()
    assert -1 <= resets_in <= window + 1
    assert f'"{policy}";q={limit};w={window}' in answer.headers["ratelimit-policy"]
    assert f'"{policy}";r=0;t=' in answer.headers["ratelimit"]
    assert int(answer.headers["ratelimit"].partition("t=")[2].partition(",")[0]) <= retry_after


def audited_refusals(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT details->>'policy', user_id::text, host(ip), user_agent, request_id"
        " FROM audit_logs WHERE action = 'limit.exceeded' ORDER BY created_at"
    ).fetchall()


@pytest.fixture
def defaults(db: Db, keys: redis.Redis, plex_url: str) -> Db:
    """Apply the limits of the contract; no call counts yet."""
    default_limits(db)
    return db


@pytest.fixture
def members(people: dict[str, str], db: Db, keys: redis.Redis) -> dict[str, str]:
    """Return the tokens of three users to whom the limits of the contract apply."""
    default_limits(db)
    keys.flushdb()
    return people


@pytest.fixture
def no_cache(environment: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the cache unreachable: nothing listens at its address."""
    unreachable = Cache(SecretStr("redis://127.0.0.1:1/0"))
    for module in (rate_limits, sessions):
        monkeypatch.setattr(module, "shared_cache", lambda: unreachable)
    rate_limits.memory.cache_clear()
    yield
    rate_limits.memory.cache_clear()


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the transactions that the functions open."""
    opened: list[str] = []
    original = Database.transaction

    def transaction(self: Database) -> Any:
        opened.append("BEGIN")
        return original(self)

    monkeypatch.setattr(Database, "transaction", transaction)
    return opened


class TestEachRoute:
    def test_plex_pin_limit_counts_per_address(self, defaults: Db) -> None:
        for remaining in (4, 3, 2, 1, 0):
            answer = call(*PIN, body={})
            assert answer.status == 200
            assert answer.headers["x-ratelimit-limit"] == "5"
            assert answer.headers["x-ratelimit-remaining"] == str(remaining)
            assert set(answer.headers["ratelimit-policy"].split(", ")) == {
                '"auth";q=10;w=60',
                '"plex-pin";q=5;w=300',
            }
            assert f'"auth";r={remaining + 5};t=' in answer.headers["ratelimit"]
            assert "retry-after" not in answer.headers
        assert_refused(call(*PIN, body={}), "plex-pin", 5, 300)
        assert call(*PIN, body={}, ip="203.0.113.8").status == 200

    def test_refused_call_counts_for_no_other_policy(self, defaults: Db) -> None:
        for _ in range(20):
            answer = call(*PIN, body={})
        assert '"auth";r=5;' in answer.headers["ratelimit"]

    def test_failed_logins_count_per_address(self, defaults: Db) -> None:
        for number in range(5):
            body = CREDENTIALS | {"identifier": f"person{number}@example.com"}
            assert call(*LOGIN, body=body).code == "INVALID_CREDENTIALS"
        assert_refused(call(*LOGIN, body=CREDENTIALS), "login", 5, 900)
        assert call(*LOGIN, body=CREDENTIALS, ip="203.0.113.8").code == "INVALID_CREDENTIALS"

    def test_failed_logins_count_per_normalized_identifier(
        self, defaults: Db, keys: redis.Redis
    ) -> None:
        spellings = (
            "ann@example.com",
            "ANN@example.com",
            " Ann@Example.Com",
            "\uff41nn@example.com",
        )
        for number, typed in enumerate((*spellings, "ann@example.com")):
            body = CREDENTIALS | {"identifier": typed}
            assert call(*LOGIN, body=body, ip=f"203.0.113.{number}").status in {400, 401}
        assert_refused(call(*LOGIN, body=CREDENTIALS, ip="198.51.100.1"), "login", 5, 900)
        other = CREDENTIALS | {"identifier": "bob@example.com"}
        assert call(*LOGIN, body=other, ip="198.51.100.1").code == "INVALID_CREDENTIALS"
        assert not any("ann" in key.lower() for key in keys.scan_iter())

    def test_malformed_logins_count_for_the_address_only(self, defaults: Db) -> None:
        for raw in (b"{", b"[]", b"1", b"{}", b'{"identifier": 7}') * 2:
            assert call(*LOGIN, raw=raw).status == 400
        assert_refused(call(*LOGIN, raw=b"{"), "auth", 10, 60)
        assert call(*LOGIN, body=CREDENTIALS, ip="203.0.113.8").code == "INVALID_CREDENTIALS"

    @pytest.mark.parametrize(
        "raw", [b"{", b"[]", b"{}", b'{"identifier": " "}', b'{"identifier": 7}']
    )
    def test_malformed_logins_of_different_addresses_count_separately(
        self, defaults: Db, raw: bytes
    ) -> None:
        for number in range(7):
            assert call(*LOGIN, raw=raw, ip=f"203.0.113.{number}").status == 400
        assert call(*LOGIN, raw=raw, ip="198.51.100.1").status == 400

    def test_password_limit_counts_per_user(self, members: dict[str, str]) -> None:
        body = {"currentPassword": "Wr0ng-and-l0ng!", "newPassword": "An0ther-long-one!"}
        for _ in range(3):
            answer = call(*PASSWORD, body=body, token=members["bob"])
            assert answer.status not in {204, 429}
            assert answer.headers["x-ratelimit-limit"] == "3"
        assert_refused(call(*PASSWORD, body=body, token=members["bob"]), "password", 3, 3600)
        assert call(*PASSWORD, body=body, token=members["carol"]).status != 429
        assert call(*ME, token=members["bob"]).status == 200

    def test_tests_of_servers_count_per_admin(self, members: dict[str, str]) -> None:
        path = f"/api/admin/servers/{SOME_ID}/test"
        for _ in range(10):
            answer = call("POST", path, token=members["alice"])
            assert (answer.status, answer.headers["x-ratelimit-limit"]) == (404, "10")
        assert_refused(call("POST", path, token=members["alice"]), "server-test", 10, 60)
        assert call("POST", path, token=members["carol"]).status == 403
        assert call("GET", "/api/admin/servers", token=members["alice"]).status == 200

    def test_search_limit_is_separate_from_the_general_limit(self, members: dict[str, str]) -> None:
        for _ in range(30):
            assert call(*SEARCH, query={"q": "matrix"}, token=members["bob"]).status == 200
        assert_refused(call(*SEARCH, query={"q": "matrix"}, token=members["bob"]), "search", 30, 60)
        assert call(*ME, token=members["bob"]).headers["x-ratelimit-remaining"] == "99"

    def test_media_request_limit_counts_per_user(self, members: dict[str, str]) -> None:
        body = {"mediaType": "movie", "tmdbId": 603}
        statuses = [call(*REQUEST, body=body, token=members["bob"]).status for _ in range(20)]
        assert statuses == [201] + [409] * 19
        answer = call(*REQUEST, body=body, token=members["bob"])
        assert_refused(answer, "media-request", 20, 3600)
        other = {"mediaType": "movie", "tmdbId": 27205}
        assert call(*REQUEST, body=other, token=members["carol"]).status == 201

    def test_admin_limit_applies_to_admins_and_refused_users(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "admin", 2, 60)
        for name, status in (("alice", 200), ("bob", 403)):
            for _ in range(2):
                answer = call(*USERS, token=members[name])
                assert answer.status == status
                assert answer.headers["ratelimit-policy"] == '"admin";q=2;w=60'
            assert_refused(call(*USERS, token=members[name]), "admin", 2, 60)

    @pytest.mark.parametrize("path", ["/api/auth/me", "/api/auth/csrf", "/api/media/requests"])
    def test_other_routes_of_a_user_have_the_general_limit(
        self, members: dict[str, str], path: str
    ) -> None:
        answer = call("GET", path, token=members["bob"])
        assert answer.status == 200
        assert answer.headers["ratelimit-policy"] == '"api";q=100;w=60'
        assert answer.headers["x-ratelimit-remaining"] == "99"

    def test_errors_and_empty_responses_have_the_headers(self, members: dict[str, str]) -> None:
        malformed = call(*REQUEST, raw=b"{", token=members["bob"])
        sign_out = call("POST", "/api/auth/logout", token=members["bob"])
        assert (malformed.status, sign_out.status) == (400, 204)
        for answer in (malformed, sign_out):
            assert answer.headers.keys() >= set(NAMES)
        exposed = sign_out.headers["access-control-expose-headers"].lower().split(",")
        assert {*NAMES, "retry-after"} <= set(exposed)

    def test_health_and_preflights_are_not_limited(self, defaults: Db) -> None:
        for answer in (call("GET", "/api/health"), call("OPTIONS", "/api/auth/me")):
            assert answer.status < 300
            assert not set(NAMES) & answer.headers.keys()


class TestPinPolling:
    def test_one_poll_per_second_stays_below_the_limit(self, defaults: Db, plex_url: str) -> None:
        handle = plex.begin(plex_url, None)
        codes = {plex.verify(handle).code for _ in range(60)}
        assert codes == {"PIN_PENDING"}

    def test_poll_above_the_limit_is_refused_with_retry_after(
        self, defaults: Db, plex_url: str
    ) -> None:
        set_limit(defaults, "plex-verify", 2, 60)
        handle = plex.begin(plex_url, None)
        assert [plex.verify(handle).code for _ in range(2)] == ["PIN_PENDING"] * 2
        assert_refused(plex.verify(handle), "plex-verify", 2, 60)

    def test_refused_polls_do_not_abort_the_sign_in(self, defaults: Db, plex_url: str) -> None:
        set_limit(defaults, "plex-verify", 1, 1)
        handle = plex.begin(plex_url, "alice")
        set_limit(defaults, "plex-verify", 1, 60)
        pending = plex.begin(plex_url, None)
        assert plex.verify(pending).code == "PIN_PENDING"
        for _ in range(30):
            answer = plex.verify(pending)
            assert answer.code == "RATE_LIMITED"
            assert int(answer.headers["retry-after"]) > 0
        set_limit(defaults, "plex-verify", 90, 60)
        assert plex.verify(pending).code == "PIN_PENDING"
        assert plex.verify(handle).status == 200

    def test_polls_of_different_handles_count_separately(self, defaults: Db, plex_url: str) -> None:
        for name in ("alice", "bob"):
            assert plex.verify(plex.begin(plex_url, name)).status == 200


@pytest.fixture
def local_password(defaults: Db) -> str:
    """Create the local accounts Erin and Frank; return their common password."""
    password = "Cellar-door_42"
    for name, email in (("Erin", "erin@example.com"), ("Frank", "frank@example.com")):
        defaults.execute(
            "INSERT INTO users (email, username, password_hash) VALUES (%s, %s, %s)",
            (email, name, passwords.hash_password(password)),
        )
    return password


def log_in(identifier: str, password: str, ip: str) -> Answer:
    body = {"identifier": identifier, "password": password}
    return call(*LOGIN, body=body, ip=ip)


KNOWN_NETWORK, OTHER_NETWORK, ATTACKER_NETWORK = "198.51.100.1", "198.51.100.2", "203.0.113.66"


class TestFailedLogins:
    @pytest.fixture(params=[False, True], ids=["cache", "database"], autouse=True)
    def counter(self, request: pytest.FixtureRequest) -> None:
        """Count failures in the cache, or in the database while the cache is down."""
        if request.param:
            request.getfixturevalue("no_cache")

    def test_successful_logins_do_not_count(self, db: Db, local_password: str) -> None:
        set_limit(db, "auth", 100, 60)
        for _ in range(8):
            answer = log_in("erin", local_password, ATTACKER_NETWORK)
            assert answer.status == 200
            assert '"login";r=5' in answer.headers["ratelimit"]
        assert log_in("erin", "wrong", ATTACKER_NETWORK).headers["x-ratelimit-remaining"] == "4"

    def test_failures_from_another_network_do_not_lock_out_a_known_network(
        self, db: Db, local_password: str
    ) -> None:
        set_limit(db, "auth", 100, 60)
        assert log_in("erin", local_password, KNOWN_NETWORK).status == 200
        for _ in range(5):
            assert log_in("erin", "wrong", ATTACKER_NETWORK).code == "INVALID_CREDENTIALS"
        assert_refused(log_in("erin", local_password, ATTACKER_NETWORK), "login", 5, 900)
        assert_refused(log_in("erin", local_password, OTHER_NETWORK), "login", 5, 900)
        for name in ("erin", "ERIN", "erin@example.com"):
            assert log_in(name, local_password, KNOWN_NETWORK).status == 200

    def test_known_network_has_a_limit_per_account(self, db: Db, local_password: str) -> None:
        set_limit(db, "auth", 100, 60)
        assert log_in("erin", local_password, KNOWN_NETWORK).status == 200
        for _ in range(5):
            assert log_in("erin", "wrong", KNOWN_NETWORK).code == "INVALID_CREDENTIALS"
        assert_refused(log_in("erin", local_password, KNOWN_NETWORK), "login", 5, 900)
        # The limit is not per address: another account at the same address is not locked out.
        assert log_in("frank", local_password, KNOWN_NETWORK).status == 200

    def test_network_is_known_only_for_accounts_that_signed_in_from_it(
        self, db: Db, local_password: str
    ) -> None:
        set_limit(db, "auth", 100, 60)
        assert log_in("frank", local_password, KNOWN_NETWORK).status == 200
        for _ in range(5):
            log_in("erin", "wrong", ATTACKER_NETWORK)
        assert_refused(log_in("erin", local_password, KNOWN_NETWORK), "login", 5, 900)

    @pytest.mark.parametrize(
        "names", [("erin", "unknown"), ("erin@example.com", "unknown@example.com")]
    )
    def test_unknown_account_is_limited_like_a_known_one(
        self, db: Db, local_password: str, names: tuple[str, str]
    ) -> None:
        set_limit(db, "auth", 100, 60)
        outcomes = []
        for number, name in enumerate(names):
            responses = [log_in(name, "wrong", f"192.0.2.{number}{each}") for each in range(7)]
            # Compare without the remaining seconds, which decrease between the calls.
            remaining = [each.headers["ratelimit"].partition(";t=")[0] for each in responses]
            outcomes.append(
                [(each.status, rest) for each, rest in zip(responses, remaining, strict=True)]
            )
            db.execute("DELETE FROM rate_limit_hits")
        assert outcomes[0] == outcomes[1]
        assert [status for status, _ in outcomes[0]] == [401] * 5 + [429] * 2

    def test_failure_of_the_database_does_not_count_for_a_correct_password(
        self, db: Db, local_password: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_limit(db, "auth", 100, 60)

        def fail(*_: object, **__: object) -> None:
            raise database_unavailable()

        # As in a failover, while a standby serves reads only.
        with monkeypatch.context() as failover:
            failover.setattr(with_password, "open_session", fail)
            failover.setattr(audit_repository, "record", fail)
            for _ in range(6):
                answer = log_in("erin", local_password, ATTACKER_NETWORK)
                assert answer.code == "DATABASE_CONNECTION_ERROR"
                assert '"login";r=5' in answer.headers["ratelimit"]
            # A guess counts, although its failure cannot be audited.
            guess = log_in("erin", "wrong", ATTACKER_NETWORK)
            assert guess.code == "DATABASE_CONNECTION_ERROR"
            assert '"login";r=4' in guess.headers["ratelimit"]
        assert log_in("erin", local_password, ATTACKER_NETWORK).status == 200

    def test_concurrent_guesses_count_before_the_password_is_checked(
        self, db: Db, local_password: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller = Caller("a call", ATTACKER_NETWORK, "tests")
        verify = passwords.verify
        codes: list[str] = []

        def guess() -> None:
            with pytest.raises(AppError) as caught:
                with_password.sign_in("erin", "wrong", caller, None, lambda _: None)
            codes.append(caught.value.code)

        def guess_while_verifying(password: str, password_hash: str | None) -> bool:
            if len(codes) < 6:
                guess()
            return verify(password, password_hash)

        # Each guess starts while the previous one is still being verified.
        monkeypatch.setattr(passwords, "verify", guess_while_verifying)
        guess()
        assert codes.count("INVALID_CREDENTIALS") == 5
        assert codes.count("RATE_LIMITED") >= 1


class TestMalformedCalls:
    """A malformed call counts against the general limit, not against the limit of its route."""

    @pytest.mark.parametrize(
        ("route", "malformed", "valid", "remaining"),
        [
            (REQUEST, {"body": {}}, {"body": {"mediaType": "movie", "tmdbId": 603}}, "19"),
            (REQUEST, {"raw": b"{"}, {"body": {"mediaType": "movie", "tmdbId": 603}}, "19"),
            (SEARCH, {"query": {"q": ""}}, {"query": {"q": "matrix"}}, "29"),
            (SEARCH, {"query": {"q": "x", "no": "1"}}, {"query": {"q": "matrix"}}, "29"),
            (PASSWORD, {"body": {"newPassword": 7}}, {"body": {"newPassword": "Attic_17x"}}, "2"),
        ],
    )
    def test_malformed_call_does_not_count_for_the_route(
        self,
        members: dict[str, str],
        route: tuple[str, str],
        malformed: dict[str, Any],
        valid: dict[str, Any],
        remaining: str,
    ) -> None:
        for number in range(4):
            answer = call(*route, token=members["bob"], **malformed)
            assert answer.status == 400
            assert answer.headers["ratelimit"].startswith(f'"api";r={99 - number};')
        answer = call(*route, token=members["bob"], **valid)
        assert answer.headers["x-ratelimit-remaining"] == remaining

    def test_call_without_a_csrf_token_does_not_count_for_the_route(
        self, members: dict[str, str], db: Db
    ) -> None:
        cookie = {"Cookie": f"{SECURE_COOKIE}={members['bob']}"}
        body = {"currentPassword": "Attic_17x", "newPassword": "Cellar_17x"}
        for number in range(4):
            answer = call(*PASSWORD, body=body, headers={**cookie, "X-CSRF-Token": "of another"})
            assert answer.code == "CSRF_TOKEN_MISMATCH"
            assert answer.headers["ratelimit"].startswith(f'"api";r={99 - number};')
        token = call("GET", "/api/auth/csrf", headers=cookie).data["csrfToken"]
        answer = call(*PASSWORD, body=body, headers={**cookie, "X-CSRF-Token": token})
        assert (answer.code, answer.headers["x-ratelimit-remaining"]) == (
            "INVALID_CREDENTIALS",
            "2",
        )
        set_limit(db, "api", 3, 60)
        system_config.invalidate()
        assert_refused(call(*PASSWORD, body=body, headers=cookie), "api", 3, 60)

    def test_malformed_calls_have_the_general_limit(self, members: dict[str, str], db: Db) -> None:
        set_limit(db, "api", 3, 60)
        for _ in range(3):
            assert call(*REQUEST, token=members["bob"], body={}).status == 400
        assert_refused(call(*REQUEST, token=members["bob"], body={}), "api", 3, 60)


class TestCallerIdentity:
    def test_signed_in_calls_count_per_user_not_per_address(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "api", 3, 60)
        for ip in ("203.0.113.7", "198.51.100.4", "2001:db8::1"):
            assert call(*ME, token=members["bob"], ip=ip).status == 200
        assert call(*ME, token=members["bob"], ip="192.0.2.9").status == 429
        assert call(*ME, token=members["carol"], ip="203.0.113.7").status == 200

    def test_ipv6_addresses_count_per_64_bit_prefix(self, defaults: Db) -> None:
        set_limit(defaults, "plex-pin", 2, 60)
        for ip in ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"):
            assert call(*PIN, body={}, ip=ip).status == 200
        assert call(*PIN, body={}, ip="2001:db8:1:2:3::4").status == 429
        assert call(*PIN, body={}, ip="2001:db8:1:3::1").status == 200

    def test_forwarding_headers_do_not_change_the_address(self, defaults: Db) -> None:
        set_limit(defaults, "plex-pin", 2, 60)
        statuses = []
        for number in range(4):
            names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP")
            spoofed = dict.fromkeys(names, f"198.51.100.{number}")
            statuses.append(call(*PIN, body={}, headers=spoofed).status)
        assert statuses == [200, 200, 429, 429]

    @pytest.mark.parametrize("route", [ME, USERS, SEARCH, PASSWORD])
    def test_calls_with_invalid_tokens_are_limited_per_address(
        self, members: dict[str, str], db: Db, route: tuple[str, str]
    ) -> None:
        set_limit(db, "api", 3, 60)
        for headers in ({}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic eA=="}):
            answer = call(*route, headers=headers)
            assert answer.code == "JWT_INVALID"
            assert answer.headers["ratelimit-policy"] == '"api";q=3;w=60'
        assert_refused(call(*route, token="a.b.c"), "api", 3, 60)
        assert call(*ME, token=members["bob"]).status == 200
        assert call(*route, token="a.b.c", ip="203.0.113.8").code == "JWT_INVALID"


class TestExactness:
    def test_calls_are_accepted_again_after_the_window(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "api", 2, 1)
        bob = members["bob"]
        assert [call(*ME, token=bob).status for _ in range(3)] == [200, 200, 429]
        time.sleep(1)
        assert [call(*ME, token=bob).status for _ in range(3)] == [200, 200, 429]

    def test_refused_calls_do_not_extend_the_wait(self, members: dict[str, str], db: Db) -> None:
        set_limit(db, "api", 1, 1)
        started = time.monotonic()
        assert call(*ME, token=members["bob"]).status == 200
        while call(*ME, token=members["bob"]).status == 429:
            assert time.monotonic() - started < 2
        assert time.monotonic() - started >= 1

    def test_burst_across_a_window_boundary_stays_within_the_limit(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "api", 4, 1)
        accepted: list[tuple[float, float]] = []
        started = time.monotonic()
        while (started_call := time.monotonic()) < started + 2.2:
            if call(*ME, token=members["bob"]).status == 200:
                accepted.append((started_call, time.monotonic()))
        # In any five consecutive accepted calls, the first and the last are a window apart.
        assert len(accepted) >= 8
        for (first_sent, _), (_, last_answered) in zip(accepted, accepted[4:], strict=False):
            assert last_answered - first_sent >= 1

    def test_clock_of_the_cache_server_counts(
        self, members: dict[str, str], db: Db, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_limit(db, "api", 2, 60)
        before = call(*ME, token=members["bob"])
        real_time = time.time
        monkeypatch.setattr(time, "time", lambda: real_time() + 3600)
        after = call(*ME, token=members["bob"])
        assert after.headers["x-ratelimit-reset"] == before.headers["x-ratelimit-reset"]
        assert call(*ME, token=members["bob"]).status == 429

    def test_every_cache_key_expires(
        self, members: dict[str, str], keys: redis.Redis, db: Db
    ) -> None:
        set_limit(db, "plex-pin", 1, 60)
        for _ in range(2):
            call(*ME, token=members["bob"])
            call(*PIN, body={})
            call(*ME, token="a.b.c")
        cache_keys = list(keys.scan_iter("*rl*:*"))
        assert len(cache_keys) == 5  # user, address, auth, plex-pin and the marker of its refusal
        assert all(0 < keys.ttl(key) <= 60 for key in cache_keys)

    def test_script_is_loaded_again_after_a_script_flush(
        self, members: dict[str, str], keys: redis.Redis
    ) -> None:
        before = call(*ME, token=members["bob"])
        keys.script_flush()
        after = call(*ME, token=members["bob"])
        assert (before.status, after.status) == (200, 200)
        assert before.headers["x-ratelimit-remaining"] == "99"
        assert after.headers["x-ratelimit-remaining"] == "98"


class TestReports:
    def test_first_refusal_of_a_window_is_audited_and_logged_once(
        self, members: dict[str, str], db: Db, logs: io.StringIO
    ) -> None:
        set_limit(db, "search", 1, 60)
        responses = [
            call(*SEARCH, query={"q": "x"}, token=members["bob"], ip="2001:db8::7")
            for _ in range(5)
        ]
        assert [response.status for response in responses] == [200, 429, 429, 429, 429]
        bob = call(*ME, token=members["bob"]).data["id"]
        request_id = responses[1].headers["x-request-id"]
        assert audited_refusals(db) == [("search", bob, "2001:db8::7", "tests", request_id)]
        lines = [json.loads(line) for line in logs.getvalue().splitlines()]
        refusals = [line for line in lines if line["message"] == "rate_limit_exceeded"]
        assert len(refusals) == 1
        assert refusals[0].items() >= {"policy": "search", "user_id": bob, "limit": 1}.items()

    def test_refusal_in_the_next_window_is_audited_again(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "search", 1, 1)
        for _ in range(2):
            for _ in range(3):
                call(*SEARCH, query={"q": "x"}, token=members["bob"])
            time.sleep(1)
        assert len(audited_refusals(db)) == 2

    def test_refusal_of_an_anonymous_caller_is_audited_by_address(self, defaults: Db) -> None:
        for _ in range(8):
            call(*PIN, body={}, ip="203.0.113.9")
        assert [row[:3] for row in audited_refusals(defaults)] == [
            ("plex-pin", None, "203.0.113.9")
        ]

    def test_policy_that_refuses_two_subjects_is_reported_once(
        self, defaults: Db, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(6):
            answer = call(*LOGIN, body=CREDENTIALS, ip="203.0.113.9")
        assert_refused(answer, "login", 5, 900)
        assert [row[:3] for row in audited_refusals(defaults)] == [("login", None, "203.0.113.9")]
        assert capsys.readouterr().out.count('"RateLimited":[1.0]') == 1

    def test_further_refusals_open_no_transaction(
        self, defaults: Db, transactions: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        for _ in range(6):
            call(*PIN, body={})
        transactions.clear()
        for _ in range(10):
            assert call(*PIN, body={}).status == 429
        assert transactions == []
        call(*PIN, body={}, ip="203.0.113.8")
        assert transactions != []

    def test_refusals_are_counted_per_policy(
        self, defaults: Db, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(7):
            call(*PIN, body={})
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        metrics = [line for line in lines if "RateLimited" in line]
        assert [line["policy"] for line in metrics] == ["plex-pin", "plex-pin"]


class TestWithoutTheCache:
    def test_general_limits_are_counted_in_memory(
        self, members: dict[str, str], no_cache: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        statuses = [call(*ME, token=members["bob"]).status for _ in range(101)]
        assert statuses == [200] * 100 + [429]
        assert call(*ME, token=members["carol"]).status == 200
        assert capsys.readouterr().out.count('"RateLimitFallback"') >= 102

    def test_sign_in_limits_are_counted_in_the_database(
        self, defaults: Db, no_cache: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        statuses = [call(*PIN, body={}).status for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        # Another environment has the same count: the memory of this one is empty.
        rate_limits.memory.cache_clear()
        answer = call(*PIN, body={})
        assert_refused(answer, "plex-pin", 5, 300)
        assert '"auth";r=5;' in answer.headers["ratelimit"]
        assert call(*PIN, body={}, ip="203.0.113.8").status == 200
        assert [row[:3] for row in audited_refusals(defaults)] == [
            ("plex-pin", None, "203.0.113.7")
        ]
        assert '"RateLimitFallback"' in capsys.readouterr().out

    @pytest.mark.parametrize("route", [VERIFY, LOGIN, PASSWORD])
    def test_limits_of_the_other_sign_in_routes_are_counted_in_the_database(
        self, members: dict[str, str], no_cache: None, db: Db, route: tuple[str, str]
    ) -> None:
        bodies = {VERIFY: {"pinId": "x"}, LOGIN: CREDENTIALS, PASSWORD: {"newPassword": "x"}}
        policies = {VERIFY: "plex-verify", LOGIN: "login", PASSWORD: "password"}
        policy = POLICIES[policies[route]]  # type: ignore[index]  # one of its keys
        set_limit(db, policy.name, policy.limit, 60)
        for _ in range(policy.limit):
            assert call(*route, body=bodies[route], token=members["bob"]).status != 429
        answer = call(*route, body=bodies[route], token=members["bob"])
        assert_refused(answer, policy.name, policy.limit, 60)
        hits = db.execute("SELECT DISTINCT key FROM rate_limit_hits").fetchall()
        assert any(f":{policy.name}:" in key for (key,) in hits)
        assert not any("ann" in key for (key,) in hits)

    def test_calls_are_accepted_again_after_the_window(self, defaults: Db, no_cache: None) -> None:
        set_limit(defaults, "plex-pin", 2, 1)
        assert [call(*PIN, body={}).status for _ in range(3)] == [200, 200, 429]
        time.sleep(1)
        assert [call(*PIN, body={}).status for _ in range(3)] == [200, 200, 429]

    def test_expired_rows_are_deleted(self, defaults: Db, no_cache: None) -> None:
        for ip in ("203.0.113.7", "203.0.113.8"):
            call(*PIN, body={}, ip=ip)
        assert run_schedule("ExpiredRateLimitHits")["deleted"] == 0
        defaults.execute(
            "UPDATE rate_limit_hits SET expires_at = now() - interval '1 second'"
            " WHERE key LIKE '%.7'"
        )
        assert run_schedule("ExpiredRateLimitHits")["deleted"] == 2
        remaining = defaults.execute("SELECT key FROM rate_limit_hits ORDER BY key").fetchall()
        assert remaining == [("{rl}:auth:203.0.113.8",), ("{rl}:plex-pin:203.0.113.8",)]


class TestChangesAtRunTime:
    def test_changed_limit_applies_from_the_next_read(
        self, members: dict[str, str], db: Db
    ) -> None:
        assert call(*ME, token=members["bob"]).headers["x-ratelimit-limit"] == "100"
        set_limit(db, "api", 2, 30)
        answer = call(*ME, token=members["bob"])
        assert answer.headers["ratelimit-policy"] == '"api";q=2;w=30'
        assert call(*ME, token=members["bob"]).status == 429
        set_limit(db, "api", 5, 30)
        assert call(*ME, token=members["bob"]).status == 200
        default_limits(db)
        assert call(*ME, token=members["bob"]).headers["x-ratelimit-limit"] == "100"

    def test_lowered_limit_counts_the_earlier_calls(self, members: dict[str, str], db: Db) -> None:
        for _ in range(10):
            call(*ME, token=members["bob"])
        set_limit(db, "api", 2, 60)
        assert_refused(call(*ME, token=members["bob"]), "api", 2, 60)

    def test_limits_are_read_every_thirty_seconds_only(
        self, members: dict[str, str], db: Db, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        call(*ME, token=members["bob"])
        set_limit(db, "api", 2, 30)
        assert call(*ME, token=members["bob"]).headers["x-ratelimit-limit"] == "100"
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 31)
        assert call(*ME, token=members["bob"]).headers["x-ratelimit-limit"] == "2"

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("rateLimit.api", '{"limit": 0, "window": 60}'),
            ("rateLimit.api", '{"limit": 1001, "window": 60}'),
            ("rateLimit.api", '{"limit": 5, "window": 0}'),
            ("rateLimit.api", '{"limit": 5, "window": 86401}'),
            ("rateLimit.api", '{"limit": "5", "window": 60}'),
            ("rateLimit.api", '{"limit": 5.5, "window": 60}'),
            ("rateLimit.api", '{"limit": true, "window": 60}'),
            ("rateLimit.api", '{"limit": 5}'),
            ("rateLimit.api", '{"limit": 5, "window": 60, "more": 1}'),
            ("rateLimit.api", "5"),
            ("rateLimit.api", "null"),
            ("rateLimit.everything", '{"limit": 5, "window": 60}'),
        ],
    )
    def test_invalid_setting_is_logged_and_ignored(
        self, members: dict[str, str], db: Db, logs: io.StringIO, key: str, value: str
    ) -> None:
        set_limit(db, "search", 7, 70)
        db.execute("INSERT INTO system_config (key, value) VALUES (%s, %s)", (key, value))
        assert call(*ME, token=members["bob"]).headers["ratelimit-policy"] == '"api";q=100;w=60'
        search = call(*SEARCH, query={"q": "x"}, token=members["bob"])
        assert search.headers["ratelimit-policy"] == '"search";q=7;w=70'
        assert f'"key":"{key}"' in logs.getvalue()


def test_script_memory_and_database_give_the_same_results(db: Db, keys: redis.Redis) -> None:
    bounds = {"auth": 6, "login": 3, "plex-pin": 5}
    policies = [Policy(name, limit, 60, "sign-in") for name, limit in bounds.items()]  # type: ignore[arg-type]  # names that exist
    generator = random.Random(7)
    memory, refused_calls = MemoryLog(), 0
    for _ in range(60):
        buckets = [
            Bucket(policy, generator.choice("ab"))
            for policy in generator.sample(policies, generator.randint(1, 3))
        ]
        by_script = hit_cache(shared_cache(), buckets, secrets.token_hex(8))
        assert by_script is not None
        with database().transaction() as connection:
            by_database, _ = repository.hit(connection, buckets)
        for results in (by_database, memory.hit(buckets)):
            for expected, actual in zip(by_script, results, strict=True):
                assert expected._replace(wait=0, resets_at=0) == actual._replace(
                    wait=0, resets_at=0
                )
                assert abs(expected.wait - actual.wait) < 5
        refused_calls += any(result.refused for result in by_script)
    assert 10 < refused_calls < 60


def test_one_statement_charges_as_the_script_does(db: Db, keys: redis.Redis) -> None:
    policy = Policy("api", 4, 60, "memory")
    users = [uuid4(), uuid4()]
    generator = random.Random(8)
    query = sql.SQL("SELECT charged.* FROM {} AS charged").format(sql.SQL(repository.CHARGE))
    firsts = []
    for _ in range(16):
        bucket = Bucket(policy, generator.choice(users))
        [expected] = hit_cache(shared_cache(), [bucket], secrets.token_hex(8)) or []
        row = db.execute(query, repository.charge_parameters(bucket)).fetchone()
        assert row is not None
        charged = repository.Charged(*row)
        [found] = evaluate([bucket], [charged.calls], [charged.marked], charged.at)
        assert found._replace(wait=0, resets_at=0) == expected._replace(wait=0, resets_at=0)
        assert abs(found.wait - expected.wait) < 5
        firsts.append(found.first)
    assert firsts.count(True) == len(users)
    assert db.execute("SELECT count(*) FROM rate_limit_hits").fetchone() == (10,)


@pytest.fixture
def database_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes the database unreachable."""

    def unavailable() -> None:
        raise database_unavailable()

    return lambda: monkeypatch.setattr(database(), "transaction", unavailable)


def test_anonymous_calls_are_limited_while_the_database_is_down(
    defaults: Db, database_down: Callable[[], None]
) -> None:
    set_limit(defaults, "api", 2, 60)
    assert call(*ME, token="a.b.c").code == "JWT_INVALID"
    database_down()
    # The limit comes from the cached settings; no audit row is written.
    assert call(*ME, token="a.b.c").code == "JWT_INVALID"
    assert_refused(call(*ME, token="a.b.c"), "api", 2, 60)


def test_sign_in_fails_without_cache_and_database(
    defaults: Db, no_cache: None, database_down: Callable[[], None]
) -> None:
    database_down()
    answer = call(*PIN, body={})
    assert answer.code == "DATABASE_CONNECTION_ERROR"
    assert int(answer.headers["retry-after"]) >= 1
