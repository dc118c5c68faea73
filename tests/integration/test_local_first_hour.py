"""The first hour of a new user: messages in the terminal, and a service that recovers."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from local.engines.reachability import cache_problem
from local.engines.valkey import ValkeyEngine
from local.trial_limits import TRIAL_LIMITS
from medianest.core import environment
from medianest.rate_limits.policies import POLICIES
from tests.integration.test_local_service import command
from tests.support.api import TEMPLATE
from tests.support.engines import database, drop_role
from tests.support.local import LocalService, eventually, http, local_service

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """Run the service as `make run` does, on a folder that it creates."""
    data = tmp_path_factory.mktemp("run") / "data"
    with local_service(data, limits=True, trial_limits=True) as running:
        yield running


def lines_after(service: LocalService, start: int, *, until: str) -> list[str]:
    """Wait for `until` in the output after `start` characters; return the lines of that output."""

    def printed() -> list[str]:
        text = service.log.read_text()[start:]
        return text.splitlines() if until in text else []

    return eventually(printed)


def test_banner_shows_the_docs_page_and_a_health_call(service: LocalService) -> None:
    banner = service.log.read_text()
    assert f"{service.url}/api/docs" in banner
    assert f"curl {service.url}/api/health" in banner


def test_page_and_api_have_the_same_origin(service: LocalService) -> None:
    assert f"{service.url}/\n" in service.log.read_text()
    page = http.request("GET", f"{service.url}/")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    script = page.data.decode().partition('src="')[2].partition('"')[0]
    assert http.request("GET", f"{service.url}{script}").status == 200
    assert http.request("GET", f"{service.url}/api/other").json()["error"]["code"] == "NOT_FOUND"


def test_page_gets_posters_from_the_stand_in(service: LocalService) -> None:
    picture = http.request("GET", f"{service.url}/images/t/p/w342/movie-27205-poster.svg")
    assert picture.status == 200
    assert picture.headers["Content-Type"].startswith("image/svg+xml")
    assert "Inception" in picture.data.decode()


def test_call_is_logged_in_one_line(service: LocalService) -> None:
    service.call("GET", "/api/health")
    start = len(service.log.read_text())
    service.call("GET", "/api/health")
    (line,) = lines_after(service, start, until="/api/health")
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /api/health 200 [\d.]+ ms HealthFunction", line)


def test_refused_call_logs_a_warning_line(service: LocalService) -> None:
    start = len(service.log.read_text())
    service.call("GET", "/api/auth/me", token="nonsense")
    warning, access = lines_after(service, start, until="/api/auth/me")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d WARNING AuthFunction request code=JWT_INVALID ip=127\.0\.0\.1", warning
    )
    assert " GET /api/auth/me 401 " in access


@pytest.mark.parametrize("engine", ["postgres", "valkey"])
def test_killed_engine_is_restarted(service: LocalService, engine: str) -> None:
    plex_url, _ = service.standin_urls
    token = service.sign_in(plex_url, "alice")
    start = len(service.log.read_text())
    _, pid = (service.data / f"{engine}.running").read_text().split()
    os.kill(int(pid), signal.SIGKILL)

    title = {"postgres": "PostgreSQL", "valkey": "Valkey"}[engine]
    printed = lines_after(service, start, until=f"{title} has restarted")
    assert any(f" {title} stopped unexpectedly; restarting it" in line for line in printed)

    def is_healthy() -> bool:
        answer = service.call("GET", "/api/health")
        return answer.status == 200 and answer.data["status"] == "healthy"

    assert eventually(is_healthy, seconds=10)
    assert service.call("GET", "/api/auth/me", token=token).data["username"] == "alice"
    assert service.sign_in(plex_url, "bob")


def limits_of(service: LocalService) -> dict[str, object]:
    token = service.sign_in(service.standin_urls[0], "alice")
    listed = service.call("GET", "/api/admin/config", token=token).data
    return {each["key"]: each["value"] for each in listed}


def default_limit(name: str) -> dict[str, int]:
    policy = next(policy for each, policy in POLICIES.items() if each == name)
    return {"limit": policy.limit, "window": policy.window}


def test_trial_limits_apply_at_the_first_start(service: LocalService) -> None:
    assert "Higher sign-in limits" in service.log.read_text()
    limits = limits_of(service)
    for name, policy in POLICIES.items():
        if policy.fixed:
            assert f"rateLimit.{name}" not in limits
            continue
        expected = dict(TRIAL_LIMITS.get(name, default_limit(name)))
        assert limits[f"rateLimit.{name}"] == expected, name


def test_external_database_keeps_the_default_limits_also_while_the_cache_is_down(
    tmp_path: Path, engines: tuple[str, str], worker_id: str
) -> None:
    with database(engines[0], f"test_own_{worker_id}") as url:
        environment = {"DATABASE_URL": url, "REDIS_URL": "redis://:hush@127.0.0.1:1/0"}
        with local_service(
            tmp_path / "data", environment=environment, limits=True, trial_limits=True
        ) as service:
            assert (
                "the environment: the cache at 127.0.0.1:1 (REDIS_URL) cannot be reached"
            ) in service.log.read_text()
            assert service.call("GET", "/api/health").data["status"] == "degraded"
            limits = limits_of(service)
            assert "hush" not in service.log.read_text()
    for name in TRIAL_LIMITS:
        assert limits[f"rateLimit.{name}"] == default_limit(name)


def test_fire_and_invoke_without_a_name_list_the_names() -> None:
    for subcommand, names in (("fire", TEMPLATE.schedules), ("invoke", TEMPLATE.functions)):
        listed = command(subcommand)
        assert (listed.returncode, listed.stderr) == (0, "")
        descriptions = dict(re.findall(r"^  (\w+)  +(.+)$", listed.stdout, re.MULTILINE))
        assert descriptions.keys() == names.keys()
        unknown = command(subcommand, "Nothing")
        assert unknown.returncode == 1
        assert unknown.stderr.startswith("Unknown ")
        assert all(f"  {name} " in unknown.stderr for name in names)
    assert "Remove expired and long-revoked sessions, rate(1 hour)" in command("fire").stdout


def test_unreadable_event_file_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{")
    for path, problem in (
        (tmp_path / "event.json", "is not valid JSON"),
        (tmp_path, "cannot be read"),
    ):
        refused = command("invoke", "HealthFunction", path)
        assert (refused.returncode, f"{path} {problem}" in refused.stderr) == (1, True)
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: re.sub(r":[^:@]+@", ":wrong-hush@", url), "rejects the user or the password"),
        (lambda url: re.sub(r"//[^@]+@", "//", url), "rejects the user or the password"),
        (lambda url: url.rpartition("/")[0] + "/nothing", 'has no database "nothing": create it'),
        (lambda url: re.sub(r":\d+/", ":1/", url), "cannot be reached (Connection refused)"),
        (lambda url: re.sub(r":\d+/", ":port/", url), "cannot be reached (invalid integer value"),
        (
            lambda url: f"{url}?sslmode=verify-full",
            "cannot be reached (server does not",
        ),
    ],
)
def test_unusable_database_is_reported_without_its_password(
    tmp_path: Path, database_url: str, change: object, reason: str
) -> None:
    assert callable(change)
    refused = command("--data", tmp_path, "--port", "0", DATABASE_URL=change(database_url))
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    host = urlsplit(database_url).hostname
    assert line.startswith(f"the environment: PostgreSQL at {host}:")
    assert f" (DATABASE_URL) {reason}" in line
    assert "hush" not in refused.stdout + refused.stderr


def test_missing_create_privilege_is_reported(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        drop_role(connection, "test_poor")
        connection.execute("CREATE ROLE test_poor LOGIN PASSWORD 'hush'")
        try:
            url = re.sub(r"//[^@]+@", "//test_poor:hush@", database_url)
            refused = command("--data", tmp_path, "--port", "0", DATABASE_URL=url)
        finally:
            drop_role(connection, "test_poor")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "does not let the user create tables: grant CREATE on the schema\n"
    )


def test_cache_is_reported_only_when_it_refuses_the_password(tmp_path: Path) -> None:
    with ValkeyEngine(tmp_path).use() as valkey, redis.Redis.from_url(valkey.url) as client:
        address = valkey.url.removeprefix("redis://")
        client.config_set("requirepass", "right-hush")

        def problem(login: str) -> str | None:
            return cache_problem(environment.load({"REDIS_URL": f"redis://{login}{address}"}))

        assert problem(":right-hush@") is None
        for login in ("", ":wrong-hush@"):
            assert problem(login) == (
                f"the cache at {address.partition('/')[0]} (REDIS_URL)"
                " rejects the user or the password"
            )


def test_restart_keeps_the_limits_of_the_admin_and_may_log_json(service: LocalService) -> None:
    """It ends the service of the other tests, whose database a new one takes over."""
    token = service.sign_in(service.standin_urls[0], "alice")
    changed = {"limit": 7, "window": 60}
    path = "/api/admin/config/rateLimit.auth"
    assert service.call("PUT", path, body={"value": changed}, token=token).status == 200
    assert service.stop() == 0
    with local_service(
        service.data, environment={"LOG_FORMAT": "json"}, limits=True, trial_limits=True
    ) as restarted:
        start = len(restarted.log.read_text())
        restarted.call("GET", "/api/health")
        lines = lines_after(restarted, start, until="GET /api/health")
        assert limits_of(restarted)["rateLimit.auth"] == changed
        stops_when_an_engine_cannot_restart(restarted)
    entries = [json.loads(line.partition("] ")[2]) for line in lines if line.startswith("[Health")]
    assert [entry["message"] for entry in entries] == ["request"]


def stops_when_an_engine_cannot_restart(service: LocalService) -> None:
    _, pid = (service.data / "postgres.running").read_text().split()
    (service.data / "postgres" / "PG_VERSION").unlink()
    os.kill(int(pid), signal.SIGKILL)
    assert service.wait(60) == 1
    printed = service.log.read_text()
    assert "MediaNest stops because PostgreSQL cannot be restarted." in printed
    assert "Traceback" not in printed
