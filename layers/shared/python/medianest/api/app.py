"""The application of a function, and its Lambda handler."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from starlette.exceptions import HTTPException

from medianest.api.errors import on_app_error, on_http_exception, on_validation_error
from medianest.api.event import ProxyHandler
from medianest.api.middleware import EnvelopeMiddleware
from medianest.api.route import Route
from medianest.core.environment import require
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.examples import Examples
from medianest.core.observability import flush_metrics
from medianest.core.startup import init_done
from medianest.rate_limits.policies import PolicyName

type LambdaHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def create_app(*required: str, any_query: bool = False) -> FastAPI:
    """Return a function's application, with the project's error responses and headers.

    `required` lists the environment variables that the function needs. A missing or invalid
    variable raises ConfigurationError at import, so the function does not start. Unknown query
    parameters are an error unless `any_query` is set.
    """
    require(*required)
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nothing exports it, and FastAPI would look for an exporter in every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.route_class = Route
    app.state.any_query = any_query
    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_middleware(EnvelopeMiddleware)
    return app


def documented_errors(
    *errors: ErrorCode,
    headers: Sequence[str] = (),
    policies: Sequence[tuple[PolicyName, str]] = (),
    throttle: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Return the `openapi_extra` of a route: its own errors, headers, rate limits and throttle.

    Only `make docs` reads it. It derives the errors of dependencies, parameters and bodies, and the
    throttle from the policies of the route; `throttle` (calls per second, burst) replaces that one.
    """
    return {
        "x-errors": errors,
        "x-headers": headers,
        "x-policies": policies,
        "x-throttle": throttle,
    }


def documented_success(examples: Examples) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route whose response has other examples than its model.

    Only `make docs` reads it.
    """
    values = {name: {"value": {"success": True, "data": each}} for name, each in examples.items()}
    return {200: {"content": {"application/json": {"examples": values}}}}


def lambda_handler(app: FastAPI) -> LambdaHandler:
    """Return the handler that Lambda calls with API Gateway's proxy events; it ends the init."""
    adapter = Mangum(app, lifespan="off", custom_handlers=[ProxyHandler])

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return adapter(event, context)
        finally:
            flush_metrics()

    init_done()
    return handler
