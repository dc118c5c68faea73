"""The way into a running local service from another terminal."""

import hmac
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

from local.run_config import write_private
from local.runtime import InvocationResult, Runtime, TooManyRequestsError
from local.scheduler import Scheduler
from local.template import Template

_RUN_FILE = "run.json"
# How long a function may run on Lambda, and a while for its turn.
_LONGEST = 960.0


class ControlError(Exception):
    """Why the running service could not do what it was asked."""


@asynccontextmanager
async def control(
    data: Path, url: str, template: Template, runtime: Runtime, scheduler: Scheduler
) -> AsyncIterator[str]:
    """Take orders on a loopback port that `run.json` in `data` names, along with its password."""
    token = secrets.token_urlsafe(24)

    @web.middleware
    async def check_token(request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
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
            return web.json_response({"problem": f"{name} is busy"}, status=429)

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
    """Have the running service fire a schedule or invoke a function: `{payload, error, …}`."""
    path = data / _RUN_FILE
    nothing = ControlError("MediaNest is not running. Start it in another terminal: make run")
    if not path.exists():
        raise nothing
    run = json.loads(path.read_text())
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{run['control']}/{kind}/{quote(name, safe='')}",
        data=json.dumps(event).encode(),
        headers={"Authorization": f"Bearer {run['token']}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_LONGEST) as response:  # noqa: S310 - as above
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise ControlError(_problem(error.read(), error.code)) from None
    except TimeoutError:
        raise ControlError(f"MediaNest has not answered within {_LONGEST:g} s") from None
    except OSError:  # left behind by kill -9
        raise nothing from None
    return answer


def _report(result: InvocationResult) -> web.Response:
    return web.json_response(
        {
            "payload": result.payload,
            "error": result.error,
            "isCold": result.is_cold,
            "milliseconds": round(result.milliseconds, 1),
        }
    )


def _unknown(what: str, name: str, known: Any) -> web.Response:
    problem = f"There is no {what} {name}. There are: {', '.join(sorted(known))}"
    return web.json_response({"problem": problem}, status=404)


def _problem(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["problem"])
    except (ValueError, KeyError, TypeError):
        return f"The running service answered {status}"
