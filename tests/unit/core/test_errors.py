"""The registry of errors: complete, and equal to the contract's table."""

import pytest

from medianest.core.error_codes import REGISTRY, ErrorCode
from medianest.core.errors import AppError

# Section 2 of the contract, row by row.
STATUSES = {
    "VALIDATION_ERROR": 400,
    "JWT_INVALID": 401,
    "CSRF_TOKEN_MISMATCH": 403,
    "RATE_LIMITED": 429,
    "DATABASE_CONNECTION_ERROR": 500,
    "DATABASE_WAKING_UP": 503,
    "PLEX_UNREACHABLE": 503,
    "INVALID_CREDENTIALS": 401,
    "FORBIDDEN": 403,
    "PLEX_ACCESS_DENIED": 403,
    "ACCOUNT_SUSPENDED": 403,
    "NOT_FOUND": 404,
    "SERVER_IN_USE": 409,
    "TITLE_ON_OTHER_SERVER": 409,
    "EDIT_CONFLICT": 409,
    "METHOD_NOT_ALLOWED": 405,
    "PIN_EXPIRED": 404,
    "PIN_PENDING": 409,
    "ALREADY_REQUESTED": 409,
    "INVALID_STATE": 409,
    "REQUEST_CANCELLED": 409,
    "LAST_ADMIN": 409,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "IDEMPOTENCY_IN_PROGRESS": 409,
    "QUOTA_EXCEEDED": 403,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "CATALOG_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
    "GATEWAY_TIMEOUT": 504,
}


def test_the_registry_equals_the_table_of_the_contract() -> None:
    assert {str(code): spec.status for code, spec in REGISTRY.items()} == STATUSES, (
        "add the code and its documented status to STATUSES above"
    )


def test_every_code_is_registered() -> None:
    assert set(REGISTRY) == set(ErrorCode), "add status, message and remedy to REGISTRY"


@pytest.mark.parametrize("code", ErrorCode)
def test_the_value_of_a_code_equals_its_name(code: ErrorCode) -> None:
    assert code.value == code.name
    assert AppError(code).spec is REGISTRY[code]


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_has_a_message_and_a_remedy(code: ErrorCode) -> None:
    spec = REGISTRY[code]
    for sentence in (spec.message, spec.remedy):
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_errors_do_not_share_their_headers() -> None:
    original = {"Retry-After": "1"}
    error = AppError(ErrorCode.RATE_LIMITED, headers=original)
    error.headers["X-Other"] = "2"
    assert original == {"Retry-After": "1"}
    assert AppError(ErrorCode.RATE_LIMITED).headers == {}
