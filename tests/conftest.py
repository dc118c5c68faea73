"""Fixtures: real engines for the run; a database, caches and stand-ins for each worker."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from xdist.remote import Producer

from local import standins
from tests.support import engines as run_engines
from tests.support import prepared, trust
from tests.support.browser.chromium import missing
from tests.support.pgbouncer import Pool, binary, pgbouncer
from tests.support.schedule import Scheduling, slow_first

run_engines.move_variables()
os.environ["POWERTOOLS_SERVICE_NAME"] = "tests"
# A background job of a script ignores SIGINT, and its child processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
BROWSER_TESTS = Path(__file__).parent / "web"
JWT_SECRET = "N0t-a-secret_just-the-key-of-these-tests"
ENCRYPTION_KEY = "N0t-a-secret_just-another-key-of-these-tests"


def pytest_configure(config: pytest.Config) -> None:
    """Check that the tests named in docs/trust.md ran; under xdist only the controller checks."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(trust.TrustPlugin(trust.required_tests(config)))


def pytest_xdist_auto_num_workers() -> int:
    """Return two workers more than processors: many tests wait for a timeout or a process."""
    return (os.process_cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Run tests that share a slow fixture in one worker, and keep the order of tests."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests first."""
    slow_first(items)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests in a browser on a machine that cannot run them."""
    is_one = BROWSER_TESTS in {collection_path, *collection_path.parents}
    return True if is_one and missing() else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that a run of the whole suite left out the tests in a browser."""
    arguments = [Path(each).resolve() for each in terminalreporter.config.args]
    if any(BROWSER_TESTS.is_relative_to(each) for each in arguments) and (reason := missing()):
        terminalreporter.write_line(f"Browser tests (tests/web) were left out: {reason}.")


@pytest.fixture(scope="session", autouse=True)
def prepared_database(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """Let the services of this run begin with a copy of one database."""
    root = tmp_path_factory.getbasetemp()
    prepared.use(root if worker_id == "master" else root.parent)


@pytest.fixture(scope="session")
def functions_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Create the event loop on which the functions of this process run."""
    loop = asyncio.new_event_loop()
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(autouse=True)
def current_loop(functions_loop: asyncio.AbstractEventLoop) -> None:
    """Set that loop as the current one, as in Lambda; a test that runs another loop unsets it."""
    asyncio.set_event_loop(functions_loop)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[str, str]]:
    """Return the URLs of PostgreSQL and of Valkey or Redis, which all workers share."""
    root = tmp_path_factory.getbasetemp()
    shared = root if worker_id == "master" else root.parent
    with ExitStack() as stack:
        postgres = stack.enter_context(run_engines.postgres(shared / "engines"))
        cache = stack.enter_context(run_engines.cache(shared / "engines"))
        yield postgres, cache


@pytest.fixture(scope="session")
def pool(
    engines: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pool | None]:
    """Return the PgBouncer between the functions and PostgreSQL, None unless PGBOUNCER is set."""
    if not run_engines.variable("PGBOUNCER"):
        yield None
        return
    if binary() is None:
        raise pytest.UsageError("PGBOUNCER is set, but PgBouncer is not installed")
    with pgbouncer(engines[0], tmp_path_factory.mktemp("pool") / "pgbouncer") as started:
        yield started


@pytest.fixture(scope="session")
def database_url(engines: tuple[str, str], worker_id: str) -> Iterator[str]:
    """Return the URL of this worker's empty database."""
    name, role = f"test_{worker_id}", f"test_app_{worker_id}"
    with run_engines.database(engines[0], name, [role]) as url:
        yield url


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    """Return the index of this worker in the run."""
    return 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))


@pytest.fixture(scope="session")
def redis_url(engines: tuple[str, str], worker_number: int) -> str:
    """Return the URL of this worker's cache database."""
    return run_engines.key_space(engines[1], 2 * worker_number)


@pytest.fixture(scope="session")
def upstreams() -> Iterator[standins.Standins]:
    """Run stand-ins for plex.tv and TMDB."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(standins.start(), loop).result(10)
    yield started
    asyncio.run_coroutine_threadsafe(started.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root folder of the project."""
    return Path(__file__).parents[1]
