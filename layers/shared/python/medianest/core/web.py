"""The HTTP edge of a function: FastAPI in, envelope and headers out, errors translated once."""

import json
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from mangum import Mangum
from mangum.handlers.api_gateway import APIGateway
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medianest.core.caller import Caller, Principal
from medianest.core.config import require, settings
from medianest.core.deps import CSRF_HEADER, Authenticator, charge_malformed, proxy_call
from medianest.core.envelope import ApiError, ErrorResponse
from medianest.core.errors import REGISTRY, AppError, ErrorCode, invalid
from medianest.core.observability import count, flush_metrics, logger
from medianest.core.proxy_call import REPLACEMENT, ProxyCall, read_call
from medianest.core.rate_limit import HEADERS as RATE_LIMIT_HEADERS
from medianest.core.rate_limit import Limiter, PolicyName
from medianest.core.validation import invalid_value

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
_NOT_UTF8 = "Must be valid UTF-8, percent-encoded"
_HTTP_CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}

type LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def create_app(
    *required: str,
    authenticate: Authenticator | None = None,
    limiter: Limiter | None = None,
    on_denied: Callable[[Principal, Caller], None] | None = None,
    any_query: bool = False,
) -> FastAPI:
    """Return a function's application, with the project's error answers and headers.

    `required` names the settings it cannot do without; a missing one raises ConfigurationError
    at import, so that the function refuses to start. `authenticate` turns a token into a principal,
    `limiter` holds callers to their shares, `on_denied` is told who asked for what only admins may.
    With `any_query` unknown query parameters are ignored, which else are an error.
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
    app.state.any_query = any_query
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(Edge)
    return app


def answers(
    *errors: ErrorCode,
    headers: Sequence[str] = (),
    policies: Sequence[tuple[PolicyName, str]] = (),
) -> dict[str, Any]:
    """Return what a route says of its own errors, headers and limits, as its `openapi_extra`.

    Only the API document reads it. Errors that come with the route's dependencies, its parameters
    and its body are known from those.
    """
    return {"x-errors": errors, "x-headers": headers, "x-policies": policies}


def lambda_handler(app: FastAPI) -> LambdaHandler:
    """Return the handler that Lambda calls with API Gateway's proxy events."""
    adapter = Mangum(app, lifespan="off", custom_handlers=[ProxyHandler])

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        logger.structure_logs(append=False)
        try:
            return adapter(event, context)
        finally:
            flush_metrics()

    return handler


class ProxyHandler(APIGateway):
    """Mangum's handler of API Gateway's events, with a reading of the event that never fails.

    The path of the scope is the resource, by which the application routes: a custom domain may
    put any base path before the path that was called.
    """

    @classmethod
    def infer(cls, event: Any, context: Any, config: Any) -> bool:  # noqa: ARG003
        """Take every event: nothing else than API Gateway calls these functions."""
        return True

    def __init__(self, event: Any, context: Any, config: Any) -> None:
        super().__init__(event, context, config)
        self._call = read_call(event)

    @property
    def body(self) -> bytes:
        """Return the decoded body."""
        return self._call.body

    @property
    def scope(self) -> dict[str, Any]:
        """Return the ASGI scope, with the ProxyCall as `proxy_call`."""
        call = self._call
        return {
            "type": "http",
            "http_version": "1.1",
            "method": call.method,
            "headers": [
                (name.encode(), ", ".join(values).encode()) for name, values in call.headers.items()
            ],
            "path": call.resource,
            "raw_path": None,
            "root_path": "",
            "scheme": "https",
            "query_string": urlencode(call.query, doseq=True).encode(),
            "server": None,
            "client": (call.ip, 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.context": self.context,
            "proxy_call": call,
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
        if not _is_json(self.headers.get("content-type", "")):
            return body
        try:
            return parse_json(body)
        except MalformedJsonError as error:
            return (str(error),)


def _is_json(content_type: str) -> bool:
    """Tell whether a body is declared as JSON in UTF-8, which is what no charset means too."""
    media_type, *parameters = content_type.lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip().strip('"') for name, _, value in pairs if name.strip() == "charset"}
    return media_type.strip() == "application/json" and charsets <= {"utf-8", "utf8"}


def parse_json(body: bytes) -> Any:
    """Parse JSON that PostgreSQL can keep and that means one thing; raises MalformedJsonError.

    Refused: other encodings than UTF-8, duplicate keys, NaN and infinities, the NUL character,
    lone surrogates, U+FFFD (API Gateway puts it where bytes are not UTF-8), numbers of thousands of
    digits, nesting past the recursion limit.
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
            if REPLACEMENT in value:
                raise MalformedJsonError(
                    "The body is not valid UTF-8: it has U+FFFD where a character was unreadable"
                )
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
    """A route that takes UTF-8, the query parameters it declares, each once, and strict JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["response_model_exclude_none"] = True
        super().__init__(*args, **kwargs)
        # Last, so that a caller without a session learns nothing but that.
        self.dependant.dependencies.append(
            get_parameterless_sub_dependant(
                depends=Depends(_address_of(_query_names(self.dependant))), path=self.path_format
            )
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the resource that API Gateway found, and take its path parameters as they are.

        They are decoded: in a path again, one with a slash would be two segments.
        """
        call: ProxyCall = scope["proxy_call"]
        if call.resource != self.path:
            return Match.NONE, {}
        found = {"endpoint": self.endpoint, "path_params": call.path_parameters, "route": self}
        return (Match.FULL if scope["method"] in (self.methods or ()) else Match.PARTIAL), found

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


def _address_of(names: frozenset[str]) -> Callable[[Request], Coroutine[Any, Any, None]]:
    async def check_address(request: Request) -> None:
        for name, value in request.path_params.items():
            if REPLACEMENT in value:
                raise _malformed(request, f"path.{name}", _NOT_UTF8)
        for name, value in request.query_params.multi_items():
            if name not in names and request.app.state.any_query:
                continue
            if REPLACEMENT in name + value:
                raise _malformed(request, f"query.{name}", _NOT_UTF8)
            if name not in names:
                raise _malformed(request, f"query.{name}", "Unknown parameter")
            if len(request.query_params.getlist(name)) > 1:
                raise _malformed(request, f"query.{name}", "Given more than once")

    return check_address


def _malformed(request: Request, field: str, message: str) -> AppError:
    return charge_malformed(request) or invalid(field, message)


class Edge:
    """Outermost middleware: headers on every answer, and an answer to every exception."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; HEAD is a GET whose body stays here (RFC 9110, section 9.3.2)."""
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope["method"] = "GET"
        request = Request(scope)
        call = proxy_call(request)
        logger.append_keys(
            request_id=call.id, function_request_id=scope["aws.context"].aws_request_id
        )
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(getattr(request.state, "rate_limit_headers", {}))
                _set_headers(headers, status, request.headers.get("origin"), call.id)
            elif is_head:
                message["body"] = b""
            await send(message)

        try:
            if request.method == "OPTIONS":
                await _preflight(scope)(scope, receive, send_with_headers)
            elif len(call.body) > MAX_BODY_BYTES:
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
                "method": call.method,
                "route": call.resource,
                "status": status,
                "duration_ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )


def _preflight(scope: Scope) -> Response:
    """Answer a preflight of a route: with its methods; which origins may call is in the headers."""
    methods = _methods(scope)
    if not methods:
        return error_response(AppError(ErrorCode.NOT_FOUND))
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        },
    )


def _methods(scope: Scope) -> list[str]:
    """Return the methods of the resource that is called, HEAD wherever GET is."""
    methods = {
        method
        for route in scope["app"].routes
        if isinstance(route, Route) and route.path == scope["path"]
        for method in route.methods or ()
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


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
    log(
        "refused",
        extra={
            "code": app_error.code,
            "details": app_error.details,
            "ip": proxy_call(request).ip,
        },
    )
    return error_response(app_error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    refusal = charge_malformed(request)
    if refusal is not None:
        return await _on_app_error(request, refusal)
    problems = cast("RequestValidationError", error).errors()
    if any(item["loc"] == ("body",) and isinstance(item["input"], bytes) for item in problems):
        return await _on_app_error(request, AppError(ErrorCode.UNSUPPORTED_MEDIA_TYPE))
    # JsonRequest says so what is wrong with a body.
    told = [
        item | {"type": "value_error", "ctx": {"error": item["input"][0]}}
        if isinstance(item["input"], tuple)
        else item
        for item in problems
    ]
    return await _on_app_error(request, invalid_value(told))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    http_error = cast("HTTPException", error)
    code = _HTTP_CODES.get(http_error.status_code, ErrorCode.VALIDATION_ERROR)
    if REGISTRY[code].status != http_error.status_code:
        logger.warning("framework error", extra={"status": http_error.status_code})
    headers = http_error.headers
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join([*_methods(request.scope), "OPTIONS"])}
    return await _on_app_error(request, AppError(code, headers=headers))
