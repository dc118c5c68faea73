"""`make smoke` tries a running service as a user would, and says what it did."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.api import ROOT
from tests.support.local import LocalService, local_service
from tests.support.plex import approve_at, control
from tests.support.standin import served


def smoke(url: str, *, token: str = "", person: str = "") -> tuple[int, list[str]]:
    """Run the command, approve its sign-in as a person, and return exit code and lines."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.smoke", url],
        cwd=ROOT,
        env={"MEDIANEST_TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        stop = threading.Timer(60, process.kill)
        stop.start()
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if "Sign in: open " in line and person:
                approve_at(line.split()[-1], person)
        stop.cancel()
    return process.returncode, lines


@pytest.fixture
def everything_works(service: LocalService) -> Iterator[LocalService]:
    yield service
    control(service.standin_urls[0], "DELETE", "fault")


def test_a_working_service_is_tried_from_sign_in_to_sign_out(
    everything_works: LocalService,
) -> None:
    code, lines = smoke(everything_works.url, person="carol")
    told = "\n".join(lines)
    assert code == 0, told
    assert lines[0].startswith("ok   the page responds (")
    for text in ("is healthy", "Plex confirms", "you are carol (", "is cancelled", "signed out"):
        assert text in told
    assert lines[-1] == "The service works."


def test_a_service_without_a_cache_works(tmp_path: Path) -> None:
    with local_service(tmp_path / "data", environment={"REDIS_URL": "none"}) as service:
        assert "No cache (REDIS_URL=none)" in service.log.read_text()
        code, lines = smoke(service.url, person="alice")
        assert code == 0, "\n".join(lines)
        log = service.log.read_text()
    assert "Valkey" not in log
    assert "cache_failed" not in log


def test_a_fault_is_named_and_fails(everything_works: LocalService) -> None:
    control(everything_works.standin_urls[0], "PUT", "fault", {"kind": "status", "status": 500})
    code, lines = smoke(everything_works.url, person="carol")
    assert code == 1
    assert lines[-1].startswith("FAIL POST /api/auth/plex/pin: 503 PLEX_UNREACHABLE")


def test_an_address_without_a_scheme_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert smoke("media.example.org") == (2, [])
    assert "URL must start with https://, not 'media.example.org'" in capfd.readouterr().err


def test_a_wrong_address_is_named() -> None:
    code, lines = smoke("http://127.0.0.1:9")
    assert (code, lines) == (1, ["FAIL http://127.0.0.1:9 cannot be reached (NewConnectionError)."])


@pytest.mark.parametrize(
    ("status", "page", "api", "told"),
    [
        (200, "<title>Another</title>", "", "GET /: 200, and this is not the page of MediaNest"),
        (403, "AccessDenied", "", "GET /: 403, and this is not the page of MediaNest"),
        (200, "<title>MediaNest</title>", '{"error": "Not Found"}', "GET /api/health: 200 without"),
        (200, "<title>MediaNest</title>", "[]", "GET /api/health: 200 without"),
    ],
)
def test_another_site_and_a_missing_page_are_named(
    status: int, page: str, api: str, told: str
) -> None:
    async def anything(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=status, text=page, content_type="text/html")
        return web.Response(text=api, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", anything)
    with served(app) as url:
        code, lines = smoke(url)
    assert code == 1
    assert lines[-1].startswith(f"FAIL {told}")


def test_a_wrong_token_is_named(service: LocalService) -> None:
    code, lines = smoke(service.url, token="nonsense")
    assert code == 1
    assert "401" in lines[-1]
    assert "nonsense" not in "\n".join(lines)
