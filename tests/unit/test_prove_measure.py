"""Each threshold of `make prove` can fail a run."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.prove import __main__ as command
from tests.prove.calls import KINDS, Call, read
from tests.prove.matrix import Scale
from tests.prove.measure import Row, Times, measure, p95, recovery
from tests.prove.plan import FAULTS, NOTHING, USUAL, Fault
from tests.support.openapi import OPERATIONS, resolved

TIMES = Times(calm=0.0, fault=10.0, ended=20.0, over=40.0)
FAULT = Fault(
    "a fault",
    "by hand",
    lambda *_: None,
    touches=frozenset({"catalog"}),
    codes=frozenset({"CATALOG_UNAVAILABLE"}),
    recovers=5.0,
)
SUCCESSES = [
    Call(kind, at, at + 0.02, 200, "")
    for at in (1.0, 12.0, 14.0, 22.0, 30.0)
    for kind in sorted(KINDS)
]


def failures(*calls: Call, speed: bool = True) -> list[str]:
    row = Row(FAULT.name, FAULT.how)
    measure(row, FAULT, [*SUCCESSES, *calls], TIMES, speed=speed)
    return row.failures


def test_a_run_within_its_thresholds_has_no_failures() -> None:
    assert failures() == []


def test_errors_that_the_fault_explains_are_not_failures() -> None:
    assert failures(Call("search", 12.0, 13.0, 503, "CATALOG_UNAVAILABLE")) == []


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (Call("me", 2.0, 2.1, 500, "INTERNAL_ERROR"), "before the fault"),
        (Call("search", 12.0, 12.1, 500, "INTERNAL_ERROR"), "unexpected code"),
        (Call("me", 12.0, 12.1, 503, "CATALOG_UNAVAILABLE"), "unaffected call failed"),
        (Call("me", 12.0, 12.1, 429, "RATE_LIMITED"), "unexpected code"),
        (Call("search", 12.0, 12.1, 200, "", "not JSON"), "not as documented"),
        (Call("search", 24.0, 26.0, 503, "CATALOG_UNAVAILABLE"), "recovery took 6.0 s"),
    ],
)
def test_a_call_that_exceeds_a_threshold_is_a_failure(call: Call, reason: str) -> None:
    assert any(reason in each for each in failures(call)), failures(call)


def test_slow_calls_that_the_fault_does_not_touch_are_a_failure() -> None:
    slow = [Call("me", 12.0, 12.3, 200, "")] * 10
    assert "p95 of unaffected calls: 300 ms" in failures(*slow)[0]
    assert failures(*slow, speed=False) == []


def test_expected_refusals_are_not_failures() -> None:
    refused = Call("create", 2.0, 2.1, 409, "ALREADY_REQUESTED")
    assert not refused.failed
    assert replace(refused, kind="me").failed
    assert not replace(refused, kind="me", excused=True).failed


def test_recovery_lasts_until_the_end_of_the_last_failure() -> None:
    during = Call("me", 19.0, 25.0, 500, "INTERNAL_ERROR")
    after = Call("me", 21.0, 22.5, 500, "INTERNAL_ERROR")
    assert recovery([*SUCCESSES, during], 20.0) == 0.0
    assert recovery([*SUCCESSES, during, after], 20.0) == 2.5


def test_p95_is_the_95th_percentile() -> None:
    calls = [Call("me", 0.0, float(number), 200, "") for number in range(1, 101)]
    assert p95(calls) == 95.0
    assert p95([]) == 0.0


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "not JSON"),
        (200, '{"success": true, "data": {"id": 1}}'),
        (500, '{"success": false, "error": {"code": "OOPS", "message": "Oops"}}'),
        (418, '{"success": false, "error": {"code": "INTERNAL_ERROR", "message": "Tea"}}'),
        (502, "<html>Bad Gateway</html>"),
    ],
)
def test_an_undocumented_response_is_a_problem(status: int, text: str) -> None:
    documented = OPERATIONS["GET", "/api/auth/me"]["responses"]["500"]
    headers = {name.lower(): "1" for name in resolved(documented)["headers"]}
    headers["content-type"] = "application/json; charset=utf-8"
    valid = '{"success": false, "error": {"code": "INTERNAL_ERROR", "message": "Oops"}}'
    assert read("GET", "/api/auth/me", 500, headers, valid)[1] == ""
    assert read("GET", "/api/auth/me", status, headers, text)[1] != ""


def test_a_missed_threshold_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prove(faults: Sequence[Fault], _: Scale, report: Callable[[Row], None]) -> list[Row]:
        [fault] = faults
        missed = ["a request is gone"] if fault.name == "cache killed" else []
        row = Row(fault.name, fault.how, failures=missed)
        report(row)
        return [row]

    monkeypatch.setattr(command, "prove", prove)
    assert command.main(["--only", "cache full"]) == 0
    assert command.main(["--only", "cache full", "--only", "cache killed"]) == 1
    assert "MISSED: a request is gone" in capsys.readouterr().out


def test_fault_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == 19
    assert [fault.name for fault in FAULTS if fault.setting != USUAL] == [
        "database's disk full",
        "cache a cluster",
        "Plex hanging with twelve people",
        "clock off by an hour",
    ]
    assert all(fault.touches or fault.codes == NOTHING for fault in FAULTS)
