"""The scheduled task that reads the titles of older requests from TMDB."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import redis
from pydantic import SecretStr

from medianest.catalog import service as catalog_service
from medianest.core.db import Database
from medianest.requests import repository
from medianest.requests.titles import fill
from medianest.requests.titles import repository as titles_repository
from tests.support import plex
from tests.support.api import call, id_of, run_schedule
from tests.support.catalog import (
    FAULT_IDS,
    FAULTS,
    Fault,
    cached_entries,
    requests_to,
)
from tests.support.row_counts import wrong_counts

type Db = psycopg.Connection[tuple[Any, ...]]
type Add = Callable[..., None]

FILMS = [603, 27205, 157336, 155, 550, 680, 13, 238, 278, 597]


@pytest.fixture
def add(people: dict[str, str], db: Db) -> Add:
    """Return a function that adds requests as the previous release does."""
    user_id = id_of(people["bob"])

    def rows(media_type: str, *tmdb_ids: int, title: str = "The Matrix") -> None:
        for tmdb_id in tmdb_ids:
            db.execute(
                "INSERT INTO media_requests (user_id, media_type, tmdb_id, title)"
                " VALUES (%s, %s, %s, %s)",
                (user_id, media_type, tmdb_id, title),
            )

    return rows


def filled(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT media_type, tmdb_id, poster_path, year, started_seasons, title_key,"
        " title_read_at IS NOT NULL FROM media_requests ORDER BY media_type, tmdb_id"
    ).fetchall()


def unread(db: Db) -> int:
    return sum(not row[-1] for row in filled(db))


def run(seconds_left: float = 60.0) -> tuple[int, bool]:
    result = run_schedule("RequestTitles", seconds_left=seconds_left)
    assert result["task"] == "request-titles"
    return result["filled"], result["more"]


def time_for(calls: int) -> Callable[[], float]:
    """Return a clock with enough time left for so many looks at it."""
    times = iter([60.0] * calls)
    return lambda: next(times, 1.0)


def test_titles_of_older_requests_are_filled_in(db: Db, people: dict[str, str], add: Add) -> None:
    add("movie", 603, title="THE MATRIX")
    add("tv", 1396, title="Breaking Bad")
    assert run() == (2, False)
    assert filled(db) == [
        ("movie", 603, "/matrix-poster.jpg", 1999, None, "the matrix", True),
        ("tv", 1396, "/tv-1396-poster.svg", 2008, [1, 2, 3, 4, 5], "breaking bad", True),
    ]
    (listed,) = call(
        "GET", "/api/media/requests", token=people["bob"], query={"mediaType": "movie"}
    ).data
    assert (listed["posterPath"], listed["year"]) == ("/matrix-poster.jpg", 1999)
    assert listed["title"] == "THE MATRIX"
    assert wrong_counts(db) == []


def test_next_run_has_nothing_to_do_and_calls_nobody(add: Add, tmdb_url: str) -> None:
    add("movie", *FILMS)
    assert run() == (10, False)
    plex.control(tmdb_url, "DELETE", "requests")
    assert run() == (0, False)
    assert requests_to(tmdb_url) == []


def test_new_requests_need_no_run(people: dict[str, str], tmdb_url: str) -> None:
    body = {"mediaType": "movie", "tmdbId": 603}
    assert call("POST", "/api/media/request", token=people["bob"], body=body).status == 201
    plex.control(tmdb_url, "DELETE", "requests")
    assert run() == (0, False)
    assert requests_to(tmdb_url) == []


def test_title_that_tmdb_no_longer_has_is_marked_as_read(db: Db, add: Add, tmdb_url: str) -> None:
    add("movie", 999_999_999, title="Gone")
    assert run() == (1, False)
    assert filled(db) == [("movie", 999_999_999, None, None, None, "gone", True)]
    plex.control(tmdb_url, "DELETE", "requests")
    assert run() == (0, False)
    assert requests_to(tmdb_url) == []


def test_many_requests_for_one_title_cost_one_call(db: Db, add: Add, tmdb_url: str) -> None:
    add("movie", *[603] * 120)
    plex.control(tmdb_url, "DELETE", "requests")
    assert run() == (120, False)
    assert len(requests_to(tmdb_url)) == 1
    assert unread(db) == 0


def test_run_stops_when_time_runs_short(
    db: Db, add: Add, tmdb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("movie", *FILMS)
    # From the first id, all rows are one batch.
    monkeypatch.setattr(fill, "uuid4", lambda: fill.FIRST_ID)
    plex.control(tmdb_url, "DELETE", "requests")
    assert run(seconds_left=fill.MIN_SECONDS_LEFT) == (0, True)
    assert requests_to(tmdb_url) == []
    for calls, expected in ((3, (3, True)), (2, (2, True))):
        result = fill.run(time_for(calls))
        assert (result.filled, result.more) == expected
    assert unread(db) == 5
    monkeypatch.setattr(fill, "BATCH", 2)
    assert fill.run(time_for(3)).more
    assert unread(db) == 3
    assert run() == (3, False)


@pytest.mark.parametrize("options", FAULTS, ids=FAULT_IDS)
def test_run_ends_early_while_tmdb_is_down(
    db: Db, keys: redis.Redis, add: Add, fault: Fault, tmdb_url: str, options: dict[str, Any]
) -> None:
    add("movie", *FILMS)
    fault(**options)
    assert run() == (0, True)
    assert len(requests_to(tmdb_url)) <= 2 * fill.MAX_FAILURES
    assert unread(db) == len(FILMS)
    assert cached_entries(keys) == {}
    plex.control(tmdb_url, "DELETE", "fault")
    keys.flushdb()  # closes the circuit
    assert run() == (10, False)


def test_run_ends_early_while_the_circuit_is_open(
    db: Db, add: Add, fault: Fault, tmdb_url: str
) -> None:
    add("movie", *FILMS)
    fault(kind="status", status=429, retryAfter=60)
    assert run() == (0, True)
    assert len(requests_to(tmdb_url)) == 1
    assert unread(db) == len(FILMS)


def test_title_that_tmdb_cannot_return_does_not_stop_the_others(
    db: Db, add: Add, fault: Fault
) -> None:
    add("movie", *FILMS)
    fault(kind="wrong-types", path="/3/movie/603")
    assert run() == (9, True)
    assert unread(db) == 1
    assert run() == (0, True)


def test_every_start_reaches_every_row(db: Db, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fill, "BATCH", 2)
    for _ in range(5):
        db.execute("DELETE FROM media_requests")
        add("movie", *FILMS)
        assert run() == (10, False)
        assert unread(db) == 0


def test_locked_row_is_left_for_the_next_run(db: Db, add: Add) -> None:
    add("movie", 603, 27205)
    with db.transaction():
        db.execute("SELECT FROM media_requests WHERE tmdb_id = 603 FOR UPDATE")
        assert run() == (1, True)
    assert run() == (1, False)


def test_no_row_is_locked_while_tmdb_is_called(
    db: Db, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("movie", 603)
    find = catalog_service.find

    def decide_then_find(*key: Any) -> Any:
        db.execute("SET lock_timeout = '1s'")
        db.execute("UPDATE media_requests SET status = 'approved', processed_at = now()")
        return find(*key)

    monkeypatch.setattr(catalog_service, "find", decide_then_find)
    assert run() == (1, False)
    assert db.execute("SELECT status, year FROM media_requests").fetchall() == [("approved", 1999)]


def test_request_that_is_cancelled_meanwhile_is_skipped(
    db: Db, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("movie", 603, 27205)
    find = catalog_service.find

    def cancel_then_find(*key: Any) -> Any:
        db.execute("DELETE FROM media_requests WHERE tmdb_id = 603")
        return find(*key)

    monkeypatch.setattr(catalog_service, "find", cancel_then_find)
    assert run()[0] == 1
    assert unread(db) == 0


def test_two_runs_fill_each_row_once(db: Db, add: Add, direct_url: str) -> None:
    add("movie", *FILMS)
    rows = titles_repository.unread(db, after=fill.FIRST_ID, until=fill.LAST_ID, limit=fill.BATCH)
    assert len(rows) == 10

    def fill_all(_: int) -> int:
        database = Database(SecretStr(direct_url))
        with database.transaction() as connection:
            number = repository.fill_titles(connection, [(row, None) for row in rows])
        database.close()
        return number

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(fill_all, range(4))) == 10


def test_run_reports_its_numbers(
    add: Add, logs: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    add("movie", 603, 27205)
    run()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "TitlesFilled" in line]
    assert metrics["task"] == "request-titles"
    assert (metrics["TitlesFilled"], metrics["TitlesMore"]) == ([2.0], [0.0])
    logged = [json.loads(line) for line in logs.getvalue().splitlines()]
    (line,) = [each for each in logged if each["message"] == "request_titles"]
    assert (line["filled"], line["more"]) == (2, False)
