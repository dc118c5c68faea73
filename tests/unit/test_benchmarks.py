"""The figures of `make bench`: percentiles, ratios, bars, counters, charts and the JSON format."""

import json
import xml.etree.ElementTree as ET

import pytest

from benchmarks.bars import checks, grows_little
from benchmarks.chart import Bar, chart, scale_step
from benchmarks.counts import Counter, Statements, Trips
from benchmarks.growth import lists
from benchmarks.profiles import LIBRARY, OTHER, OWN, import_seconds
from benchmarks.results import Cold, Page, Results, Start, Warm, percentile
from benchmarks.sandbox import Cost


def cold(init: float, first: float) -> Cold:
    """Return the starts of three rounds on a machine that gets slower."""
    return Cold(
        [
            Start(Cost(init * pace, init * pace), Cost(first * pace, first * pace), 50.0)
            for pace in (1, 2, 3)
        ]
    )


def results() -> Results:
    return Results(
        cold={
            "hello": cold(0.3, 0.1),
            "media": cold(0.5, 0.2),
            "worker": cold(0.24, 0.2),
        },
        warm={
            "bare": Warm([0.001, 0.003, 0.001], [0.001]),
            "hello": Warm([0.002, 0.002, 0.009], [0.002]),
            "GET /api/auth/me": Warm([0.006, 0.0065, 0.007], [0.007, 0.008]),
        },
        sql={"GET /api/auth/me": 3},
        cache_trips={"GET /api/auth/me": 1},
        growth={
            "GET /api/admin/users?page=first": Page(0.005, 0.012),
            "GET /api/admin/users?page=last": Page(0.010, 0.021),
        },
        rss={"media": 70.0},
        layers_mb=11.456,
    )


def test_json_has_the_agreed_format() -> None:
    assert json.loads(json.dumps(results().to_json())) == {
        "init_ratio": {"media": 1.75, "worker": 1.1},
        "warm_ratio": {"GET /api/auth/me": 5.5},
        "sql": {"GET /api/auth/me": 3},
        "cache_trips": {"GET /api/auth/me": 1},
        "growth_ratio": {
            "GET /api/admin/users?page=first": 2.4,
            "GET /api/admin/users?page=last": 2.1,
        },
        "growth_p95_ms": {
            "GET /api/admin/users?page=first": 12.0,
            "GET /api/admin/users?page=last": 21.0,
        },
        "layers_mb": 11.46,
        "rss_mb": {"media": 70.0},
    }


def test_the_time_of_an_import_belongs_to_the_group_of_its_package() -> None:
    lines = [
        "import time: self [us] | cumulative | imported package",
        "import time:      2000 |       2000 |   encodings.aliases",
        "import time:      3000 |      90000 |     medianest.core.db",
        "import time:      1500 |       1500 | app",
        "import time:       500 |        500 | unknown.module",
        '{"level": "INFO"}',
    ]
    assert import_seconds(lines) == {LIBRARY: 0.002, OWN: 0.0045, OTHER: 0.0005}


def test_a_percentile_is_the_nearest_rank() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


def test_a_warm_ratio_is_above_the_bare_handler_and_ignores_single_slow_calls() -> None:
    assert results().warm_ratio("GET /api/auth/me") == pytest.approx(5.5)
    assert results().process_ratio("GET /api/auth/me") == pytest.approx(3.25)


def test_each_bar_is_checked_with_what_was_measured() -> None:
    found = {each.what: (each.measured, each.is_met) for each in checks(results())}
    assert found == {
        "init and first request of `media`": ("1.75 ×", False),
        "init of `worker`": ("0.80 ×", True),
        "warm processor time of `GET /api/auth/me`": ("5.50 ×", True),
        "round trips of `GET /api/auth/me`": ("3 SQL, 1 cache", False),
        "both layers, zipped": ("11.5 MB", True),
        "resident memory (most: `media`)": ("70.0 MB", True),
        "pages of lists with many rows": ("1 of 2 pages", False),
    }


def test_a_page_grows_little_within_the_ratio_or_the_milliseconds() -> None:
    pages = {"ratio": Page(0.05, 0.1), "fast": Page(0.001, 0.015), "slow": Page(0.007, 0.016)}
    met = {name: grows_little(each) for name, each in pages.items()}
    assert met == {"ratio": True, "fast": True, "slow": False}


def test_every_page_of_a_list_has_a_separate_name() -> None:
    names = [each.name(place) for each in lists() for place in ("first", "last") if each.is_paged]
    assert len(names) == len(set(names)) > 100
    assert "GET /api/admin/requests?status=pending&sort=title&page=last" in names


def message(kind: bytes, content: bytes = b"") -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_completed_and_failed_statements_are_counted_however_they_are_split(size: int) -> None:
    stream = message(b"C", b"BEGIN\0") + message(b"D", b"C" * 20) + message(b"C", b"SELECT 1\0")
    stream += message(b"E", b"SERROR\0") + message(b"Z", b"I") + message(b"C", b"ROLLBACK\0")
    counter = Counter("")
    statements = Statements(counter)
    for start in range(0, len(stream), size):
        statements.from_server(stream[start : start + size])
    assert counter.number == 4


def test_a_request_for_encryption_is_declined() -> None:
    statements = Statements(Counter(""))
    assert statements.from_client(message(b"P", b"abc")) is None
    assert statements.from_client((8).to_bytes(4) + (80_877_103).to_bytes(4)) == b"N"


def test_a_pipeline_is_one_trip() -> None:
    counter = Counter("")
    trips = Trips(counter)
    for data in (b"GET a", b"GET b"):
        trips.from_client(data)
    trips.from_server(b"1")
    trips.from_server(b"2")
    assert counter.number == 1
    trips.from_client(b"GET c")
    assert counter.number == 2


def test_a_chart_is_well_formed_and_marks_a_missed_bar() -> None:
    bars = [Bar("a < b", (1.0, 2.0), "3 ms", 2.5), Bar("c", (4.0,), "4 ms")]
    drawn = ET.fromstring(chart("Times", ("init", "first"), bars))
    texts = {each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Times", "a < b", "3 ms", "c", "4 ms", "init", "first"} <= texts
    assert "#a3262a" in {each.get("stroke") for each in drawn.iter()}


@pytest.mark.parametrize(("most", "step"), [(0.9, 0.2), (4.0, 1.0), (26.0, 10.0), (612.0, 200.0)])
def test_a_scale_has_at_most_five_round_steps(most: float, step: float) -> None:
    assert scale_step(most) == pytest.approx(step)


def test_a_change_of_the_machine_s_speed_does_not_change_the_ratio_of_cold_starts() -> None:
    measured = results()
    # Once alone the reference was slow, so the ratio of the medians would be 1.4 / 1.2.
    _, second, third = measured.cold["hello"].starts
    measured.cold["hello"] = Cold([third, second, third])
    assert measured.init_ratio("media") == pytest.approx(1.75)
