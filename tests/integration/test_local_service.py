"""The local service: its configuration, start, commands and stop."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from local.lambda_.runtime import Runtime
from local.run_config import ON_AWS, PROJECT, RunConfig, read_run_config
from local.service import Backends, function_variables
from local.template.reader import read_template
from medianest.core.environment import ConfigurationError, load
from medianest.core.variables import Environment
from tests.support import forked
from tests.support.local import copy_database

DEADLINE = 60.0


def run_config(folder: Path, text: str = "", **environment: str) -> RunConfig:
    (folder / ".env").write_text(text)
    return read_run_config(data=folder, environment=environment, env_file=folder / ".env")


def test_missing_variables_are_generated_or_replaced_by_stand_ins(tmp_path: Path) -> None:
    config = run_config(tmp_path)

    assert config.port == 3001
    assert not {"DATABASE_URL", "REDIS_URL"} & config.variables.keys()
    assert not config.has_real_plex
    assert not config.has_real_tmdb
    assert (config.variables["NODE_ENV"], config.variables["LOG_LEVEL"]) == ("development", "INFO")
    assert len(config.variables["JWT_SECRET"].encode()) >= 32


def test_generated_values_are_stored_readable_only_by_the_owner(tmp_path: Path) -> None:
    first = run_config(tmp_path)

    assert run_config(tmp_path) == first
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["{", "5", '{"JWT_SECRET": 5}', '{"JWT_SECRET": null}'])
def test_damaged_generated_values_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ConfigurationError, match=r"settings\.json is damaged: remove it"):
        run_config(tmp_path)


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    text = """
# a comment
export PORT=4000
CORS_ORIGIN = "https://a.example"   # the origin of the web client
LOG_LEVEL=debug # all entries
PLEX_CLIENT_ID='from#the#file'
TMDB_API_KEY=
"""

    config = run_config(tmp_path, text, CORS_ORIGIN="https://b.example", NODE_ENV="")
    assert config.port == 4000
    assert (config.variables["LOG_LEVEL"], config.variables["NODE_ENV"]) == ("DEBUG", "development")
    assert config.variables["CORS_ORIGIN"] == "https://b.example"
    assert config.variables["PLEX_CLIENT_ID"] == "from#the#file"
    assert config.has_real_plex
    assert not config.has_real_tmdb


def test_address_of_an_upstream_disables_its_stand_in(tmp_path: Path) -> None:
    config = run_config(
        tmp_path, PLEX_API_URL="http://127.0.0.1:1", TMDB_API_URL="http://127.0.0.1:2/3"
    )

    assert config.has_real_plex
    assert config.has_real_tmdb


def test_all_invalid_variables_are_reported_at_once_without_secrets(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run_config(
            tmp_path,
            PORT="80a",
            DATABASE_URL="mysql://me:hush@host/db",
            REDIS_URL="hush",
            TMDB_API_URL="ftp://x",
            NODE_ENV="staging",
            LOG_LEVEL="loud",
            JWT_SECRET="hush",
        )

    assert sorted(problem.split()[2] for problem in caught.value.problems) == [
        *("DATABASE_URL", "JWT_SECRET", "LOG_LEVEL", "NODE_ENV"),
        *("PORT", "REDIS_URL", "TMDB_API_URL"),
    ]
    assert all(problem.startswith("the environment: ") for problem in caught.value.problems)
    assert "hush" not in str(caught.value)


def test_arn_is_refused_outside_aws(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run_config(tmp_path, JWT_SECRET="arn:aws:secretsmanager:eu-west-1:1:secret:x")
    assert caught.value.problems == (
        "the environment: JWT_SECRET is an ARN, which works on AWS only: set the value itself",
    )


def test_production_without_external_servers_is_refused() -> None:
    result = command(NODE_ENV="production", CACHE_TIMEOUT_SECONDS="9")

    assert result.returncode == 2
    assert result.stderr == (
        "Invalid settings:\n"
        "  the environment: CACHE_TIMEOUT_SECONDS must be a number of seconds from 0.05 to 2,"
        ' not "9"\n'
        "  the environment: NODE_ENV is production, which requires"
        " DATABASE_URL, REDIS_URL, PLEX_CLIENT_ID, TMDB_API_KEY:"
        " the local substitutes have no TLS\n"
    )


def test_production_with_external_tls_servers_is_accepted(tmp_path: Path) -> None:
    config = run_config(
        tmp_path,
        NODE_ENV="production",
        DATABASE_URL="postgresql://db.example/medianest?sslmode=verify-full",
        REDIS_URL="rediss://cache.example",
        PLEX_CLIENT_ID="mine",
        TMDB_API_KEY="mine",
        CACHE_TIMEOUT_SECONDS="1",
    )

    assert config.variables["NODE_ENV"] == "production"
    assert config.variables["CACHE_TIMEOUT_SECONDS"] == "1"


ALL_VARIABLES = {
    "NODE_ENV": "production",
    "LOG_LEVEL": "DEBUG",
    "CORS_ORIGIN": "https://media.example",
    "PUBLIC_URL": "https://page.example",
    "COOKIE_SECURE": "true",
    "DATABASE_URL": "postgresql://db.example/medianest?sslmode=verify-full",
    "REDIS_URL": "rediss://cache.example",
    "JWT_SECRET": "N0t-a-secret_just-the-key-of-these-tests",
    "PLEX_CLIENT_ID": "mine",
    "PLEX_SERVER_ID": "6d0c94f3b0f1d8b7a5e2c9104f7e3a86b1d25c07",
    "PLEX_API_URL": "https://plex.example",
    "PLEX_AUTH_URL": "https://plex.example/auth",
    "TMDB_API_KEY": "mine",
    "TMDB_API_URL": "https://tmdb.example/3",
    "ENCRYPTION_KEY": "N0t-a-secret_just-another-key-of-these-tests",
    "ALLOW_PRIVATE_SERVERS": "false",
    "TMDB_LANGUAGE": "de-AT",
    "TMDB_SEARCH_CACHE_SECONDS": "1",
    "TMDB_DETAILS_CACHE_SECONDS": "2",
    "TMDB_LIST_CACHE_SECONDS": "5",
    "TMDB_STALE_SECONDS": "3",
    "TMDB_CACHE_MB": "4",
    "DATABASE_PAUSES": "true",
    "DATABASE_CONNECT_TIMEOUT_SECONDS": "20",
    "DATABASE_ANSWER_TIMEOUT_SECONDS": "6.5",
    "CACHE_CONNECT_TIMEOUT_SECONDS": "1.5",
    "CACHE_TIMEOUT_SECONDS": "1.25",
    "UPSTREAM_TIMEOUT_SECONDS": "9",
}


def environments(folder: Path, config: RunConfig) -> dict[str, dict[str, str]]:
    """Return the environment variables of a worker of each function of the template."""
    (folder / "code").mkdir()
    code = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    (folder / "code" / "app.py").write_text(code)
    template = read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")
    functions = {
        name: replace(function, code=folder / "code", handler="app.handler", layers=())
        for name, function in template.functions.items()
    }
    backends = Backends(config.variables["DATABASE_URL"], config.variables["REDIS_URL"])
    variables = function_variables(config, backends)

    async def collect() -> dict[str, dict[str, str]]:
        async with Runtime(
            functions,
            runtime=PROJECT / ".venv" / "var" / "runtime",
            pycache=folder.parent / "pycache",
            environment=variables,
        ) as runtime:
            return {name: (await runtime.invoke(name, {})).payload for name in functions}

    return asyncio.run(collect(), loop_factory=asyncio.new_event_loop)


def test_every_variable_reaches_the_functions(tmp_path: Path) -> None:
    fields = {name.upper(): field for name, field in Environment.model_fields.items()}
    assert ALL_VARIABLES.keys() == fields.keys() - ON_AWS
    # Production allows only the defaults of these, which are not those of a local run.
    others = ALL_VARIABLES.keys() - {"COOKIE_SECURE", "ALLOW_PRIVATE_SERVERS"}
    assert all(ALL_VARIABLES[name] != str(fields[name].default) for name in others)
    text = "".join(f"{name}='{value}'\n" for name, value in ALL_VARIABLES.items())
    from_file = run_config(tmp_path, text)
    config = run_config(tmp_path, "", **ALL_VARIABLES)
    assert from_file.variables == config.variables
    assert replace(from_file, origins=config.origins) == config

    actual = environments(tmp_path, config)

    for name, value in ALL_VARIABLES.items():
        values = {each[name] for each in actual.values() if name in each}
        assert values == {value}, name


def test_functions_have_the_defaults_without_variables(tmp_path: Path) -> None:
    config = run_config(tmp_path, DATABASE_URL="postgresql://db", REDIS_URL="redis://cache")
    own = {"DATABASE_URL", "REDIS_URL", "JWT_SECRET", "PLEX_CLIENT_ID", "TMDB_API_KEY"}
    own |= {"COOKIE_SECURE", "PUBLIC_URL", "ENCRYPTION_KEY", "ALLOW_PRIVATE_SERVERS"} | ON_AWS

    for actual in environments(tmp_path, config).values():
        assert actual["COOKIE_SECURE"] == "false"
        assert actual["PUBLIC_URL"] == "http://127.0.0.1:3001"
        provided = {name: value for name, value in actual.items() if name not in own}
        assert load(provided) == load({})


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PORT", "abc", 'must be a number from 0 to 65535, not "abc"'),
        ("PORT", "65536", 'must be a number from 0 to 65535, not "65536"'),
        ("LOG_FORMAT", "yaml", 'must be text or json, not "yaml"'),
        ("TMDB_LANGUAGE", "de_DE", 'must be a language such as de or de-DE, not "de_DE"'),
        (
            "JWT_SECRET",
            "short",
            "must be at least 32 bytes; `openssl rand -base64 48` generates one",
        ),
        (
            "DATABASE_URL",
            "mysql://me:hush@host/db",
            "must start with postgresql://, or on AWS be the ARN of a secret",
        ),
    ],
)
def test_invalid_value_is_reported_with_its_line(
    tmp_path: Path, name: str, value: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run_config(tmp_path, f"# mine\n\n\n{name}={value}\nNODE_ENV=development\n")
    assert caught.value.problems == (f".env line 4: {name} {problem}",)


def test_malformed_lines_are_reported_without_their_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run_config(tmp_path, "\nhush\nLOG_LEVEL=DEBUG\n\nCORS_ORIGIN=*\nLOG_LEVEL=INFO\n'hush\n")
    assert caught.value.problems == (
        ".env line 2: expected NAME=value",
        ".env line 6: LOG_LEVEL is already set in line 3; remove one of the two lines",
        ".env line 7: expected NAME=value",
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_byte_order_mark_and_line_endings_are_accepted(
    tmp_path: Path, encoding: str, newline: str
) -> None:
    text = newline.join(["PORT=4000", "# für mich", "PLEX_CLIENT_ID=mine", ""])
    (tmp_path / ".env").write_bytes(text.encode(encoding))
    config = read_run_config(data=tmp_path, environment={}, env_file=tmp_path / ".env")
    assert (config.port, config.variables["PLEX_CLIENT_ID"]) == (4000, "mine")
    assert config.origins == {"PORT": ".env line 1", "PLEX_CLIENT_ID": ".env line 3"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("PORT=4000".encode("utf-16"), ".env is UTF-16 or binary: save it as UTF-8 text"),
        ("PORT=4000".encode("utf-16-le"), ".env is UTF-16 or binary: save it as UTF-8 text"),
        ("#\n# für\n".encode("latin-1"), ".env line 2 is not UTF-8: save the file as UTF-8"),
        (None, ".env cannot be read: Is a directory"),
    ],
)
def test_file_that_is_not_utf_8_is_refused(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is None:
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_run_config(data=tmp_path, environment={}, env_file=tmp_path / ".env")
    assert caught.value.problems == (problem,)


def test_example_file_has_the_defaults(tmp_path: Path) -> None:
    example = (PROJECT / ".env.example").read_text()
    assert run_config(tmp_path, example) == run_config(tmp_path)
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE)
    names = {name.upper() for name in Environment.model_fields}
    assert {name for name, _ in lines} == {"PORT", "LOG_FORMAT", *names} - ON_AWS
    assert load(dict(lines)) == load({})


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return forked.run(["local", *arguments], {"PATH": os.environ["PATH"], **environment})


@contextmanager
def service(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start the service as `make run` does."""
    output = data.with_suffix(".log")
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--data", data, "--port", "0"],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"]},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, output
    finally:
        process.kill()
        process.wait()


@contextmanager
def forked_service(data: Path, output: Path) -> Iterator[ForkServerProcess]:
    """Start it in a fork, which has imported the modules; `output` may be a pipe."""
    arguments = ["local", "--data", str(data), "--port", "0"]
    process = forked.start(arguments, {"PATH": os.environ["PATH"]}, output)
    try:
        yield process
    finally:
        process.kill()
        process.join()


def wait_for(text: str, output: Path, is_running: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while text not in output.read_text():
        assert is_running(), output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.02)


def processes() -> list[tuple[int, int, str]]:
    """List process id, parent and command line of all processes that are not zombies."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(maxsplit=3) for line in listing.stdout.splitlines()]
    return [(int(line[0]), int(line[1]), line[3]) for line in lines if not line[2].startswith("Z")]


def servers_of(data: Path) -> list[str]:
    """List the command lines of the servers, which name the data folder."""
    return [line for _, _, line in processes() if str(data) in line]


def descendants_of(pid: int) -> set[int]:
    """Return the ids of the processes that the service and its children have started."""
    found, family = processes(), {pid}
    while more := {pid for pid, parent, _ in found if parent in family} - family:
        family |= more
    return family - {pid}


def is_gone(data: Path, started: set[int]) -> bool:
    return not servers_of(data) and not started & {pid for pid, _, _ in processes()}


@pytest.mark.slow
def test_service_starts_accepts_commands_and_stops(tmp_path: Path) -> None:
    data = tmp_path / "data"
    event = tmp_path / "event.json"
    event.write_text('{"task": "sessions"}')
    with service(data) as (process, output):
        wait_for("is ready at", output, lambda: process.poll() is None)
        run = json.loads((data / "run.json").read_text())
        assert (data / "run.json").stat().st_mode & 0o777 == 0o600
        assert f"is ready at {run['url']}" in output.read_text()
        with urllib.request.urlopen(f"{run['url']}/api/health") as response:
            assert json.load(response)["data"]["status"] == "healthy"

        fired = command("fire", "ExpiredSessions", "--data", data)
        assert (fired.returncode, json.loads(fired.stdout)["task"]) == (0, "sessions")
        unknown = command("fire", "Nothing", "--data", data)
        assert unknown.returncode == 1
        assert "Unknown schedule Nothing. Known schedules:\n  Checks" in unknown.stderr
        invoked = command("--data", data, "invoke", "CleanupFunction", event)
        assert (invoked.returncode, json.loads(invoked.stdout)["task"]) == (0, "sessions")
        second_start = command("--data", data, "--port", "0")
        assert (second_start.returncode, "already running" in second_start.stderr) == (1, True)
        request = urllib.request.Request(f"{run['control']}/schedules/x", method="POST")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(request)
        refused.value.close()

        started = descendants_of(process.pid)
        assert len(started) >= 3  # health, cleanup, migrations
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)  # a second signal does not interrupt the stop
        assert process.wait(DEADLINE) == 0
        assert output.read_text().endswith("Stopped.\n")
        assert is_gone(data, started)
    assert not (data / "run.json").exists()
    not_running = command("fire", "ExpiredSessions", "--data", data)
    assert not_running.returncode == 1
    assert "MediaNest is not running" in not_running.stderr


def test_stop_during_the_start_ends_all_servers_also_without_a_reader(tmp_path: Path) -> None:
    # As in `make run | tee log`, where Ctrl-C ends tee as well.
    data, pipe = tmp_path / "data", tmp_path / "pipe"
    os.mkfifo(pipe)
    with forked_service(data, pipe) as process:
        with pipe.open() as reader:
            assert any("Valkey" in line for line in reader)
        send(process, signal.SIGINT)
        assert exit_code(process) == 0
    assert servers_of(data) == []


def send(process: ForkServerProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def exit_code(process: ForkServerProcess) -> int | None:
    process.join(DEADLINE)
    return process.exitcode


@pytest.mark.slow
def test_killed_service_leaves_no_process_and_restarts(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "log"
    output.touch()
    data.mkdir()
    copy_database(data)
    with forked_service(data, output) as process:
        wait_for("is ready at", output, process.is_alive)
        assert process.pid is not None
        started = descendants_of(process.pid)
        process.kill()
        process.join()
        deadline = time.monotonic() + DEADLINE
        while not is_gone(data, started):
            assert time.monotonic() < deadline, servers_of(data)
            time.sleep(0.05)
        stale = command("fire", "ExpiredSessions", "--data", data)
        assert (stale.returncode, "is not running" in stale.stderr) == (1, True)
    output.write_text("")
    with forked_service(data, output) as process:
        wait_for("is ready at", output, process.is_alive)
        send(process, signal.SIGTERM)
        assert exit_code(process) == 0


def test_start_fails_when_the_port_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = command("--data", tmp_path, "--port", port)

    assert result.returncode == 1
    assert f"Port {port} cannot be used" in result.stderr
    assert not (tmp_path / "postgres").exists()
    assert "Traceback" not in result.stderr


def test_start_fails_for_invalid_variables(tmp_path: Path) -> None:
    result = command("--data", tmp_path, PORT="many", JWT_SECRET="short", REDIS_URL="x")

    assert result.returncode == 2
    assert re.findall(r"^  the environment: (\w+) must", result.stderr, re.MULTILINE) == [
        *("JWT_SECRET", "REDIS_URL", "PORT"),
    ]


def test_problems_are_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run_config(
            tmp_path, "TMDB_LANGUAGE=de_DE\nhush\nJWT_SECRET=short\nPORT=x\n", LOG_LEVEL="no"
        )
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        *("the environment", ".env line 1", ".env line 2", ".env line 3", ".env line 4"),
    ]


def test_start_fails_when_the_database_cannot_be_reached(tmp_path: Path) -> None:
    unreachable = "postgresql://user@127.0.0.1:1/nothing"
    result = command("--data", tmp_path, "--port", "0", DATABASE_URL=unreachable)

    assert result.returncode == 1
    assert result.stderr == (
        "the environment: PostgreSQL at 127.0.0.1:1 (DATABASE_URL)"
        " cannot be reached (Connection refused)\n"
    )
    assert servers_of(tmp_path) == []
