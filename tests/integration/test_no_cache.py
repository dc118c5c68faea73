"""A service without a cache (`REDIS_URL=none`): one statement for session and limit."""

import io
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from medianest.core import drivers
from medianest.core.cache import shared_cache
from medianest.core.db import database, database_unavailable
from medianest.core.environment import load
from medianest.jobs import bell
from medianest.rate_limits import service as rate_limits
from medianest.sessions import tokens
from medianest.system_config import service as system_config
from tests.support.api import Answer, call, run_schedule
from tests.support.job_queue import noted_bells
from tests.support.limits import default_limits, set_limit
from tests.support.wire import Recording

pytestmark = pytest.mark.usefixtures("uncached_settings")

type Db = psycopg.Connection[tuple[Any, ...]]

ME = ("GET", "/api/auth/me")
USERS = ("GET", "/api/admin/users")
SEARCH = ("GET", "/api/media/search")
CACHE_METRICS = ("CacheUnavailable", "RateLimitFallback", "SessionEndNotCached")


@pytest.fixture(autouse=True)
def no_cache(people: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run without a cache; the functions have no memory of calls."""
    monkeypatch.setattr(shared_cache(), "_secret", SecretStr("none"))
    rate_limits.memory.cache_clear()
    yield
    rate_limits.memory.cache_clear()


@pytest.fixture
def members(people: dict[str, str], db: Db) -> dict[str, str]:
    """Return the tokens of three users to whom the limits of the contract apply."""
    default_limits(db)
    return people


def hits(db: Db) -> dict[str, int]:
    """Return the number of rows of each key of a user."""
    rows = db.execute(
        "SELECT split_part(key, ':', 2), count(*) FROM rate_limit_hits"
        " WHERE key LIKE 'rl:%' GROUP BY 1"
    )
    return dict(rows.fetchall())


class TestCosts:
    @pytest.mark.parametrize(
        ("path", "name", "number"),
        [
            ("/api/auth/csrf", "bob", 1),
            ("/api/auth/me", "bob", 2),
            ("/api/media/requests", "bob", 2),
            ("/api/admin/requests", "alice", 2),
        ],
    )
    def test_session_and_limit_take_one_statement(
        self,
        people: dict[str, str],
        statements: Recording,
        cache_round_trips: list[object],
        path: str,
        name: str,
        number: int,
    ) -> None:
        cookie = {"Cookie": f"__Host-medianest_session={people[name]}"}
        for _ in range(2):
            statements.statements.clear()
            assert call("GET", path, headers=cookie).status == 200
        assert len(statements.statements) == number
        assert "charge_call" in statements.statements[0]
        assert not {"BEGIN", "COMMIT"} & set(statements.statements)
        assert statements.session_state == []
        assert cache_round_trips == []

    def test_no_function_imports_the_client_of_a_cache(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded: list[str] = []
        monkeypatch.setattr(drivers, "import_module", loaded.append)
        monkeypatch.setenv("REDIS_URL", "none")
        drivers.load("psycopg", "redis")
        assert loaded == ["psycopg", "encodings.idna"]
        monkeypatch.setenv("REDIS_URL", "redis://localhost")
        drivers.load("redis")
        assert loaded[2:] == ["redis", "encodings.idna"]

    @pytest.mark.parametrize(
        ("route", "options", "status"),
        [(ME, {"token": "a.b.c"}, 401), (ME, {}, 401), (("GET", "/api/auth/session"), {}, 200)],
    )
    def test_a_stranger_costs_no_statement(
        self,
        members: dict[str, str],
        db: Db,
        monkeypatch: pytest.MonkeyPatch,
        route: tuple[str, str],
        options: dict[str, str],
        status: int,
    ) -> None:
        set_limit(db, "api", 3, 60)
        assert call(*route, **options).status == status
        monkeypatch.setattr(system_config, "CACHE_SECONDS", 30.0)
        for name in ("transaction", "read"):
            monkeypatch.setattr(database(), name, _unavailable)
        assert [call(*route, **options).status for _ in range(3)] == [status, status, 429]


def _unavailable(*_: object) -> None:
    raise database_unavailable()


class TestLimits:
    def test_the_limit_of_a_user_is_exact_in_all_environments(
        self, members: dict[str, str], db: Db, capsys: pytest.CaptureFixture[str]
    ) -> None:
        set_limit(db, "api", 4, 60)
        answers: list[Answer] = []
        for _ in range(6):
            answers.append(call(*ME, token=members["bob"]))
            rate_limits.memory.cache_clear()  # as in another environment
        assert [each.status for each in answers] == [200] * 4 + [429] * 2
        remaining = [each.headers["x-ratelimit-remaining"] for each in answers]
        assert remaining == ["3", "2", "1", "0", "0", "0"]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert call(*ME, token=members["carol"]).status == 200
        # Four calls and one mark of the refusal, of which one audit row tells; a call of carol.
        assert hits(db) == {"api": 6}
        audited = db.execute("SELECT count(*) FROM audit_logs WHERE action = 'limit.exceeded'")
        assert audited.fetchone() == (1,)
        printed = capsys.readouterr().out
        assert '"RateLimited"' in printed
        assert not any(name in printed for name in CACHE_METRICS)

    def test_a_window_ends(self, members: dict[str, str], db: Db) -> None:
        set_limit(db, "api", 2, 60)
        assert [call(*ME, token=members["bob"]).status for _ in range(3)] == [200, 200, 429]
        db.execute("UPDATE rate_limit_hits SET at = at - interval '1 minute'")
        assert [call(*ME, token=members["bob"]).status for _ in range(3)] == [200, 200, 429]

    def test_malformed_calls_count_against_the_general_limit(
        self, members: dict[str, str], db: Db
    ) -> None:
        assert call(*SEARCH, query={"q": ""}, token=members["bob"]).status == 400
        assert hits(db) == {"api": 1}
        assert call(*SEARCH, query={"q": "x"}, token=members["bob"]).status == 200
        assert hits(db) == {"api": 1, "search": 1}

    def test_an_admin_route_counts_and_refuses_others(
        self, members: dict[str, str], db: Db
    ) -> None:
        set_limit(db, "admin", 20, 60)
        assert [call(*USERS, token=members["alice"]).status for _ in range(21)][-2:] == [200, 429]
        assert call(*USERS, token=members["bob"]).code == "FORBIDDEN"

    def test_a_session_that_is_not_live_is_not_charged(
        self, members: dict[str, str], db: Db
    ) -> None:
        bob = call(*ME, token=members["bob"])
        assert hits(db) == {"api": 1}
        claims = tokens.verify(members["bob"])
        for change in (
            "UPDATE users SET status = 'suspended' WHERE username = 'bob'",
            "UPDATE sessions SET revoked_at = now()",
        ):
            db.execute(change)
            assert call(*ME, token=members["bob"]).code == "JWT_INVALID"
        assert hits(db) == {"api": 1}
        assert str(claims.user_id) == bob.data["id"]

    def test_a_session_of_another_user_is_not_charged(
        self, members: dict[str, str], db: Db
    ) -> None:
        claims = tokens.verify(members["bob"])
        session = db.execute("SELECT id FROM sessions WHERE user_id = %s", (claims.user_id,))
        assert session.fetchone() == (claims.session_id,)
        db.execute("UPDATE sessions SET user_id = (SELECT id FROM users WHERE username = 'carol')")
        assert call(*ME, token=members["bob"]).code == "JWT_INVALID"
        assert hits(db) == {}


class TestSessions:
    def test_a_revoked_session_ends_at_once_and_its_tombstone_is_cleaned_up(
        self, people: dict[str, str], db: Db, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call(*ME, token=people["bob"]).status == 200
        assert call("POST", "/api/auth/logout", token=people["bob"]).status == 204
        assert call(*ME, token=people["bob"]).code == "JWT_INVALID"
        assert call(*ME, token=people["carol"]).status == 200
        db.execute("UPDATE session_tombstones SET created_at = now() - interval '6 minutes'")
        run_schedule("ExpiredSessions")
        assert db.execute("SELECT count(*) FROM session_tombstones").fetchone() == (0,)
        assert not any(name in capsys.readouterr().out for name in CACHE_METRICS)

    def test_the_last_use_is_noted(self, people: dict[str, str], db: Db) -> None:
        db.execute("UPDATE sessions SET last_seen_at = now() - interval '6 minutes'")
        assert call(*ME, token=people["bob"]).status == 200
        recent = db.execute(
            "SELECT count(*) FROM sessions WHERE last_seen_at > now() - interval '1 minute'"
        )
        assert recent.fetchone() == (1,)


def test_titles_are_searched_requested_and_approved(
    people: dict[str, str], logs: io.StringIO
) -> None:
    found = call(*SEARCH, query={"q": "inception"}, token=people["bob"])
    assert found.data[0]["title"] == "Inception"
    body = {"mediaType": "movie", "tmdbId": found.data[0]["tmdbId"]}
    request = call("POST", "/api/media/request", body=body, token=people["bob"])
    assert request.status == 201
    path = f"/api/admin/requests/{request.data['id']}/approve"
    assert call("POST", path, body={}, token=people["alice"]).status == 200
    assert call("GET", "/api/admin/stats", token=people["alice"]).data["requests"]["total"] == 1
    assert "cache_failed" not in logs.getvalue()


def test_one_delayed_bell_is_on_its_way_however_often_the_worker_runs(db: Db) -> None:
    with noted_bells() as messages:
        for seconds in (3600, 3600.5, 7200, 3599.5):
            bell.ring_in(seconds)
        assert [delay for _, delay in messages] == [900]
        bell.ring_in(600)  # earlier than the one on its way
        bell.ring_in(0)
        bell.ring_in(900)
        assert [delay for _, delay in messages] == [900, 600, 0]
        # The early one rings, is passed on without a statement, and then another follows.
        assert bell.pass_on(bell.Bell(time.time() + 600, "x")) is True
        db.execute("UPDATE next_bell SET rings_at = now() - interval '1 second'")
        bell.ring_in(3600)
        bell.ring_in(3600)
    assert [delay for _, delay in messages] == [900, 600, 0, 600, 900]
    assert db.execute("SELECT count(*) FROM next_bell").fetchone() == (1,)


def test_a_bell_that_the_queue_refuses_leaves_room_for_the_next(db: Db) -> None:
    with noted_bells(status=500):
        bell.ring_in(60)
    assert db.execute("SELECT count(*) FROM next_bell").fetchone() == (0,)
    with noted_bells() as messages:
        bell.ring_in(60)
    assert [delay for _, delay in messages] == [60]


def test_without_a_queue_no_bell_is_noted(db: Db) -> None:
    bell.ring_in(60)
    assert db.execute("SELECT count(*) FROM next_bell").fetchone() == (0,)


def test_health_tells_that_there_is_no_cache() -> None:
    answer = call("GET", "/api/health")
    assert answer.data["status"] == "healthy"
    assert answer.data["checks"]["cache"] == {"status": "none", "latencyMs": 0}
    assert answer.data["checks"]["database"]["status"] == "healthy"


def test_a_read_on_a_dead_connection_is_repeated(people: dict[str, str], db: Db) -> None:
    assert call(*ME, token=people["bob"]).status == 200
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND application_name LIKE 'medianest-%'"
    )
    assert call(*ME, token=people["bob"]).status == 200


def test_production_accepts_a_service_without_a_cache() -> None:
    environ = {"NODE_ENV": "production", "REDIS_URL": "none"}
    loaded = load(environ, "REDIS_URL")
    assert loaded.redis_url is not None
    assert loaded.redis_url.get_secret_value() == "none"
