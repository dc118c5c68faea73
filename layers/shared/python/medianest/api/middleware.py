"""The middleware around every request, which runs before the routes of FastAPI."""

import time
from typing import Any

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medianest.api import distribution
from medianest.api.errors import error_response, refuse
from medianest.api.event import proxy_call
from medianest.api.headers import ALLOWED_HEADERS, PREFLIGHT_SECONDS, with_common_headers
from medianest.api.route import Guard, allowed_methods, guards_of
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import count, logger

MAX_BODY_BYTES = 64 * 1024


class EnvelopeMiddleware:
    """Outermost middleware: adds headers to every response, and handles every exception."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._guards: dict[tuple[str, str], Guard] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; HEAD runs as GET without the body (RFC 9110, section 9.3.2)."""
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope["method"] = "GET"
        request = Request(scope)
        call = proxy_call(request)
        # Also removes the keys of the previous request.
        logger.structure_logs(
            request_id=call.id, function_request_id=scope["aws.context"].aws_request_id
        )
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = with_common_headers(
                    message["headers"],
                    status,
                    request.headers.get("origin"),
                    call.id,
                    getattr(request.state, "rate_limit_headers", {}),
                )
            elif is_head:
                message["body"] = b""
            await send(message)

        try:
            await self._responder(request)(scope, receive, send_with_headers)
        except Exception:  # noqa: BLE001 - any exception gets a response
            logger.exception("unhandled_error")
            count("UnhandledError")
            response = error_response(AppError(ErrorCode.INTERNAL_ERROR))
            await response(scope, receive, send_with_headers)
        _log(request, status, time.perf_counter() - started)

    def _responder(self, request: Request) -> ASGIApp:
        """Return what responds to a request: the application, or a refusal before it."""
        try:
            distribution.accept(request)
            if request.method == "OPTIONS":
                return _preflight(request.scope)
            if len(proxy_call(request).body) > MAX_BODY_BYTES:
                return refuse(request, AppError(ErrorCode.PAYLOAD_TOO_LARGE))
            self._admit(request)
        except AppError as error:
            return refuse(request, error)
        return self.app

    def _admit(self, request: Request) -> None:
        """Run the guard of the called route, if it has one; raises its AppError."""
        if self._guards is None:
            self._guards = guards_of(request.app)
        guard = self._guards.get((request.method, request.scope["path"]))
        if guard is not None:
            guard.admit(request)


def _log(request: Request, status: int, seconds: float) -> None:
    """Write the log line of a request; it includes the error of a refused one."""
    call = proxy_call(request)
    fields: dict[str, Any] = {
        "method": call.method,
        "route": call.resource,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    error: AppError | None = getattr(request.state, "refusal", None)
    if error is not None:
        fields |= {"code": error.code, "details": error.details, "ip": call.ip}
        if (cause := getattr(request.state, "cause", None)) is not None:
            fields["cause"] = cause
    # Denied access matters more to operators than bad input.
    log = logger.warning if status in {401, 403} else logger.info
    log("request", extra=fields)


def _preflight(scope: Scope) -> Response:
    """Return the response to a CORS preflight, with the methods of the route.

    Raises NOT_FOUND for an unknown route.
    """
    methods = allowed_methods(scope)
    if not methods:
        raise AppError(ErrorCode.NOT_FOUND)
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        },
    )
