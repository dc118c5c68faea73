"""The figures of the admin dashboard."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from pydantic import SecretStr

from medianest.core.cache import Cache
from medianest.stats import service
from tests.support import plex
from tests.support.api import call

type Db = psycopg.Connection[tuple[Any, ...]]

PATH = "/api/admin/stats"


def stats(token: str) -> Any:
    answer = call("GET", PATH, token=token)
    assert answer.status == 200, answer.text
    return answer.data


def add_request(db: Db, name: str, media_type: str, status: str, *, days_ago: float) -> None:
    db.execute(
        "INSERT INTO media_requests"
        " (user_id, media_type, tmdb_id, title, status, requested_at, processed_at)"
        " SELECT id, %(type)s, 1, 't', %(status)s, now() - make_interval(secs => %(age)s),"
        " CASE WHEN %(status)s <> 'pending' THEN now() END FROM users WHERE username = %(name)s",
        {"type": media_type, "status": status, "age": days_ago * 86_400, "name": name},
    )


def test_stats_of_an_unused_service_are_zero(people: dict[str, str]) -> None:
    figures = stats(people["alice"])
    assert [each["requests"] for each in figures.pop("requestsByDay")] == [0] * 30
    generated = datetime.fromisoformat(figures.pop("generatedAt"))
    assert abs(datetime.now(UTC) - generated) < timedelta(minutes=1)
    assert figures == {
        "users": {"total": 3, "active": 3, "suspended": 0, "admins": 1},
        "requests": {
            "total": 0,
            "pending": 0,
            "approved": 0,
            "declined": 0,
            "movies": 0,
            "shows": 0,
            "last7Days": 0,
            "last30Days": 0,
        },
        "sessions": {"active": 3},
        "topRequesters": [],
    }


def test_requests_are_counted_by_day(db: Db, people: dict[str, str]) -> None:
    for days_ago in (0, 0, 3, 29, 30):
        add_request(db, "bob", "movie", "pending", days_ago=days_ago)
    days = stats(people["alice"])["requestsByDay"]
    today = datetime.now(UTC).date()
    assert [each["day"] for each in days] == [
        str(today - timedelta(days=ago)) for ago in range(29, -1, -1)
    ]
    found = {29 - place: each["requests"] for place, each in enumerate(days) if each["requests"]}
    assert found == {0: 2, 3: 1, 29: 1}


def test_requests_are_counted_by_status_type_and_age(db: Db, people: dict[str, str]) -> None:
    add_request(db, "bob", "movie", "pending", days_ago=1)
    add_request(db, "bob", "tv", "pending", days_ago=6.9)
    add_request(db, "bob", "tv", "approved", days_ago=7.1)
    add_request(db, "carol", "movie", "approved", days_ago=29.9)
    add_request(db, "carol", "movie", "approved", days_ago=30.1)
    add_request(db, "carol", "movie", "declined", days_ago=400)
    figures = stats(people["alice"])["requests"]
    oldest = datetime.fromisoformat(figures.pop("oldestPendingAt"))
    assert abs(datetime.now(UTC) - timedelta(days=6.9) - oldest) < timedelta(minutes=1)
    assert figures == {
        "total": 6,
        "pending": 2,
        "approved": 3,
        "declined": 1,
        "movies": 4,
        "shows": 2,
        "last7Days": 2,
        "last30Days": 4,
    }


def test_request_counts_as_soon_as_it_is_created(people: dict[str, str], keys: redis.Redis) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    created = call("POST", "/api/media/request", token=people["bob"], body=body).data
    pending = stats(people["alice"])["requests"]
    assert (pending["pending"], pending["oldestPendingAt"]) == (1, created["requestedAt"])
    call("POST", f"/api/admin/requests/{created['id']}/approve", token=people["alice"])
    keys.flushdb()
    decided = stats(people["alice"])["requests"]
    assert (decided["pending"], decided["approved"]) == (0, 1)
    assert "oldestPendingAt" not in decided


def test_users_are_counted_by_status_and_role(db: Db, people: dict[str, str]) -> None:
    db.execute("UPDATE users SET role = 'admin' WHERE username = 'carol'")
    db.execute("UPDATE users SET status = 'suspended' WHERE username = 'bob'")
    figures = stats(people["alice"])["users"]
    assert figures == {"total": 3, "active": 2, "suspended": 1, "admins": 2}


def test_active_sessions_are_counted(
    plex_url: str, people: dict[str, str], keys: redis.Redis
) -> None:
    plex.sign_in(plex_url, "bob")
    assert stats(people["alice"])["sessions"] == {"active": 4}
    call("POST", "/api/auth/logout", token=people["bob"])
    keys.flushdb()
    assert stats(people["alice"])["sessions"] == {"active": 3}


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE sessions SET revoked_at = now()",
        "UPDATE sessions SET expires_at = now()",
        "UPDATE sessions SET absolute_expires_at = now()",
        "UPDATE sessions SET last_seen_at = now() - interval '31 days'",
        "UPDATE users SET status = 'suspended'",
    ],
)
def test_expired_revoked_or_suspended_session_is_not_counted(
    db: Db, people: dict[str, str], end: str
) -> None:
    column = "user_id" if "sessions" in end else "id"
    db.execute(f"{end} WHERE {column} = (SELECT id FROM users WHERE username = 'bob')".encode())
    assert stats(people["alice"])["sessions"] == {"active": 2}


def test_top_requesters_are_the_five_with_most_requests_in_30_days(
    db: Db, people: dict[str, str]
) -> None:
    db.execute(
        "INSERT INTO users (plex_id, email, username)"
        " SELECT 9000 + n, 'p' || n || '@example.com', 'person' || n FROM generate_series(1, 5) n"
    )
    for number, name in enumerate(["bob", "carol", *(f"person{n}" for n in range(1, 6))]):
        for _ in range(7 - number):
            add_request(db, name, "movie", "declined", days_ago=29)
    for _ in range(20):
        add_request(db, "person5", "tv", "declined", days_ago=31)
    figures = stats(people["alice"])["topRequesters"]
    assert [(each["username"], each["requests"]) for each in figures] == [
        ("bob", 7),
        ("carol", 6),
        ("person1", 5),
        ("person2", 4),
        ("person3", 3),
    ]
    bob = call("GET", "/api/auth/me", token=people["bob"]).data["id"]
    assert figures[0] == {"userId": bob, "username": "bob", "requests": 7}


def test_stats_are_cached_for_a_minute(db: Db, people: dict[str, str], keys: redis.Redis) -> None:
    first = stats(people["alice"])
    add_request(db, "bob", "movie", "pending", days_ago=1)
    assert stats(people["alice"]) == first
    assert 0 < keys.ttl("stats") <= 60
    keys.flushdb()
    second = stats(people["alice"])
    assert second["requests"]["total"] == 1
    assert second["generatedAt"] > first["generatedAt"]
    assert stats(people["alice"]) == second


@pytest.mark.parametrize("cached", ["", "{}", "[", '{"users": {"total": "many"}}'])
def test_invalid_cached_stats_are_a_cache_miss(
    people: dict[str, str], keys: redis.Redis, cached: str
) -> None:
    keys.set("stats", cached)
    assert stats(people["alice"])["users"]["total"] == 3
    assert keys.get("stats") != cached


def test_stats_are_counted_on_each_call_without_the_cache(
    db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = Cache(SecretStr("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(service, "shared_cache", lambda: unreachable)
    assert stats(people["alice"])["requests"]["total"] == 0
    add_request(db, "bob", "movie", "pending", days_ago=1)
    assert stats(people["alice"])["requests"]["total"] == 1


def test_user_and_anonymous_caller_are_refused(people: dict[str, str]) -> None:
    answer = call("GET", PATH, token=people["bob"])
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    answer = call("GET", PATH)
    assert (answer.status, answer.code) == (401, "JWT_INVALID")
    assert call("GET", PATH, token=people["alice"]).status == 200


def test_unknown_parameter_is_rejected(people: dict[str, str]) -> None:
    answer = call("GET", PATH, token=people["alice"], query={"days": "7"})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
