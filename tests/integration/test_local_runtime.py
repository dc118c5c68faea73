"""The local Lambda runtime: workers, environments, timeouts, crashes and reloads."""

import asyncio
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.lambda_ import fork_server, pool
from local.lambda_.fork_server import ForkedProcess
from local.lambda_.invocation import InvocationResult, TooManyRequestsError
from local.lambda_.runtime import Runtime
from local.lambda_.runtime_api import RuntimeApi
from local.run_config import PROJECT
from local.template.loader import TemplateError
from local.template.models import Function, Layer
from local.template.placeholders import parameter_placeholder
from tests.support.processes import exists

AWSLAMBDARIC = PROJECT / ".venv" / "var" / "runtime"
DEADLINE = 20.0
LIBRARIES: list[Layer] = []

PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"
SLEEPER = """
import json, os, subprocess, sys, time
def handler(event, context):
    if event.get("quick"):
        return os.getpid()
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
    with open(event["pids"] + ".new", "w") as file:
        json.dump([os.getpid(), child.pid], file)
    os.rename(event["pids"] + ".new", event["pids"])
    time.sleep(600)
"""
GATE = """
import os, time
def handler(event, context):
    open(event["in"] + str(os.getpid()), "w").close()
    while not os.path.exists(event["gate"]):
        time.sleep(0.01)
    return os.getpid()
"""
PARENT = """
import asyncio, sys
from pathlib import Path
from local.lambda_.runtime import Runtime
from local.template.models import Function, Layer

async def main(code, runtime, pycache, pids, *libraries):
    layers = tuple(Layer("Libraries", Path(each), is_source=False) for each in libraries)
    work = Function("Work", Path(code), "app.handler", 60, 128, None, layers, {})
    async with Runtime({"Work": work}, runtime=Path(runtime), pycache=Path(pycache)) as started:
        print((await started.invoke("Work", {"quick": True})).payload, flush=True)
        await started.invoke("Work", {"pids": pids})

asyncio.run(main(*sys.argv[1:]))
"""


def run[T](work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(work, loop_factory=asyncio.new_event_loop)


@pytest.fixture(autouse=True, params=["process", "fork"])
def libraries(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Layer, ...]]:
    """Give each function no layer of libraries, then one: its workers are forks, on Linux."""
    if request.param == "fork":
        (tmp_path / "libraries").mkdir()
        LIBRARIES.append(Layer("Libraries", tmp_path / "libraries", is_source=False))
    yield tuple(LIBRARIES)
    LIBRARIES.clear()


def function(folder: Path, source: str, **changes: Any) -> Function:
    (folder / "work").mkdir(exist_ok=True)
    (folder / "work" / "app.py").write_text(source)
    values: dict[str, Any] = {
        "id": "Work",
        "code": folder / "work",
        "handler": "app.handler",
        "timeout": 10.0,
        "memory": 256,
        "concurrency": None,
        "layers": (),
        "environment": {},
    }
    made = Function(**{**values, **changes})
    return replace(made, layers=(*made.layers, *LIBRARIES))


@asynccontextmanager
async def running(folder: Path, work: Function, **options: Any) -> AsyncIterator[Runtime]:
    values = {"runtime": AWSLAMBDARIC, "pycache": folder.parent / "pycache", **options}
    async with Runtime({"Work": work}, **values) as runtime:
        yield runtime


def invoke(folder: Path, work: Function, event: object = None, **options: Any) -> InvocationResult:
    async def invoke_once() -> InvocationResult:
        async with running(folder, work, **options) as runtime:
            return await runtime.invoke("Work", event)

    return run(invoke_once())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        return exists(pid)
    return state != "Z"  # a zombie: only its parent can reap it


def test_function_can_import_only_its_folder_its_layers_and_the_runtime(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name / name).mkdir(parents=True)
        (tmp_path / name / name / "__init__.py").write_text(f"name = '{name}'\n")
    code = """
import importlib.util, os, sys, first, second
def handler(event, context):
    found = [name for name in event if importlib.util.find_spec(name)]
    return {"layers": [first.name, second.name], "found": found, "path": sys.path,
            "folder": os.getcwd()}
"""
    layers = tuple(Layer(name, tmp_path / name, is_source=True) for name in ("first", "second"))
    names = ["pytest", "aiohttp", "local", "functions", "medianest", "pip", "yaml"]

    work = function(tmp_path, code, layers=layers)
    payload = invoke(tmp_path, work, [*names, "json"]).payload
    assert payload["layers"] == ["first", "second"]
    assert payload["found"] == ["json"]
    assert payload["folder"] == str(tmp_path / "work")
    expected = [tmp_path / "work", *(layer.python for layer in work.layers), AWSLAMBDARIC]
    assert payload["path"][: len(expected)] == [str(folder) for folder in expected]
    others = payload["path"][len(expected) :]
    assert not [folder for folder in others if "site-packages" in folder]


def test_environment_has_only_the_variables_of_template_and_lambda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "1")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    code = "import os\nvalues = dict(os.environ)\ndef handler(event, context):\n    return values\n"
    work = function(tmp_path, code, environment={"ONE": "1", "TWO": "2"})

    environment = invoke(tmp_path, work, environment={"TWO": "two", "THREE": "3"}).payload
    assert {name: environment.pop(name) for name in ("ONE", "TWO")} == {"ONE": "1", "TWO": "two"}
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "Work"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["LAMBDA_TASK_ROOT"] == str(tmp_path / "work")
    prefixes = ("AWS_", "LAMBDA_", "LANG", "PATH", "TZ", "_HANDLER")
    assert [name for name in environment if not name.startswith(prefixes)] == []


def test_variable_without_a_value_is_named_in_the_error(tmp_path: Path) -> None:
    work = function(tmp_path, PID, environment={"URL": parameter_placeholder("UrlArn")})

    with pytest.raises(TemplateError, match="URL of Work comes from the parameter UrlArn"):
        invoke(tmp_path, work)


def test_context_has_the_attributes_of_lambda(tmp_path: Path) -> None:
    code = """
import os
def handler(event, context):
    return {"id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
            "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            "trace": os.environ["_X_AMZN_TRACE_ID"], "event": event}
"""

    async def scenario() -> list[dict[str, Any]]:
        async with running(tmp_path, function(tmp_path, code, timeout=3.0)) as runtime:
            first = await runtime.invoke("Work", {"text": "é"}, trace_id="Root=1-2-3")
            return [first.payload, (await runtime.invoke("Work", None)).payload]

    first, second = run(scenario())
    assert first["event"] == {"text": "é"}
    assert first["trace"] == "Root=1-2-3"
    assert second["trace"].startswith("Root=1-")
    assert 0 < first["left"] <= 3000
    assert first["arn"].endswith(":function:Work")
    assert first["memory"] == "256"
    assert first["id"] != second["id"]


def test_idle_worker_is_reused_after_one_cold_start(tmp_path: Path) -> None:
    async def scenario() -> list[InvocationResult]:
        async with running(tmp_path, function(tmp_path, PID)) as runtime:
            results = []
            for _ in range(4):
                results.append(await runtime.invoke("Work", None))
                # A worker that has answered takes the next call once it asks for it.
                await until(lambda: bool(runtime._pools["Work"]._idle))
            return results

    results = run(scenario())
    assert [result.is_cold for result in results] == [True, False, False, False]
    assert len({result.payload for result in results}) == 1


def test_concurrent_calls_use_separate_workers_up_to_the_bound(tmp_path: Path) -> None:
    event = {"in": str(tmp_path / "in-"), "gate": str(tmp_path / "gate")}

    async def scenario() -> list[int]:
        async with running(tmp_path, function(tmp_path, GATE, concurrency=2)) as runtime:
            calls = [asyncio.create_task(runtime.invoke("Work", event)) for _ in range(2)]
            await until(lambda: len(list(tmp_path.glob("in-*"))) == 2)
            with pytest.raises(TooManyRequestsError):
                await runtime.invoke("Work", event)
            (tmp_path / "gate").touch()
            pids = [(await call).payload for call in calls]
            assert (await runtime.invoke("Work", event)).payload in pids
            return pids

    assert len(set(run(scenario()))) == 2


def test_calls_without_a_bound_wait_for_a_free_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MAX_WORKERS", 2)

    async def scenario() -> list[InvocationResult]:
        async with running(tmp_path, function(tmp_path, PID, concurrency=None)) as runtime:
            return await asyncio.gather(*(runtime.invoke("Work", None) for _ in range(12)))

    results = run(scenario())
    assert [result.error for result in results] == [None] * 12
    assert len({result.payload for result in results}) <= 2


def test_timed_out_function_is_killed_with_its_child_processes(tmp_path: Path) -> None:
    lines: list[str] = []
    pids = tmp_path / "pids"

    async def scenario() -> InvocationResult:
        work = function(tmp_path, SLEEPER, timeout=1.0)
        options = {"log": lambda _, line: lines.append(line)}
        async with running(tmp_path, work, **options) as runtime:
            result = await runtime.invoke("Work", {"pids": str(pids)})
            await until(lambda: not any(map(is_alive, json.loads(pids.read_text()))))
            second = await runtime.invoke("Work", {"quick": True})
            assert (second.error, second.is_cold) == (None, True)
            return result

    result = run(scenario())
    assert result.error == "Sandbox.Timedout"
    assert result.payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert any(line.endswith("Task timed out after 1.00 seconds") for line in lines)


def test_cancelled_call_leaves_the_worker_usable(tmp_path: Path) -> None:
    event = {"in": str(tmp_path / "in-"), "gate": str(tmp_path / "gate")}

    async def scenario() -> None:
        work = function(tmp_path, GATE, concurrency=1)
        async with running(tmp_path, work) as runtime:
            starting = asyncio.create_task(runtime.invoke("Work", event))
            await asyncio.sleep(0)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            busy = asyncio.create_task(runtime.invoke("Work", event))
            await until(lambda: any(tmp_path.glob("in-*")))
            busy.cancel()
            with pytest.raises(asyncio.CancelledError):
                await busy
            (tmp_path / "gate").touch()
            assert (await runtime.invoke("Work", event)).error is None

    run(scenario())


def test_crashed_worker_is_replaced(tmp_path: Path) -> None:
    code = "import os\ndef handler(event, context):\n    os._exit(3) if event else None\n"

    async def scenario() -> list[InvocationResult]:
        async with running(tmp_path, function(tmp_path, code)) as runtime:
            return [await runtime.invoke("Work", event) for event in (False, True, False)]

    before, crash, after = run(scenario())
    assert crash.error == "Runtime.ExitError"
    assert crash.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert (before.error, after.error, after.is_cold) == (None, None, True)


def test_exception_is_returned_and_logged(tmp_path: Path) -> None:
    lines: list[str] = []
    code = "def handler(event, context):\n    print('one\\ntwo')\n    return {}['missing']\n"

    result = invoke(tmp_path, function(tmp_path, code), log=lambda _, line: lines.append(line))
    assert result.error == "KeyError"
    assert result.payload["errorMessage"] == "'missing'"
    assert lines[:3] == ["one", "two", "[ERROR] KeyError: 'missing'"]
    assert any("app.py" in line for line in lines[3:])


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        ("raise ValueError('not today')", "ValueError", "not today"),
        ("import missing_module", "Runtime.ImportModuleError", "missing_module"),
        ("def handler(", "Runtime.UserCodeSyntaxError", "app"),
        ("import os\nos._exit(4)", "Runtime.ExitError", "exit status 4"),
        ("other = 1", "Runtime.HandlerNotFound", "handler"),
    ],
)
def test_failed_start_of_a_function_returns_its_cause(
    tmp_path: Path, code: str, error: str, text: str
) -> None:
    result = invoke(tmp_path, function(tmp_path, code))

    assert result.error == error
    assert text in result.payload["errorMessage"]


def test_function_without_a_folder_returns_a_start_error(tmp_path: Path) -> None:
    work = function(tmp_path, PID, code=tmp_path / "nowhere")

    result = invoke(tmp_path, work)
    assert result.error == "Runtime.StartError"
    assert "nowhere" in result.payload["errorMessage"]


def test_function_starts_again_after_too_many_open_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> list[InvocationResult]:
        async def fail(*_: object) -> str:
            raise OSError(errno.EMFILE, "Too many open files")

        async with running(tmp_path, function(tmp_path, PID, concurrency=1)) as runtime:
            with monkeypatch.context() as patched:
                patched.setattr(RuntimeApi, "open", fail)
                failed = await runtime.invoke("Work", None)
            return [failed, await asyncio.wait_for(runtime.invoke("Work", None), DEADLINE)]

    failed, after = run(scenario())
    assert failed.error == "Runtime.StartError"
    assert "Too many open files" in failed.payload["errorMessage"]
    assert after.error is None


def test_result_over_six_megabytes_is_an_error(tmp_path: Path) -> None:
    code = "def handler(event, context):\n    return 'x' * event\n"

    async def scenario() -> list[InvocationResult]:
        async with running(tmp_path, function(tmp_path, code)) as runtime:
            sizes = (6 * 1024 * 1024 - 2, 6 * 1024 * 1024 - 1)
            return [await runtime.invoke("Work", size) for size in sizes]

    fits, too_large = run(scenario())
    assert fits.error is None
    assert too_large.error == "Function.ResponseSizeTooLarge"


def test_changed_function_or_layer_is_reloaded(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "common.py").write_text("name = 'old layer'\n")
    code = "import common\ndef handler(event, context):\n    return ['{}', common.name]\n"
    layers = (Layer("Common", layer, is_source=True),)

    async def scenario() -> None:
        work = function(tmp_path, code.format("old"), layers=layers)
        async with running(tmp_path, work) as runtime:

            async def wait_for_result(expected: list[str]) -> None:
                async with asyncio.timeout(DEADLINE):
                    while (await runtime.invoke("Work", None)).payload != expected:
                        await asyncio.sleep(0.05)

            await wait_for_result(["old", "old layer"])
            function(tmp_path, code.format("brand new"))
            await wait_for_result(["brand new", "old layer"])
            (layer / "common.py").write_text("name = 'brand new layer'\n")
            await wait_for_result(["brand new", "brand new layer"])

    run(scenario())
    assert list(tmp_path.glob("work/__pycache__")) == []
    assert list(tmp_path.glob("layer/__pycache__")) == []
    compiled = tmp_path.parent / "pycache" / tmp_path.relative_to("/")
    assert list(compiled.rglob("*.pyc")) != []


def test_function_starts_after_its_error_is_fixed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, function(tmp_path, "raise ValueError")) as runtime:
            assert (await runtime.invoke("Work", None)).error == "ValueError"
            function(tmp_path, PID)
            assert (await runtime.invoke("Work", None)).error is None

    run(scenario())


def test_code_that_changes_during_a_call_leaves_the_call(tmp_path: Path) -> None:
    async def scenario() -> tuple[object, list[str]]:
        gate = tmp_path / "gate"
        event = {"in": str(tmp_path / "in-"), "gate": str(gate)}
        passing = {"in": str(tmp_path / "passing-"), "gate": str(tmp_path)}
        async with running(tmp_path, function(tmp_path, GATE)) as runtime:
            busy = asyncio.create_task(runtime.invoke("Work", event))
            await until(lambda: any(tmp_path.glob("in-*")))
            function(tmp_path, "def handler(event, context):\n    return 'new'\n")
            async with asyncio.timeout(DEADLINE):
                while (await runtime.invoke("Work", passing)).payload != "new":
                    await asyncio.sleep(0.05)
            gate.touch()
            result = (await busy).payload
            workers = [path.name.removeprefix("in-") for path in tmp_path.glob("in-*")]
            async with asyncio.timeout(DEADLINE):
                while any(is_alive(int(each)) for each in workers):
                    assert (await runtime.invoke("Work", passing)).payload == "new"
                    await asyncio.sleep(0.05)
            return result, workers

    result, workers = run(scenario())
    assert workers == [str(result)]


def loaded_by(libraries: tuple[Layer, ...], workers: int) -> int:
    """Return how many processes load a function: with a layer of libraries, workers are forks."""
    return 1 if libraries and sys.platform == "linux" else workers


def test_workers_differ_though_one_process_loads_the_function(
    tmp_path: Path, libraries: tuple[Layer, ...]
) -> None:
    code = """
import asyncio, os, random, time, uuid
asyncio.set_event_loop(asyncio.new_event_loop())
os.environ["SET_BY_INIT"] = "yes"
print("the function loads")
def handler(event, context):
    open(event["in"] + str(os.getpid()), "w").close()
    while not os.path.exists(event["gate"]):
        time.sleep(0.01)
    async def wait_for_a_thread():
        return await asyncio.to_thread(os.getpid)
    pid = asyncio.get_event_loop().run_until_complete(wait_for_a_thread())
    print("the call of", pid)
    values = [pid, random.random(), str(uuid.uuid4()), os.environ["AWS_LAMBDA_RUNTIME_API"]]
    return values, os.environ["SET_BY_INIT"]
"""
    lines: list[str] = []
    count = 4

    async def scenario() -> list[InvocationResult]:
        event = {"in": str(tmp_path / "in-"), "gate": str(tmp_path / "gate")}
        work = function(tmp_path, code)
        async with running(tmp_path, work, log=lambda _, line: lines.append(line)) as runtime:
            calls = [asyncio.create_task(runtime.invoke("Work", event)) for _ in range(count)]
            await until(lambda: len(list(tmp_path.glob("in-*"))) == count)
            (tmp_path / "gate").touch()
            return await asyncio.gather(*calls)

    results = run(scenario())
    values = [each.payload[0] for each in results]
    assert [len(set(column)) for column in zip(*values, strict=True)] == [count] * 4
    assert {each.payload[1] for each in results} == {"yes"}
    assert lines.count("the function loads") == loaded_by(libraries, count)
    pids = [value[0] for value in values]
    assert sorted(line for line in lines if "call" in line) == sorted(
        f"the call of {pid}" for pid in pids
    )


@pytest.mark.parametrize(
    ("init", "error"),
    [
        ("raise ValueError", "ValueError"),
        ("import os; os._exit(0)", "Runtime.ExitError"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(5,)).start()", None),
    ],
)
def test_output_of_an_init_without_a_snapshot_is_logged_once(
    tmp_path: Path, init: str, error: str | None
) -> None:
    lines: list[str] = []

    async def scenario() -> InvocationResult:
        work = function(tmp_path, f"print('the function loads', flush=True)\n{init}\n{PID}")
        async with running(tmp_path, work, log=lambda _, line: lines.append(line)) as runtime:
            return await runtime.invoke("Work", None)

    assert run(scenario()).error == error
    assert lines.count("the function loads") == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists descriptors as Linux does")
def test_failed_starts_at_once_leave_no_open_file(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def scenario() -> None:
        async with running(tmp_path, function(tmp_path, "")) as runtime:
            workers = runtime._pools["Work"]

            async def fail_twice(seconds: float) -> None:
                await asyncio.sleep(pool._CODE_CHECK_SECONDS)
                function(tmp_path, f"import time; time.sleep({seconds}); raise ValueError")
                calls = [asyncio.create_task(runtime.invoke("Work", None)) for _ in range(2)]
                assert [each.error for each in await asyncio.gather(*calls)] == ["ValueError"] * 2
                await until(lambda: not workers._workers and not workers._tasks)

            # The first start also opens what the runtime keeps.
            await fail_twice(0.1)
            before = open_files()
            await fail_twice(0.25)
            await until(lambda: open_files() <= before)

    run(scenario())


def test_start_without_a_free_file_leaves_the_running_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, libraries: tuple[Layer, ...]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def scenario() -> list[InvocationResult]:
        gate = tmp_path / "gate"
        event = {"in": str(tmp_path / "in-"), "gate": str(gate)}
        async with running(tmp_path, function(tmp_path, GATE)) as runtime:
            busy = asyncio.create_task(runtime.invoke("Work", event))
            await until(lambda: any(tmp_path.glob("in-*")))
            with monkeypatch.context() as patched:
                if libraries:
                    patched.setattr(fork_server, "_two_pipes", fail)
                patched.setattr(asyncio.get_running_loop(), "subprocess_exec", fail, raising=False)
                failed = await runtime.invoke("Work", event)
            gate.touch()
            return [failed, await busy, await runtime.invoke("Work", event)]

    failed, busy, after = run(scenario())
    assert "Too many open files" in failed.payload["errorMessage"]
    assert (failed.error, busy.error, after.error) == ("Runtime.StartError", None, None)
    assert after.payload == busy.payload


def test_function_starts_again_after_its_snapshot_or_worker_was_killed(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, int]:
        async with running(tmp_path, function(tmp_path, PID)) as runtime:
            first: int = (await runtime.invoke("Work", None)).payload
            killed = first
            if snapshot := runtime._pools["Work"]._snapshot:
                assert isinstance(snapshot._server._process, ForkedProcess)
                killed = snapshot._server._process.get_pid()
            os.kill(killed, signal.SIGKILL)
            await until(lambda: not is_alive(first))
            return first, (await runtime.invoke("Work", None)).payload

    first, second = run(scenario())
    assert first != second


def test_idle_worker_is_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        work = function(tmp_path, PID)
        async with running(tmp_path, work, idle_seconds=0.05) as runtime:
            pid = (await runtime.invoke("Work", None)).payload
            await until(lambda: not is_alive(pid))
            assert (await runtime.invoke("Work", None)).payload != pid

    run(scenario())


def test_stop_ends_all_processes(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        async with running(tmp_path, function(tmp_path, SLEEPER)) as runtime:
            idle = (await runtime.invoke("Work", {"quick": True})).payload
            busy = asyncio.create_task(runtime.invoke("Work", {"pids": str(tmp_path / "pids")}))
            await until((tmp_path / "pids").exists)
            starting = asyncio.create_task(runtime.invoke("Work", {"quick": True}))
            await asyncio.sleep(0)
        assert (await busy).error == "Runtime.ExitError"
        assert (await starting).error is not None
        return [idle, *json.loads((tmp_path / "pids").read_text())]

    pids = run(scenario())
    run(until(lambda: not any(map(is_alive, pids))))


def test_all_processes_end_when_the_parent_is_killed(
    tmp_path: Path, libraries: tuple[Layer, ...]
) -> None:
    function(tmp_path, SLEEPER)
    pids = tmp_path / "pids"
    arguments = [tmp_path / "work", AWSLAMBDARIC, tmp_path.parent / "pycache", pids]
    starter = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments, *(layer.python for layer in libraries)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
    )
    try:
        run(until(pids.exists))
    finally:
        starter.send_signal(signal.SIGKILL)
        starter.communicate()

    run(until(lambda: not any(map(is_alive, json.loads(pids.read_text())))))


def test_child_that_keeps_the_output_open_does_not_block_the_pool(tmp_path: Path) -> None:
    code = """
import os, subprocess, sys
def handler(event, context):
    child = "import os, time; os.setsid(); time.sleep(30)"
    subprocess.Popen([sys.executable, "-I", "-S", "-c", child])
    os._exit(1)
"""
    started = time.monotonic()

    assert invoke(tmp_path, function(tmp_path, code)).error == "Runtime.ExitError"
    assert time.monotonic() - started < DEADLINE  # before the child process ends


def test_python_runtime_client_is_used_without_the_native_one(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    shutil.copytree(AWSLAMBDARIC, runtime, ignore=shutil.ignore_patterns("*.so"))
    code = """
def handler(event, context):
    import runtime_client
    return [event, runtime_client.__file__.endswith("lambda_/runtime_client.py")][event["index"]]
"""

    async def scenario() -> list[InvocationResult]:
        async with running(tmp_path, function(tmp_path, code), runtime=runtime) as started:
            return [await started.invoke("Work", {"index": index}) for index in (0, 1, 2, 1)]

    event, is_fallback, error, repeated = run(scenario())
    assert event.payload == {"index": 0}
    assert is_fallback.payload is True
    assert error.error == "IndexError"
    assert repeated.payload is True
