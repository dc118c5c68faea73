"""`make smoke` tries a running service as a user would, and says what it did."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.api import ROOT
from tests.support.local import LocalService, database_of, local_service
from tests.support.plex import approve_at, control
from tests.support.standin import served
from tools.smoke import main


class Console(io.StringIO):
    """The output of the command, in front of a person that approves its sign-in."""

    def __init__(self, person: str, begun: Callable[[], None]) -> None:
        super().__init__()
        self._person = person
        self._begun = begun

    def write(self, text: str) -> int:
        """Keep a text, and follow the address that it asks to open."""
        if "Sign in: open " in text and self._person:
            approve_at(text.rsplit(maxsplit=1)[-1], self._person)
            self._begun()
        return super().write(text)


def smoke(
    url: str, *, token: str = "", person: str = "", begun: Callable[[], None] = lambda: None
) -> tuple[int, list[str]]:
    """Run the command, approve its sign-in as a person, and return exit code and lines.

    `begun` is called when the person has approved.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(Console(person, begun)) as console,
    ):
        patch.setenv("MEDIANEST_TOKEN", token)
        patch.setattr(sys, "argv", ["smoke", url])
        code = main()
    return code, console.getvalue().splitlines()


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


def test_a_sign_in_waits_while_plex_is_away_for_a_moment(everything_works: LocalService) -> None:
    plex_url = everything_works.standin_urls[0]

    def interrupt() -> None:
        control(plex_url, "PUT", "fault", {"kind": "status", "status": 503, "count": 1})

    code, lines = smoke(everything_works.url, person="carol", begun=interrupt)
    assert code == 0, "\n".join(lines)


def test_a_user_without_quota_requests_nothing(everything_works: LocalService) -> None:
    service = everything_works
    service.sign_in(service.standin_urls[0], "alice")
    with database_of(service.data, {}) as connection:
        # Another test may have made the first person an admin.
        connection.execute("UPDATE users SET role = 'admin' WHERE username = 'alice'")
    admin = service.sign_in(service.standin_urls[0], "alice")
    token = service.sign_in(service.standin_urls[0], "dave")
    user = service.call("GET", "/api/auth/me", token=token).data["id"]
    quota = {"movies": {"limit": 0, "days": 7}, "seasons": {"limit": 0, "days": 7}}
    changed = service.call("PATCH", f"/api/admin/users/{user}", body={"quota": quota}, token=admin)
    assert changed.status == 200, changed.text
    code, lines = smoke(service.url, token=token)
    assert code == 0, "\n".join(lines)
    assert "     no request: your quota is used up" in lines


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


def test_an_address_without_a_scheme_is_refused() -> None:
    command = [sys.executable, "-m", "tools.smoke", "media.example.org"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "URL must start with https://, not 'media.example.org'" in done.stderr


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
