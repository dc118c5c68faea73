"""The catalogue of error codes, from which the error reference is generated.

One table for the whole API ensures that a code has one meaning.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class ErrorCode(StrEnum):
    """The codes of section 2 of the contract, which clients branch on."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    JWT_INVALID = "JWT_INVALID"
    CSRF_TOKEN_MISMATCH = "CSRF_TOKEN_MISMATCH"
    RATE_LIMITED = "RATE_LIMITED"
    DATABASE_CONNECTION_ERROR = "DATABASE_CONNECTION_ERROR"
    DATABASE_WAKING_UP = "DATABASE_WAKING_UP"
    PLEX_UNREACHABLE = "PLEX_UNREACHABLE"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    FORBIDDEN = "FORBIDDEN"
    PLEX_ACCESS_DENIED = "PLEX_ACCESS_DENIED"
    ACCOUNT_SUSPENDED = "ACCOUNT_SUSPENDED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    PIN_EXPIRED = "PIN_EXPIRED"
    PIN_PENDING = "PIN_PENDING"
    ALREADY_REQUESTED = "ALREADY_REQUESTED"
    INVALID_STATE = "INVALID_STATE"
    REQUEST_CANCELLED = "REQUEST_CANCELLED"
    LAST_ADMIN = "LAST_ADMIN"
    SERVER_IN_USE = "SERVER_IN_USE"
    TITLE_ON_OTHER_SERVER = "TITLE_ON_OTHER_SERVER"
    EDIT_CONFLICT = "EDIT_CONFLICT"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    CATALOG_UNAVAILABLE = "CATALOG_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT"


# The codes of a database that does not serve now.
DATABASE_FAILURES = (ErrorCode.DATABASE_CONNECTION_ERROR, ErrorCode.DATABASE_WAKING_UP)


class ErrorSpec(NamedTuple):
    """The meaning of a code: HTTP status, message, and an instruction for the caller."""

    status: int
    message: str
    remedy: str


REGISTRY: Mapping[ErrorCode, ErrorSpec] = {
    ErrorCode.VALIDATION_ERROR: ErrorSpec(
        400,
        "The request is not valid.",
        "Correct the fields that `details` lists, then retry.",
    ),
    ErrorCode.JWT_INVALID: ErrorSpec(
        401,
        "Sign in to use this.",
        "Sign in again: the token is missing, malformed, expired or revoked.",
    ),
    ErrorCode.CSRF_TOKEN_MISMATCH: ErrorSpec(
        403,
        "The CSRF token is missing or does not belong to this session.",
        "Fetch a token from `GET /api/auth/csrf` and send it in `X-CSRF-Token`.",
    ),
    ErrorCode.RATE_LIMITED: ErrorSpec(
        429,
        "Too many requests. Wait before you try again.",
        "Retry after the number of seconds in `Retry-After`.",
    ),
    ErrorCode.DATABASE_CONNECTION_ERROR: ErrorSpec(
        500,
        "The database cannot be reached.",
        "Retry after the number of seconds in `Retry-After`; if the error persists, check the"
        " database.",
    ),
    ErrorCode.DATABASE_WAKING_UP: ErrorSpec(
        503,
        "The database was asleep and is waking up. That takes about 15 seconds, or up to a minute.",
        "Retry after the number of seconds in `Retry-After`; after a day of sleep it may take a"
        " minute.",
    ),
    ErrorCode.PLEX_UNREACHABLE: ErrorSpec(
        503,
        "Plex cannot be reached.",
        "Retry after the number of seconds in `Retry-After`; if the error persists, check whether"
        " plex.tv is up.",
    ),
    ErrorCode.INVALID_CREDENTIALS: ErrorSpec(
        401,
        "The user name or password is wrong.",
        "Check both; an account that does not exist gets the same error.",
    ),
    ErrorCode.FORBIDDEN: ErrorSpec(
        403, "You are not allowed to do this.", "Ask an admin: your role does not permit this."
    ),
    ErrorCode.PLEX_ACCESS_DENIED: ErrorSpec(
        403,
        "This Plex account cannot reach the server.",
        "Ask the owner of the Plex server to share it with this account.",
    ),
    ErrorCode.ACCOUNT_SUSPENDED: ErrorSpec(
        403, "This account is suspended.", "Ask an admin to end the suspension."
    ),
    ErrorCode.NOT_FOUND: ErrorSpec(
        404,
        "The resource does not exist.",
        "Check the path and the id; a resource of another user is also reported as not found.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorSpec(
        405, "The resource does not support this method.", "Use a method that `Allow` lists."
    ),
    ErrorCode.PIN_EXPIRED: ErrorSpec(
        404,
        "This sign-in is unknown, used or expired.",
        "Start again with `POST /api/auth/plex/pin`.",
    ),
    ErrorCode.PIN_PENDING: ErrorSpec(
        409,
        "The sign-in has not been approved yet.",
        "Open `authUrl`, approve the sign-in there, then retry after a second or two.",
    ),
    ErrorCode.ALREADY_REQUESTED: ErrorSpec(
        409,
        "This title has already been requested.",
        "No action is needed: the decision on the existing request applies to all users.",
    ),
    ErrorCode.INVALID_STATE: ErrorSpec(
        409,
        "The request is not in a state that allows this.",
        "Check its `status` in `details`: only a pending request can be changed. `details` name"
        " the admin who decided.",
    ),
    ErrorCode.REQUEST_CANCELLED: ErrorSpec(
        409,
        "The request that this Idempotency-Key created was cancelled.",
        "No action is needed; to request the title again, use a new key.",
    ),
    ErrorCode.LAST_ADMIN: ErrorSpec(
        409, "This would leave no active admin.", "Make another user an admin first."
    ),
    ErrorCode.SERVER_IN_USE: ErrorSpec(
        409,
        "The server still fetches titles.",
        "Wait until they are there, or disable the server: it then gets no new titles.",
    ),
    ErrorCode.TITLE_ON_OTHER_SERVER: ErrorSpec(
        409,
        "Another server already has this title.",
        "Choose the server in `details`, or none: the title then goes to the server that has it.",
    ),
    ErrorCode.EDIT_CONFLICT: ErrorSpec(
        409,
        "Another admin has changed this in the meantime.",
        "Read it again, compare it with your change, and send the change with the new `expected`.",
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: ErrorSpec(
        422,
        "This Idempotency-Key was used with another payload.",
        "Use a new key for a new request.",
    ),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: ErrorSpec(
        409,
        "The first call with this Idempotency-Key has not finished.",
        "Retry the same call after a second.",
    ),
    ErrorCode.QUOTA_EXCEEDED: ErrorSpec(
        403,
        "Your request quota does not allow this.",
        "Request at most `details.remaining` now, wait until `details.resetsAt`, or ask an admin.",
    ),
    ErrorCode.PAYLOAD_TOO_LARGE: ErrorSpec(
        413, "The request body is too large.", "Send at most 64 KiB."
    ),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: ErrorSpec(
        415,
        "Send the body as application/json.",
        "Send JSON with `Content-Type: application/json` and no charset other than UTF-8.",
    ),
    ErrorCode.CATALOG_UNAVAILABLE: ErrorSpec(
        503,
        "The film and show catalogue cannot be reached.",
        "Retry after the number of seconds in `Retry-After`.",
    ),
    ErrorCode.INTERNAL_ERROR: ErrorSpec(
        500,
        "Something went wrong on our side.",
        "Retry; if the error persists, report the `X-Request-Id` of the response.",
    ),
    ErrorCode.GATEWAY_TIMEOUT: ErrorSpec(504, "The service took too long to respond.", "Retry."),
}
