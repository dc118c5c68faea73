"""Quotas count films by request and shows by season, within a sliding period of days."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from medianest.requests import repository
from tests.support.api import Answer, call, id_of
from tests.support.rows import request_rows

type Db = psycopg.Connection[tuple[Any, ...]]

FILMS = [603, 27205, 157336, 13, 238, 155, 680, 550]
BREAKING_BAD = {"mediaType": "tv", "tmdbId": 1396}  # five seasons
THRONES = {"mediaType": "tv", "tmdbId": 1399}  # eight seasons
DAY = timedelta(days=1)


def film(number: int) -> dict[str, Any]:
    return {"mediaType": "movie", "tmdbId": FILMS[number]}


def post_request(token: str, body: dict[str, Any], **options: Any) -> Answer:
    return call("POST", "/api/media/request", token=token, body=body, **options)


def create_request(token: str, body: dict[str, Any]) -> Any:
    answer = post_request(token, body)
    assert answer.status == 201, answer.text
    return answer.data


def set_quotas(
    token: str,
    *,
    role: str = "user",
    movies: int | None = None,
    seasons: int | None = None,
    days: int = 7,
) -> None:
    """Set the quotas of a role through the API."""
    value = {
        "movies": {"limit": movies, "days": days},
        "seasons": {"limit": seasons, "days": days},
    }
    path = f"/api/admin/config/requestQuota.{role}"
    answer = call("PUT", path, token=token, body={"value": value})
    assert answer.status == 200, answer.text


def set_user_quota(token: str, user_id: str, quota: dict[str, Any] | None) -> None:
    """Set the quotas of a single user through the API."""
    path = f"/api/admin/users/{user_id}"
    answer = call("PATCH", path, token=token, body={"quota": quota})
    assert answer.status == 200, answer.text


def make_older(db: Db, request_id: str, age: timedelta) -> None:
    db.execute(
        "UPDATE media_requests SET requested_at = requested_at - %s,"
        " processed_at = processed_at - %s WHERE id = %s",
        (age, age, request_id),
    )


def quota_unit(quota: str) -> str:
    return {"movies": "film", "seasons": "season"}[quota]


def assert_exceeded(answer: Answer, quota: str, limit: int, used: int) -> datetime | None:
    """Check a refusal; return its reset time, from which the same call succeeds, if any."""
    assert (answer.status, answer.code) == (403, "QUOTA_EXCEEDED")
    details = dict(answer.details)
    resets_at = details.pop("resetsAt", None)
    requested = details.pop("requested")
    remaining = max(limit - used, 0)
    assert details == {"quota": quota, "limit": limit, "used": used, "remaining": remaining}
    assert used + requested > limit
    message = answer.json["error"]["message"]
    assert message.startswith(f"You requested {requested} {quota_unit(quota)}")
    assert f", and {remaining} of your {limit} " in message
    assert ("More are free at" in message) == (resets_at is not None)
    if resets_at is None:
        return None
    assert resets_at.endswith("Z")
    told = datetime.fromisoformat(f"{message.partition('free at ')[2][:16]}Z")
    at = datetime.fromisoformat(resets_at)
    assert at <= told < at + timedelta(minutes=1)
    return at


def requested_at(request: Any) -> datetime:
    return datetime.fromisoformat(request["requestedAt"])


class TestCounting:
    def test_requests_are_unlimited_without_a_quota(self, people: dict[str, str]) -> None:
        for number in range(len(FILMS)):
            create_request(people["bob"], film(number))

    def test_films_count_per_request(self, db: Db, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=2)
        first = create_request(people["bob"], film(0))
        create_request(people["bob"], film(1))
        before = request_rows(db)
        resets_at = assert_exceeded(post_request(people["bob"], film(2)), "movies", 2, 2)
        assert resets_at is not None
        expected = requested_at(first) + 7 * DAY
        assert timedelta(0) <= resets_at - expected <= timedelta(milliseconds=1)
        assert request_rows(db) == before
        create_request(people["carol"], film(2))

    def test_shows_count_per_season(self, db: Db, people: dict[str, str]) -> None:
        set_quotas(people["alice"], seasons=3)
        create_request(people["bob"], {**BREAKING_BAD, "seasons": [1, 2]})
        before = request_rows(db)
        too_many = {**BREAKING_BAD, "seasons": [3, 4]}
        assert assert_exceeded(post_request(people["bob"], too_many), "seasons", 3, 2)
        assert request_rows(db) == before  # not even the season that would fit is requested
        create_request(people["bob"], {**BREAKING_BAD, "seasons": [3]})
        last = {**BREAKING_BAD, "seasons": [4]}
        assert assert_exceeded(post_request(people["bob"], last), "seasons", 3, 3)

    def test_films_and_seasons_have_separate_quotas(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=1, seasons=1)
        create_request(people["bob"], film(0))
        create_request(people["bob"], {**BREAKING_BAD, "seasons": [1]})
        assert_exceeded(post_request(people["bob"], film(1)), "movies", 1, 1)
        assert_exceeded(
            post_request(people["bob"], {**BREAKING_BAD, "seasons": [2]}), "seasons", 1, 1
        )

    def test_skipped_seasons_do_not_count(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], seasons=2)
        create_request(people["carol"], {**BREAKING_BAD, "seasons": [1, 2]})
        seasons = {**BREAKING_BAD, "seasons": [1, 2, 3, 4]}
        created = create_request(people["bob"], seasons)
        assert (created["seasons"], created["skippedSeasons"]) == ([3, 4], [1, 2])
        assert_exceeded(post_request(people["bob"], BREAKING_BAD), "seasons", 2, 2)

    def test_pending_and_approved_requests_count_declined_and_cancelled_do_not(
        self, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], movies=1, seasons=2)
        cases = [(film(0), "movies", 1), ({**BREAKING_BAD, "seasons": [1, 2]}, "seasons", 2)]
        for body, quota, used in cases:
            another = film(5) if quota == "movies" else {**THRONES, "seasons": [1]}
            decline = f"/api/admin/requests/{create_request(people['bob'], body)['id']}/decline"
            assert_exceeded(post_request(people["bob"], another), quota, used, used)
            call("POST", decline, token=people["alice"], body={"reason": "no"})
            cancel = f"/api/media/requests/{create_request(people['bob'], body)['id']}"
            assert_exceeded(post_request(people["bob"], another), quota, used, used)
            assert call("DELETE", cancel, token=people["bob"]).status == 204
            approve = f"/api/admin/requests/{create_request(people['bob'], body)['id']}/approve"
            call("POST", approve, token=people["alice"])
            assert_exceeded(post_request(people["bob"], another), quota, used, used)

    def test_each_user_has_a_separate_count(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=1)
        for number, name in enumerate(("bob", "carol")):
            create_request(people[name], film(number))
            assert_exceeded(post_request(people[name], film(2)), "movies", 1, 1)

    def test_automatically_approved_request_counts(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=1)
        value = {"value": {"movie": True, "tv": True}}
        call("PUT", "/api/admin/config/autoApprove.user", token=people["alice"], body=value)
        assert create_request(people["bob"], film(0))["status"] == "approved"
        assert_exceeded(post_request(people["bob"], film(1)), "movies", 1, 1)


class TestRoleAndUserQuota:
    def test_quota_of_a_role_applies_to_that_role_only(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], role="user", movies=1)
        for number in range(3):
            create_request(people["alice"], film(number))
        set_quotas(people["alice"], role="admin", movies=3)
        assert_exceeded(post_request(people["alice"], film(3)), "movies", 3, 3)
        create_request(people["bob"], film(3))

    def test_quota_of_a_user_overrides_the_quota_of_the_role(self, people: dict[str, str]) -> None:
        bob = id_of(people["bob"])
        set_quotas(people["alice"], movies=1, seasons=1)
        set_user_quota(people["alice"], bob, {"movies": {"limit": 2, "days": 1}})
        create_request(people["bob"], film(0))
        create_request(people["bob"], film(1))
        assert_exceeded(post_request(people["bob"], film(2)), "movies", 2, 2)
        # The user's quota sets no seasons, so the role's applies.
        create_request(people["bob"], {**BREAKING_BAD, "seasons": [1]})
        assert_exceeded(
            post_request(people["bob"], {**BREAKING_BAD, "seasons": [2]}), "seasons", 1, 1
        )
        # The role's quota still applies to another user.
        create_request(people["carol"], film(2))
        assert_exceeded(post_request(people["carol"], film(3)), "movies", 1, 1)

    def test_quota_of_a_user_may_be_unlimited_zero_or_removed(self, people: dict[str, str]) -> None:
        bob = id_of(people["bob"])
        set_quotas(people["alice"], movies=1)
        set_user_quota(people["alice"], bob, {"movies": {"limit": None, "days": 7}})
        for number in range(3):
            create_request(people["bob"], film(number))
        set_user_quota(people["alice"], bob, {"movies": {"limit": 0, "days": 7}})
        assert_exceeded(post_request(people["bob"], film(3)), "movies", 0, 3)
        set_user_quota(people["alice"], bob, None)
        assert_exceeded(post_request(people["bob"], film(3)), "movies", 1, 3)

    def test_role_is_read_from_the_database_not_from_the_cache(
        self, db: Db, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], movies=0)
        bob = id_of(people["bob"])
        assert_exceeded(post_request(people["bob"], film(0)), "movies", 0, 0)
        db.execute("UPDATE users SET role = 'admin' WHERE id = %s", (bob,))
        create_request(people["bob"], film(0))


class TestPeriod:
    def test_request_older_than_the_period_does_not_count(
        self, db: Db, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], movies=1, days=3)
        for number, by in enumerate((3 * DAY, 4 * DAY, 400 * DAY)):
            make_older(db, create_request(people["bob"], film(number))["id"], by)
        created = create_request(people["bob"], film(3))
        make_older(db, created["id"], 3 * DAY - timedelta(minutes=1))
        assert_exceeded(post_request(people["bob"], film(4)), "movies", 1, 1)

    @pytest.mark.parametrize("seed", range(8))
    def test_resets_at_is_the_first_moment_at_which_the_same_call_fits(
        self, db: Db, people: dict[str, str], seed: int
    ) -> None:
        rng = random.Random(seed)
        limit, days = rng.randint(2, 6), rng.choice([1, 7, 30])
        for season in range(1, 1 + limit):
            created = create_request(people["bob"], {**THRONES, "seasons": [season]})
            make_older(db, created["id"], timedelta(seconds=rng.randint(0, days * 86_400 - 600)))
        set_quotas(people["alice"], seasons=limit, days=days)
        requested = rng.randint(1, min(limit, 5))
        body = {**BREAKING_BAD, "seasons": list(range(1, 1 + requested))}
        resets_at = assert_exceeded(post_request(people["bob"], body), "seasons", limit, limit)
        assert resets_at is not None
        # The rows have microseconds, the API has milliseconds.
        rows = db.execute("SELECT requested_at FROM media_requests ORDER BY 1").fetchall()
        delay = resets_at - (rows[requested - 1][0] + days * DAY)
        assert timedelta(0) <= delay <= timedelta(milliseconds=1)
        wait = resets_at - datetime.now(UTC)
        db.execute(
            "UPDATE media_requests SET requested_at = requested_at - %s",
            (wait - timedelta(minutes=1),),
        )
        assert post_request(people["bob"], body).code == "QUOTA_EXCEEDED"
        db.execute("UPDATE media_requests SET requested_at = requested_at - interval '1 minute'")
        create_request(people["bob"], body)

    def test_refusal_of_a_call_that_never_fits_has_no_reset_time(
        self, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], movies=0, seasons=3)
        assert assert_exceeded(post_request(people["bob"], film(0)), "movies", 0, 0) is None
        refused = post_request(people["bob"], BREAKING_BAD)
        assert assert_exceeded(refused, "seasons", 3, 0) is None
        assert refused.json["error"]["message"] == (
            "You requested 5 seasons, and 3 of your 3 seasons in 7 days are left."
            " Request at most 3 at a time."
        )
        fits = {**BREAKING_BAD, "seasons": [1, 2, 3]}
        create_request(people["bob"], fits)

    def test_call_above_the_limit_is_refused_with_the_time_of_the_full_reset(
        self, db: Db, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], seasons=3)
        created = create_request(people["bob"], {**BREAKING_BAD, "seasons": [1, 2]})
        make_older(db, created["id"], timedelta(days=6))
        resets_at = assert_exceeded(post_request(people["bob"], THRONES), "seasons", 3, 2)
        assert resets_at is not None
        remaining = resets_at - datetime.now(UTC)
        assert timedelta(hours=23) < remaining < timedelta(hours=24, seconds=1)

    def test_reset_time_after_the_limit_was_lowered(self, db: Db, people: dict[str, str]) -> None:
        created = [create_request(people["bob"], film(number)) for number in range(4)]
        for number, request in enumerate(created):
            make_older(db, request["id"], timedelta(hours=number))
        set_quotas(people["alice"], movies=2)
        # Three of the four requests must expire before another one fits, created[1] as the last.
        resets_at = assert_exceeded(post_request(people["bob"], film(4)), "movies", 2, 4)
        assert resets_at is not None
        expected = requested_at(created[1]) - timedelta(hours=1) + 7 * DAY
        assert timedelta(0) <= resets_at - expected <= timedelta(milliseconds=1)


class TestPrecedence:
    def test_duplicate_is_reported_before_an_exceeded_quota(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=1)
        created = create_request(people["bob"], film(0))
        duplicate = post_request(people["bob"], film(0))
        assert (duplicate.code, duplicate.details) == (
            "ALREADY_REQUESTED",
            {"requestId": created["id"]},
        )
        create_request(people["carol"], film(1))
        assert post_request(people["bob"], film(1)).code == "ALREADY_REQUESTED"
        assert post_request(people["bob"], film(2)).code == "QUOTA_EXCEEDED"

    def test_repeated_call_with_the_same_key_does_not_count(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=2)
        key = {"Idempotency-Key": "k"}
        responses = [post_request(people["bob"], film(0), headers=key) for _ in range(3)]
        assert [response.status for response in responses] == [201] * 3
        create_request(people["bob"], film(1))
        assert post_request(people["bob"], film(0), headers=key).json == responses[0].json
        assert post_request(people["bob"], film(2)).code == "QUOTA_EXCEEDED"

    def test_refused_call_does_not_consume_its_key_or_title(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=0)
        key = {"Idempotency-Key": "k"}
        assert post_request(people["bob"], film(0), headers=key).code == "QUOTA_EXCEEDED"
        set_quotas(people["alice"], movies=1)
        assert post_request(people["bob"], film(0), headers=key).status == 201


class TestShown:
    """`GET /api/media/quota`."""

    def quota(self, token: str) -> Any:
        answer = call("GET", "/api/media/quota", token=token)
        assert answer.status == 200, answer.text
        shown = answer.data
        assert shown.pop("autoApprove") == {"movie": False, "tv": False}
        return shown

    def test_automatic_approval_of_the_role_is_shown(self, people: dict[str, str]) -> None:
        value = {"value": {"movie": True, "tv": False}}
        path = "/api/admin/config/autoApprove.user"
        assert call("PUT", path, token=people["alice"], body=value).status == 200
        shown = call("GET", "/api/media/quota", token=people["bob"]).data
        assert shown == {"autoApprove": {"movie": True, "tv": False}}
        assert self.quota(people["alice"]) == {}

    def test_caller_without_a_quota_gets_an_empty_object(self, people: dict[str, str]) -> None:
        assert self.quota(people["bob"]) == {}

    def test_quota_of_the_role_is_shown_with_its_use(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=2, seasons=8, days=30)
        create_request(people["bob"], film(0))
        create_request(people["bob"], {**BREAKING_BAD, "seasons": [0, 2, 3]})
        create_request(people["carol"], film(1))
        assert self.quota(people["bob"]) == {
            "movies": {"limit": 2, "used": 1, "days": 30},
            "seasons": {"limit": 8, "used": 3, "days": 30},
        }
        assert self.quota(people["alice"]) == {}

    def test_quota_of_the_user_overrides_that_of_the_role(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=2, seasons=8)
        own = {"movies": {"limit": 4, "days": 3}, "seasons": {"limit": None, "days": 7}}
        set_user_quota(people["alice"], id_of(people["bob"]), own)
        assert self.quota(people["bob"]) == {"movies": {"limit": 4, "used": 0, "days": 3}}

    def test_used_up_quota_has_the_time_when_one_more_fits(
        self, db: Db, people: dict[str, str]
    ) -> None:
        set_quotas(people["alice"], movies=2)
        for number in range(2):
            created = create_request(people["bob"], film(number))
            make_older(db, created["id"], timedelta(days=5 - number))
        shown = self.quota(people["bob"])["movies"]
        refused = post_request(people["bob"], film(2))
        assert shown == {
            "limit": 2,
            "used": 2,
            "days": 7,
            "resetsAt": refused.details["resetsAt"],
        }

    def test_smaller_quota_resets_when_enough_items_have_left_it(
        self, db: Db, people: dict[str, str]
    ) -> None:
        for number in range(3):
            created = create_request(people["bob"], film(number))
            make_older(db, created["id"], timedelta(days=3 - number))
        set_quotas(people["alice"], movies=1)
        shown = self.quota(people["bob"])["movies"]
        assert (shown["limit"], shown["used"]) == (1, 3)
        resets_at = datetime.fromisoformat(shown["resetsAt"])
        assert abs(resets_at - datetime.now(UTC) - 6 * DAY) < timedelta(minutes=5)
        assert post_request(people["bob"], film(3)).details["resetsAt"] == shown["resetsAt"]

    def test_quota_of_zero_never_resets(self, people: dict[str, str]) -> None:
        create_request(people["bob"], film(0))
        set_quotas(people["alice"], movies=0)
        assert self.quota(people["bob"]) == {"movies": {"limit": 0, "used": 1, "days": 7}}

    def test_declined_request_does_not_count(self, people: dict[str, str]) -> None:
        set_quotas(people["alice"], movies=2)
        created = create_request(people["bob"], film(0))
        path = f"/api/admin/requests/{created['id']}/decline"
        call("POST", path, token=people["alice"], body={"reason": "no room"})
        assert self.quota(people["bob"])["movies"]["used"] == 0

    def test_request_that_is_cancelled_during_the_read_has_no_time_of_a_reset(
        self, db: Db, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_quotas(people["alice"], movies=1)
        create_request(people["bob"], film(0))
        quota_used = repository.quota_used

        def count_then_cancel(*args: Any) -> int:
            used = quota_used(*args)
            db.execute("DELETE FROM media_requests")
            return used

        monkeypatch.setattr(repository, "quota_used", count_then_cancel)
        assert self.quota(people["bob"]) == {"movies": {"limit": 1, "used": 1, "days": 7}}
