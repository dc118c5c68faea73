"""The faults of the report: the calls that each may affect, and the maximum recovery time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.prove import disk
from tests.prove.calls import PARTS
from tests.prove.faults import (
    cache_full,
    cache_of,
    clock_skewed,
    database_of,
    disk_full,
    flushed,
    killed,
    locked,
    no_fault,
    plex_hangs,
    plex_of,
    read_only,
    stopped,
    tmdb_of,
    upstream,
    workers_killed,
)
from tests.prove.stage import Setting, Stage

ALL = frozenset(PARTS)
NOTHING = frozenset[str]()
USUAL = Setting()
# A breaker stays open for 30 seconds, and the probe that closes it may take 5.
BREAKER_SECONDS = 36.0
ENGINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the report.

    `run` takes the stage and the seconds. `touches` has the parts that may fail, with the codes in
    `codes` only; all others must work as before. `how` is the description in the report.
    """

    name: str
    how: str
    run: Callable[[Stage, float], None]
    touches: frozenset[str] = ALL
    codes: frozenset[str] = NOTHING
    recovers: float = ENGINE_SECONDS
    setting: Setting = USUAL
    short: bool = False


# An environment that starts while the database is down uses the default limits, which are lower
# than this load needs.
_DATABASE = frozenset({"DATABASE_CONNECTION_ERROR", "RATE_LIMITED"})
_WRITES = frozenset({"create", "decide", "sign-in", "session end"})
_TMDB = frozenset({"CATALOG_UNAVAILABLE"})
_PLEX = frozenset({"PLEX_UNREACHABLE"})
_TMDB_PARTS = frozenset({"catalog", "create"})
_SIGN_IN = frozenset({"sign-in"})


def _tmdb(name: str, how: str, *, short: bool = False, **fault: Any) -> Fault:
    run = upstream(tmdb_of, **fault)
    return Fault(f"TMDB {name}", how, run, _TMDB_PARTS, _TMDB, BREAKER_SECONDS, short=short)


FAULTS = (
    Fault(
        "database killed",
        "`kill -9` of PostgreSQL three times, each time down for a sixth of the duration",
        killed(database_of),
        codes=_DATABASE,
        short=True,
    ),
    Fault(
        "database stopped",
        "`kill -STOP` of PostgreSQL and all its processes",
        stopped(database_of),
        codes=_DATABASE,
        short=True,
    ),
    Fault(
        "database read-only",
        "`default_transaction_read_only = on` for every session",
        read_only,
        touches=_WRITES,
        codes=_DATABASE,
    ),
    Fault(
        "database locked",
        "another session holds `media_requests` in ACCESS EXCLUSIVE mode and all rows of `users`",
        locked,
        touches=ALL - {"session", "health"},
        codes=_DATABASE,
    ),
    Fault(
        "database's disk full",
        f"PostgreSQL on a file system of {disk.MEGABYTES} MiB that stays completely full",
        disk_full,
        codes=_DATABASE,
        setting=Setting(small_disk=True),
    ),
    Fault(
        "cache killed",
        "`kill -9` of Valkey three times, each time down for a sixth of the duration",
        killed(cache_of),
        touches=NOTHING,
        short=True,
    ),
    Fault("cache stopped", "`kill -STOP` of Valkey", stopped(cache_of), touches=NOTHING),
    Fault("cache flushed", "FLUSHALL twice per second", flushed, touches=NOTHING),
    Fault(
        "cache full",
        "`maxmemory` of 1 MB, which is already used, and `noeviction`",
        cache_full,
        touches=NOTHING,
    ),
    Fault(
        "cache a cluster",
        "no fault, but Valkey restricts the keys of a command like ElastiCache Serverless",
        no_fault,
        touches=NOTHING,
        setting=Setting(cluster=True),
    ),
    _tmdb("slow", "correct responses, 2 seconds late", kind="slow", seconds=2),
    _tmdb("500", "every response is 500", kind="status", status=500, short=True),
    _tmdb("garbage", "200 with JSON of the wrong types", kind="wrong-types"),
    _tmdb("hang", "no response", kind="hang"),
    _tmdb("drip", "200 and one byte per second", kind="drip"),
    Fault(
        "Plex down",
        "every connection drops",
        upstream(plex_of, kind="close"),
        _SIGN_IN,
        _PLEX,
        BREAKER_SECONDS,
        short=True,
    ),
    Fault(
        "Plex hanging with twelve people",
        "no response, while twelve users poll for their sign-in every second; "
        "functions with the concurrency limits of docs/deploy.md",
        plex_hangs,
        # API Gateway may throttle sign-ins, but no other call.
        _SIGN_IN,
        _PLEX | {"RATE_LIMITED"},
        BREAKER_SECONDS,
        Setting(bounds=True),
    ),
    Fault(
        "worker killed in a transaction",
        "repeated `kill -9` of function processes that have written but not committed",
        workers_killed,
        codes=frozenset({"INTERNAL_ERROR"}),
        short=True,
    ),
    Fault(
        "clock off by an hour",
        "the clock of each function process is an hour fast or an hour slow: `time.time`, and "
        "`datetime.now` where the code reads it, are replaced in the process; a process with a "
        "slow clock rejects tokens of the last hour as issued in the future (A04 in "
        "[trust.md](trust.md)), so all users start a sign-in, more often than API Gateway allows",
        clock_skewed,
        touches=ALL - {"health"},
        codes=frozenset({"JWT_INVALID", "RATE_LIMITED"}),
        setting=Setting(skewed=True),
    ),
)
