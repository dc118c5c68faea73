"""Inject real faults; each function returns after it has removed the cause."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import redis

from tests.prove import disk, processes
from tests.prove.ledger import Db
from tests.prove.stage import Engine, Stage
from tests.support.plex import approve, control

POLLERS = 12
KILL_SECONDS = 0.4
LOOK_SECONDS = 0.01
HOLD_SECONDS = 0.3
# API Gateway allows five new sign-ins per second.
BEGIN_SECONDS = 0.4


def killed(engine: Callable[[Stage], Engine]) -> Callable[[Stage, float], None]:
    """Return a fault that kills an engine three times, each time for a sixth of the duration."""

    def run(stage: Stage, seconds: float) -> None:
        for again in range(3):
            if again:
                time.sleep(seconds / 6)
            processes.send(signal.SIGKILL, engine(stage).server.pid)
            time.sleep(seconds / 6)
            engine(stage).revive()

    return run


def stopped(engine: Callable[[Stage], Engine]) -> Callable[[Stage, float], None]:
    """Return a fault that freezes all processes of an engine: no response, no closed connection."""

    def run(stage: Stage, seconds: float) -> None:
        pid = engine(stage).server.pid
        # The parent first, so that it starts no more children.
        processes.send(signal.SIGSTOP, pid)
        frozen = [pid, *processes.children_of(pid)]
        try:
            processes.send(signal.SIGSTOP, *frozen)
            time.sleep(seconds)
        finally:
            processes.send(signal.SIGCONT, *frozen)

    return run


def read_only(stage: Stage, seconds: float) -> None:
    """Make the database reject every write, as a replica does after a failover."""
    with stage.database() as db:
        try:
            db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            db.execute("SELECT pg_reload_conf()")
            time.sleep(seconds)
        finally:
            db.execute("ALTER SYSTEM RESET default_transaction_read_only")
            db.execute("SELECT pg_reload_conf()")


def locked(stage: Stage, seconds: float) -> None:
    """Lock the table of requests, and the row of every user."""
    with stage.database() as db, db.transaction():
        db.execute("SELECT FROM users ORDER BY id FOR UPDATE")
        db.execute("LOCK TABLE media_requests IN ACCESS EXCLUSIVE MODE")
        time.sleep(seconds)


def disk_full(stage: Stage, seconds: float) -> None:
    """Fill the file system of the database, and fill it again when the database frees space."""
    ballast = stage.disk / "ballast"
    until = time.monotonic() + seconds
    most = 0
    try:
        while time.monotonic() < until:
            most = disk.fill(ballast)
            time.sleep(0.1)
    finally:
        ballast.unlink()
    stage.notes.append(f"{most / 2**20:.0f} of {disk.MEGABYTES} MiB were filled by the test")
    revive_if_gone(stage.postgres, stage)


def revive_if_gone(engine: Engine, stage: Stage) -> None:
    """Restart an engine that has stopped, and wait until it responds."""
    time.sleep(0.5)
    if not engine.engine.is_running(engine.server):
        stage.notes.append("PostgreSQL had stopped and was restarted")
        engine.revive()
    deadline = time.monotonic() + 60
    while not engine.engine.is_ready(engine.server):
        if time.monotonic() > deadline:
            raise TimeoutError("the database does not recover")
        time.sleep(0.05)


@contextmanager
def operator(stage: Stage) -> Iterator[redis.Redis]:
    """Connect to the cache as an administrator."""
    with redis.Redis.from_url(stage.valkey.server.url, socket_timeout=5) as client:
        yield client


def flushed(stage: Stage, seconds: float) -> None:
    """Flush the cache twice per second."""
    until = time.monotonic() + seconds
    with operator(stage) as client:
        while time.monotonic() < until:
            client.flushall()
            time.sleep(0.5)


def cache_full(stage: Stage, seconds: float) -> None:
    """Fill the memory of the cache, and forbid evictions."""
    with operator(stage) as client:
        former: Any = client.config_get("maxmemory*")
        try:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 1_000_000)
            try:
                client.set("ballast", "")
            except redis.OutOfMemoryError:
                time.sleep(seconds)
            else:
                raise RuntimeError("the cache still has free memory")
        finally:
            client.config_set("maxmemory", former["maxmemory"])
            client.config_set("maxmemory-policy", former["maxmemory-policy"])


def nothing(_: Stage, seconds: float) -> None:
    """Wait: the stage itself is the special condition."""
    time.sleep(seconds)


def upstream(which: Callable[[Stage], str], **order: Any) -> Callable[[Stage, float], None]:
    """Return a fault that injects a fault into a stand-in."""

    def run(stage: Stage, seconds: float) -> None:
        control(which(stage), "PUT", "fault", order)
        try:
            time.sleep(seconds)
        finally:
            control(which(stage), "DELETE", "fault")

    return run


def plex_hangs(stage: Stage, seconds: float) -> None:
    """Make plex.tv hang while twelve users poll for their sign-in every second."""
    over = Event()
    handles: list[str] = []
    while len(handles) < POLLERS:
        pin = stage.http.call("pin", "POST", "/api/auth/plex/pin", body={})
        if pin.ok:
            approve(stage.plex_url, pin.body["data"]["code"], f"person{len(handles) % 4}")
            handles.append(pin.body["data"]["pinId"])
        time.sleep(BEGIN_SECONDS)

    def poll(handle: str) -> None:
        while not over.wait(1.0):
            stage.http.call("verify", "POST", "/api/auth/plex/verify", body={"pinId": handle})

    threads = [Thread(target=poll, args=(handle,)) for handle in handles]
    control(stage.plex_url, "PUT", "fault", {"kind": "hang"})
    try:
        for thread in threads:
            thread.start()
        time.sleep(seconds)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        control(stage.plex_url, "DELETE", "fault")


# Only a transaction that has written has a transaction id.
_WRITING = (
    "SELECT client_port, backend_xid::text FROM pg_stat_activity"
    " WHERE application_name LIKE 'medianest-%' AND backend_xid IS NOT NULL"
    " AND wait_event_type = 'Lock'"
)


def workers_killed(stage: Stage, seconds: float) -> None:
    """Kill workers with `kill -9`, each after it has written and before it commits."""
    until = time.monotonic() + seconds
    kills = 0
    # pg_stat_activity does not change within a transaction, so this needs two connections.
    with stage.database() as holder, stage.database() as watcher:
        while (now := time.monotonic()) < until or (kills == 0 and now < until + 30):
            if _kill_one_that_writes(stage, holder, watcher):
                kills += 1
                time.sleep(KILL_SECONDS)
            time.sleep(HOLD_SECONDS)
    stage.notes.append(f"{kills} workers were killed in a transaction")
    if kills == 0:
        raise RuntimeError("no worker was in a transaction")


def _kill_one_that_writes(stage: Stage, holder: Db, watcher: Db) -> bool:
    """Make a transaction wait before its audit row, freeze its worker, and kill it."""
    with holder.transaction():
        # Each change writes its audit row last. No other call fails during a wait of this length.
        holder.execute("LOCK TABLE audit_logs IN SHARE MODE")
        until = time.monotonic() + HOLD_SECONDS
        while time.monotonic() < until:
            if _killed(stage, watcher):
                return True
            time.sleep(LOOK_SECONDS)
    return False


def _killed(stage: Stage, db: Db) -> bool:
    found = db.execute(_WRITING).fetchall()
    pids = list(processes.workers_of(stage.service.process.pid)) if found else []
    for port, number in found:
        pid = processes.owner_of(int(port), pids)
        if pid is None:
            continue
        processes.send(signal.SIGSTOP, pid)
        # It may already have ended.
        time.sleep(LOOK_SECONDS)
        if (port, number) in db.execute(_WRITING).fetchall():
            processes.send(signal.SIGKILL, pid)
            return True
        processes.send(signal.SIGCONT, pid)
    return False


def clock_off(stage: Stage, seconds: float) -> None:
    """Move the clocks of the functions by an hour, some forwards and some backwards."""
    stage.skew.touch()
    try:
        time.sleep(seconds)
    finally:
        stage.skew.unlink()


def database_of(stage: Stage) -> Engine:
    """Return the stage's PostgreSQL."""
    return stage.postgres


def cache_of(stage: Stage) -> Engine:
    """Return the stage's Valkey."""
    return stage.valkey


def tmdb_of(stage: Stage) -> str:
    """Return the URL of the stage's TMDB."""
    return stage.tmdb_url


def plex_of(stage: Stage) -> str:
    """Return the URL of the stage's plex.tv."""
    return stage.plex_url
