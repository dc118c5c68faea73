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
from tests.prove.stage import RunningEngine, Stage
from tests.support.plex import approve, control

POLLERS = 12
KILL_SECONDS = 0.4
POLL_SECONDS = 0.01
LOCK_SECONDS = 0.3
# API Gateway allows five new sign-ins per second.
SIGN_IN_SECONDS = 0.4


def killed(engine: Callable[[Stage], RunningEngine]) -> Callable[[Stage, float], None]:
    """Return a fault that kills an engine three times, each time for a sixth of the duration."""

    def run(stage: Stage, seconds: float) -> None:
        for attempt in range(3):
            if attempt:
                time.sleep(seconds / 6)
            processes.send(signal.SIGKILL, engine(stage).server.pid)
            time.sleep(seconds / 6)
            engine(stage).restart()

    return run


def stopped(engine: Callable[[Stage], RunningEngine]) -> Callable[[Stage, float], None]:
    """Return a fault that freezes all processes of an engine: no response, no closed connection."""

    def run(stage: Stage, seconds: float) -> None:
        pid = engine(stage).server.pid
        # Stop the parent first, so that it starts no more children.
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
    deadline = time.monotonic() + seconds
    filled = 0
    try:
        while time.monotonic() < deadline:
            filled = disk.fill(ballast)
            time.sleep(0.1)
    finally:
        ballast.unlink()
    stage.notes.append(f"{filled / 2**20:.0f} of {disk.MEGABYTES} MiB were filled by the test")
    restart_if_stopped(stage.postgres, stage)


def restart_if_stopped(engine: RunningEngine, stage: Stage) -> None:
    """Restart an engine that has stopped, and wait until it responds."""
    time.sleep(0.5)
    if not engine.engine.is_running(engine.server):
        stage.notes.append("PostgreSQL had stopped and was restarted")
        engine.restart()
    deadline = time.monotonic() + 60
    while not engine.engine.is_ready(engine.server):
        if time.monotonic() > deadline:
            raise TimeoutError("the database does not recover")
        time.sleep(0.05)


@contextmanager
def cache_admin(stage: Stage) -> Iterator[redis.Redis]:
    """Connect to the cache as an administrator."""
    with redis.Redis.from_url(stage.valkey.server.url, socket_timeout=5) as client:
        yield client


def flushed(stage: Stage, seconds: float) -> None:
    """Flush the cache twice per second."""
    deadline = time.monotonic() + seconds
    with cache_admin(stage) as client:
        while time.monotonic() < deadline:
            client.flushall()
            time.sleep(0.5)


def cache_full(stage: Stage, seconds: float) -> None:
    """Fill the memory of the cache, and forbid evictions."""
    with cache_admin(stage) as client:
        previous: Any = client.config_get("maxmemory*")
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
            client.config_set("maxmemory", previous["maxmemory"])
            client.config_set("maxmemory-policy", previous["maxmemory-policy"])


def no_fault(_: Stage, seconds: float) -> None:
    """Wait: the stage itself is the special condition."""
    time.sleep(seconds)


def upstream(url_of: Callable[[Stage], str], **fault: Any) -> Callable[[Stage, float], None]:
    """Return a fault that injects a fault into a stand-in."""

    def run(stage: Stage, seconds: float) -> None:
        control(url_of(stage), "PUT", "fault", fault)
        try:
            time.sleep(seconds)
        finally:
            control(url_of(stage), "DELETE", "fault")

    return run


def plex_hangs(stage: Stage, seconds: float) -> None:
    """Make plex.tv hang while twelve users poll for their sign-in every second."""
    finished = Event()
    handles: list[str] = []
    while len(handles) < POLLERS:
        pin = stage.http.call("pin", "POST", "/api/auth/plex/pin", body={})
        if pin.ok:
            approve(stage.plex_url, pin.body["data"]["code"], f"person{len(handles) % 4}")
            handles.append(pin.body["data"]["pinId"])
        time.sleep(SIGN_IN_SECONDS)

    def poll(handle: str) -> None:
        while not finished.wait(1.0):
            stage.http.call("verify", "POST", "/api/auth/plex/verify", body={"pinId": handle})

    threads = [Thread(target=poll, args=(handle,)) for handle in handles]
    control(stage.plex_url, "PUT", "fault", {"kind": "hang"})
    try:
        for thread in threads:
            thread.start()
        time.sleep(seconds)
    finally:
        finished.set()
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
    deadline = time.monotonic() + seconds
    kills = 0
    # pg_stat_activity does not change within a transaction, so a second connection watches it.
    with stage.database() as holder, stage.database() as watcher:
        while (now := time.monotonic()) < deadline or (kills == 0 and now < deadline + 30):
            if _kill_one_writer(stage, holder, watcher):
                kills += 1
                time.sleep(KILL_SECONDS)
            time.sleep(LOCK_SECONDS)
    stage.notes.append(f"{kills} workers were killed in a transaction")
    if kills == 0:
        raise RuntimeError("no worker was in a transaction")


def _kill_one_writer(stage: Stage, holder: Db, watcher: Db) -> bool:
    """Make a transaction wait before its audit row, freeze its worker, and kill it."""
    with holder.transaction():
        # Each change writes its audit row last. No other call fails during a wait of this length.
        holder.execute("LOCK TABLE audit_logs IN SHARE MODE")
        deadline = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < deadline:
            if _kill_found_writer(stage, watcher):
                return True
            time.sleep(POLL_SECONDS)
    return False


def _kill_found_writer(stage: Stage, db: Db) -> bool:
    writers = db.execute(_WRITING).fetchall()
    pids = list(processes.workers_of(stage.service.pid)) if writers else []
    for port, transaction_id in writers:
        pid = processes.owner_of(int(port), pids)
        if pid is None:
            continue
        processes.send(signal.SIGSTOP, pid)
        # The transaction may have ended before the worker stopped.
        time.sleep(POLL_SECONDS)
        if (port, transaction_id) in db.execute(_WRITING).fetchall():
            processes.send(signal.SIGKILL, pid)
            return True
        processes.send(signal.SIGCONT, pid)
    return False


def clock_skewed(stage: Stage, seconds: float) -> None:
    """Move the clocks of the functions by an hour, some forwards and some backwards."""
    stage.skew.touch()
    try:
        time.sleep(seconds)
    finally:
        stage.skew.unlink()


def database_of(stage: Stage) -> RunningEngine:
    """Return the stage's PostgreSQL."""
    return stage.postgres


def cache_of(stage: Stage) -> RunningEngine:
    """Return the stage's Valkey."""
    return stage.valkey


def tmdb_of(stage: Stage) -> str:
    """Return the URL of the stage's TMDB."""
    return stage.tmdb_url


def plex_of(stage: Stage) -> str:
    """Return the URL of the stage's plex.tv."""
    return stage.plex_url
