"""The HTTP edge of a function: FastAPI in, envelope and headers out, errors translated once."""

import json
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from fastapi import Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from mangum import Mangum
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medianest.core.caller import Caller, Principal
from medianest.core.config import require, settings
from medianest.core.deps import CSRF_HEADER, Authenticator
from medianest.core.envelope import ApiError, ErrorResponse
from medianest.core.errors import REGISTRY, AppError, ErrorCode, invalid, invalid_value
from medianest.core.observability import count, flush_metrics, logger
from medianest.core.rate_limit import HEADERS as RATE_LIMIT_HEADERS
from medianest.core.rate_limit import Limiter

MAX_BODY_BYTES = 64 * 1024
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
STALE_HEADER = "X-Catalog-Stale"
EXPOSED_HEADERS = ",".join(("X-Request-Id", "Retry-After", STALE_HEADER, *RATE_LIMIT_HEADERS))
ALLOWED_HEADERS = f"Authorization,Content-Type,Idempotency-Key,{CSRF_HEADER}"
# Chromium keeps a preflight's answer for no longer than this.
PREFLIGHT_SECONDS = 7200
_HTTP_CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}

type LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def create_app(
    *required: str,
    authenticate: Authenticator | None = None,
    limiter: Limiter | None = None,
    on_denied: Callable[[Principal, Caller], None] | None = None,
) -> FastAPI:
    """Return a function's application, with the project's error answers and headers.

    `required` names the settings it cannot do without; a missing one raises ConfigurationError
    at import, so that the function refuses to start. `authenticate` turns a token into a principal,
    `limiter` holds callers to their shares, `on_denied` is told who asked for what only admins may.
    """
    require(*required)
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = Route
    app.state.authenticate = authenticate
    app.state.limiter = limiter
    app.state.on_denied = on_denied
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(Edge)
    return app


def answers(*errors: ErrorCode, headers: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a route says of its own errors and headers, as its `openapi_extra`.

    Only the API document reads it. Errors that come with the route's dependencies, its parameters
    and its body are known from those.
    """
    return {"x-errors": errors, "x-headers": headers}


def lambda_handler(app: FastAPI) -> LambdaHandler:
    """Return the handler that Lambda calls with API Gateway's proxy events."""
    adapter = Mangum(app, lifespan="off")

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        logger.structure_logs(append=False)
        logger.append_keys(
            request_id=event["requestContext"]["requestId"],
            function_request_id=context.aws_request_id,
        )
        try:
            return adapter(event, context)
        except Exception as error:  # noqa: BLE001 - what Mangum cannot read never gets to Edge
            return _unreadable(event, error)
        finally:
            flush_metrics()

    return handler


def _unreadable(event: dict[str, Any], error: Exception) -> dict[str, Any]:
    """Answer an event of which no request can be made, such as one with an odd Host header."""
    malformed = isinstance(error, ValueError)
    logger.exception("unreadable event")
    count("UnhandledError")
    code = ErrorCode.VALIDATION_ERROR if malformed else ErrorCode.INTERNAL_ERROR
    response = error_response(AppError(code))
    _set_headers(response.headers, response.status_code, None, event["requestContext"]["requestId"])
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "multiValueHeaders": {},
        "body": bytes(response.body).decode(),
        "isBase64Encoded": False,
    }


class MalformedJsonError(Exception):
    """The body is not JSON that we take; the message says why."""


class JsonRequest(Request):
    """A request whose body is parsed strictly.

    What is wrong with a body is returned rather than raised, as a value that no schema takes, so
    that the validation of the body reports it: that comes after the caller was authenticated.
    """

    async def json(self) -> Any:
        """Return the parsed body; a tuple of what is wrong with it; bytes of another media type."""
        body = await self.body()
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != (
            "application/json"
        ):
            return body
        try:
            return parse_json(body)
        except MalformedJsonError as error:
            return (str(error),)


def parse_json(body: bytes) -> Any:
    """Parse JSON that PostgreSQL can keep and that means one thing; raises MalformedJsonError.

    Refused: other encodings than UTF-8, duplicate keys, NaN and infinities, the NUL character,
    lone surrogates, numbers of thousands of digits, nesting past the recursion limit.
    """
    try:
        parsed = json.loads(
            body.decode(),
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_text(parsed)
    except UnicodeDecodeError as error:
        raise MalformedJsonError("The body is not valid UTF-8") from error
    except UnicodeEncodeError as error:
        raise MalformedJsonError("A lone surrogate is not allowed") from error
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"The body is not valid JSON: {error.msg}") from error
    except ValueError as error:
        raise MalformedJsonError("A number has too many digits") from error
    except RecursionError as error:
        raise MalformedJsonError("The body is nested too deeply") from error
    return parsed


def _check_text(value: Any) -> None:
    match value:
        case str():
            value.encode()
            if "\0" in value:
                raise MalformedJsonError("The NUL character is not allowed")
        case dict():
            for key, item in value.items():
                _check_text(key)
                _check_text(item)
        case list():
            for item in value:
                _check_text(item)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise MalformedJsonError("A key occurs twice in one object")
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedJsonError("A number is too large")
    return number


def _no_constant(name: str) -> None:
    raise MalformedJsonError(f"{name} is not JSON")


class Route(APIRoute):
    """A route that takes only the query parameters it declares, each once, and strict JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["response_model_exclude_none"] = True
        super().__init__(*args, **kwargs)
        # Last, so that a caller without a session learns nothing but that.
        self.dependant.dependencies.append(
            get_parameterless_sub_dependant(
                depends=Depends(_query_of(_query_names(self.dependant))), path=self.path_format
            )
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which reads requests as JsonRequest."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


def _query_names(dependant: Dependant) -> frozenset[str]:
    names = set()
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= {item.alias or name for name, item in annotation.model_fields.items()}
        else:
            names.add(field.alias)
    return frozenset(names).union(*map(_query_names, dependant.dependencies))


def _query_of(names: frozenset[str]) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def check_query(request: Request) -> None:
        for name in request.query_params:
            if name not in names:
                raise invalid(f"query.{name}", "Unknown parameter")
            if len(request.query_params.getlist(name)) > 1:
                raise invalid(f"query.{name}", "Given more than once")

    return check_query


class Edge:
    """Outermost middleware: headers on every answer, and an answer to every exception."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope)
        request_id = scope["aws.event"]["requestContext"]["requestId"]
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(getattr(request.state, "rate_limit_headers", {}))
                _set_headers(headers, status, request.headers.get("origin"), request_id)
            await send(message)

        try:
            if request.method == "OPTIONS":
                await _preflight(scope)(scope, receive, send_with_headers)
            elif len((scope["aws.event"].get("body") or "").encode()) > MAX_BODY_BYTES:
                too_large = error_response(AppError(ErrorCode.PAYLOAD_TOO_LARGE))
                await too_large(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            logger.exception("unhandled error")
            count("UnhandledError")
            response = error_response(AppError(ErrorCode.INTERNAL_ERROR))
            await response(scope, receive, send_with_headers)
        logger.info(
            "request",
            extra={
                "method": request.method,
                "route": scope["aws.event"].get("resource"),
                "status": status,
                "duration_ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )


def _preflight(scope: Scope) -> Response:
    """Answer a preflight of a route: with its methods; which origins may call is in the headers."""
    methods = {
        method
        for route in scope["app"].routes
        if isinstance(route, Route) and route.path == scope["aws.event"]["resource"]
        for method in route.methods or ()
    }
    if not methods:
        return error_response(AppError(ErrorCode.NOT_FOUND))
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        },
    )


def _set_headers(headers: MutableHeaders, status: int, origin: str | None, request_id: str) -> None:
    headers.update(SECURITY_HEADERS)
    headers["X-Request-Id"] = request_id
    headers.setdefault("Cache-Control", "no-store")
    if status == 204:  # noqa: PLR2004
        del headers["Content-Type"]
    elif headers.get("content-type") == "application/json":
        headers["Content-Type"] = "application/json; charset=utf-8"
    _set_cors_headers(headers, origin)


def _set_cors_headers(headers: MutableHeaders, origin: str | None) -> None:
    allowed = settings().cors_origins
    if not allowed:
        headers["Access-Control-Allow-Origin"] = "*"
    else:
        headers.add_vary_header("Origin")
        if origin not in allowed:
            return
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS


def tell_age(response: Response, stale_seconds: int | None) -> None:
    """Tell the caller how old a stale answer is; of a fresh one nothing."""
    if stale_seconds is not None:
        response.headers[STALE_HEADER] = str(stale_seconds)


def error_response(error: AppError) -> JSONResponse:
    """Put an error into the envelope."""
    body = ErrorResponse(
        error=ApiError(code=error.code, message=error.message, details=error.details)
    )
    return JSONResponse(
        body.model_dump(mode="json", by_alias=True, exclude_none=True),
        status_code=error.spec.status,
        headers=error.headers,
    )


async def _on_app_error(request: Request, error: Exception) -> Response:
    app_error = cast("AppError", error)
    # Who has no right to be here interests an operator more than who made a mistake.
    log = logger.warning if app_error.spec.status in {401, 403} else logger.info
    identity = request.scope["aws.event"]["requestContext"]["identity"]
    log(
        "refused",
        extra={
            "code": app_error.code,
            "details": app_error.details,
            "ip": identity.get("sourceIp"),
        },
    )
    return error_response(app_error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    problems = cast("RequestValidationError", error).errors()
    if any(item["loc"] == ("body",) and isinstance(item["input"], bytes) for item in problems):
        return await _on_app_error(request, AppError(ErrorCode.UNSUPPORTED_MEDIA_TYPE))
    # JsonRequest says so what is wrong with a body.
    told = [
        item | {"msg": item["input"][0]} if isinstance(item["input"], tuple) else item
        for item in problems
    ]
    return await _on_app_error(request, invalid_value(told))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    http_error = cast("HTTPException", error)
    code = _HTTP_CODES.get(http_error.status_code, ErrorCode.VALIDATION_ERROR)
    if REGISTRY[code].status != http_error.status_code:
        logger.warning("framework error", extra={"status": http_error.status_code})
    return await _on_app_error(request, AppError(code, headers=http_error.headers))
