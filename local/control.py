"""Control a running service from another terminal: fire a schedule, invoke a function."""

import hmac
import http.client
import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from local.lambda_.invocation import InvocationResult, TooManyRequestsError
from local.lambda_.runtime import Runtime
from local.run_config import write_private
from local.scheduler import Scheduler
from local.template.models import Template

_RUN_FILE = "run.json"
# Lambda's maximum for a function (900 s), plus time for its start.
_TIMEOUT = 960.0
# A proxy in the environment cannot reach this machine, and must not get the token.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlError(Exception):
    """The running service could not execute a command."""


@asynccontextmanager
async def control(
    data: Path, url: str, template: Template, runtime: Runtime, scheduler: Scheduler
) -> AsyncIterator[str]:
    """Accept commands on a loopback port; `run.json` in `data` has its address and the token."""
    token = secrets.token_urlsafe(24)

    @web.middleware
    async def check_token(request: web.Request, handler: Any) -> web.StreamResponse:
        credential = request.headers.get("Authorization", "")
        if not hmac.compare_digest(credential.encode(), f"Bearer {token}".encode()):
            raise web.HTTPUnauthorized
        response: web.StreamResponse = await handler(request)
        return response

    async def fire(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in scheduler.schedules:
            return _unknown("schedule", name, scheduler.schedules)
        return _report(await scheduler.fire(name))

    async def invoke(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in template.functions:
            return _unknown("function", name, template.functions)
        try:
            return _report(await runtime.invoke(name, await request.json()))
        except TooManyRequestsError:
            return web.json_response(
                {"problem": f"{name} has reached its concurrency limit"}, status=429
            )

    app = web.Application(middlewares=[check_token], client_max_size=6 * 1024 * 1024)
    app.router.add_post("/schedules/{name}", fire)
    app.router.add_post("/functions/{name}", invoke)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{site.port}"
        run = {"pid": os.getpid(), "url": url, "control": address, "token": token}
        write_private(data / _RUN_FILE, run)
        yield address
    finally:
        (data / _RUN_FILE).unlink(missing_ok=True)
        await runner.cleanup()


def send_command(data: Path, kind: str, name: str, event: object = None) -> dict[str, Any]:
    """Fire a schedule or invoke a function of the running service; return its result."""
    path = data / _RUN_FILE
    not_running = ControlError("MediaNest is not running. Start it in another terminal: make run")
    try:
        run = json.loads(path.read_bytes())
        address, token = run["control"], run["token"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # missing, or left by a power cut
        raise not_running from None
    request = urllib.request.Request(  # noqa: S310 - a loopback address
        f"{address}/{kind}/{quote(name, safe='')}",
        data=json.dumps(event).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=_TIMEOUT) as response:
            result: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise ControlError(_problem(error.read(), error.code)) from None
    except TimeoutError:
        raise ControlError(f"MediaNest did not respond within {_TIMEOUT:g} s") from None
    # kill -9 leaves run.json behind, and another program may have its port.
    except (OSError, ValueError, http.client.HTTPException):
        raise not_running from None
    return result


def _report(result: InvocationResult) -> web.Response:
    return web.json_response(
        {
            "payload": result.payload,
            "error": result.error,
            "isCold": result.is_cold,
            "milliseconds": round(result.milliseconds, 1),
        }
    )


def _unknown(kind: str, name: str, known: Any) -> web.Response:
    problem = f"Unknown {kind} {name}. Known {kind}s: {', '.join(sorted(known))}"
    return web.json_response({"problem": problem}, status=404)


def _problem(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["problem"])
    except (ValueError, KeyError, TypeError):
        return f"The running service responded with HTTP {status}"
