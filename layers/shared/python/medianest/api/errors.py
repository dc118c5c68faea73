"""Conversion of exceptions to error responses."""

from functools import lru_cache
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from medianest.api.json_body import rejected_body
from medianest.api.route import allowed_methods, charge_refused
from medianest.core.envelope import ApiError, ErrorResponse
from medianest.core.error_codes import REGISTRY, ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import logger
from medianest.core.validation import invalid_value

_HTTP_CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}


def error_response(error: AppError) -> Response:
    """Return the response for an error."""
    if error.details is None:
        body = _plain_body(error.code, error.message)
    else:
        body = _body(error.code, error.message, error.details)
    return Response(
        body, status_code=error.spec.status, headers=error.headers, media_type="application/json"
    )


@lru_cache(maxsize=64)
def _plain_body(code: ErrorCode, message: str) -> bytes:
    """Return the body of an error without details; it is constant, and most refusals have it."""
    return _body(code, message, None)


def _body(code: ErrorCode, message: str, details: Any) -> bytes:
    response = ErrorResponse(error=ApiError(code=code, message=message, details=details))
    return response.model_dump_json(by_alias=True, exclude_none=True).encode()


def refuse(request: Request, error: AppError) -> Response:
    """Return the response for an error, and keep the error for the log line of the request."""
    request.state.refusal = error
    return error_response(error)


async def on_app_error(request: Request, error: Exception) -> Response:
    """Return the response for an AppError."""
    return refuse(request, cast("AppError", error))


async def on_validation_error(request: Request, error: Exception) -> Response:
    """Return the response for invalid input, with all problems."""
    rate_limit_error = charge_refused(request)
    if rate_limit_error is not None:
        return await on_app_error(request, rate_limit_error)
    problems = cast("RequestValidationError", error).errors()
    rejected = rejected_body(request, problems)
    if rejected is not None:
        if rejected.code is not ErrorCode.VALIDATION_ERROR:
            return await on_app_error(request, AppError(rejected.code))
        problems = [
            item | {"type": "value_error", "ctx": {"error": rejected.reason}}
            if item["loc"] == ("body",)
            else item
            for item in problems
        ]
    return await on_app_error(request, invalid_value(problems))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Return the response for an error of Starlette, such as 404 or 405."""
    http_error = cast("HTTPException", error)
    code = _HTTP_CODES.get(http_error.status_code, ErrorCode.VALIDATION_ERROR)
    if REGISTRY[code].status != http_error.status_code:
        logger.warning("framework_error", extra={"status": http_error.status_code})
    headers = http_error.headers
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join([*allowed_methods(request.scope), "OPTIONS"])}
    return await on_app_error(request, AppError(code, headers=headers))
