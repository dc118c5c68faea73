"""The errors a caller can see: one registry, from which the error reference is generated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

# A body of thousands of wrong fields must not make an answer and a log line of that size.
MAX_DETAILS = 20
MAX_FIELD_CHARS = 100


class ErrorCode(StrEnum):
    """The codes of section 2 of the contract, which clients branch on."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    JWT_INVALID = "JWT_INVALID"
    CSRF_TOKEN_MISMATCH = "CSRF_TOKEN_MISMATCH"
    RATE_LIMITED = "RATE_LIMITED"
    DATABASE_CONNECTION_ERROR = "DATABASE_CONNECTION_ERROR"
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
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    CATALOG_UNAVAILABLE = "CATALOG_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT"


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """What a code means: its HTTP status, the message sent, and what the caller can do."""

    status: int
    message: str
    what_to_do: str


REGISTRY: Mapping[ErrorCode, ErrorSpec] = {
    ErrorCode.VALIDATION_ERROR: ErrorSpec(
        400,
        "The request is not valid.",
        "Correct the fields that `details` names and send it again.",
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
        "Wait for the seconds that `Retry-After` names.",
    ),
    ErrorCode.DATABASE_CONNECTION_ERROR: ErrorSpec(
        500,
        "The database cannot be reached.",
        "Try again after the seconds that `Retry-After` names; if it lasts, look at the database.",
    ),
    ErrorCode.PLEX_UNREACHABLE: ErrorSpec(
        503,
        "Plex cannot be reached.",
        "Try again after the seconds that `Retry-After` names; if it lasts, look whether plex.tv"
        " is up.",
    ),
    ErrorCode.INVALID_CREDENTIALS: ErrorSpec(
        401,
        "The user name or password is wrong.",
        "Check both; the answer is the same for an account that does not exist.",
    ),
    ErrorCode.FORBIDDEN: ErrorSpec(
        403, "You may not do this.", "Ask an admin; your role does not suffice."
    ),
    ErrorCode.PLEX_ACCESS_DENIED: ErrorSpec(
        403,
        "This Plex account cannot reach the server.",
        "Ask the owner of the Plex server to share it with this account.",
    ),
    ErrorCode.ACCOUNT_SUSPENDED: ErrorSpec(403, "This account is suspended.", "Ask an admin."),
    ErrorCode.NOT_FOUND: ErrorSpec(
        404,
        "There is nothing at this address.",
        "Check the path and the id; what belongs to somebody else is not found either.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorSpec(
        405, "This address does not take that method.", "Use a method that `Allow` names."
    ),
    ErrorCode.PIN_EXPIRED: ErrorSpec(
        404,
        "This sign-in is unknown, used or expired.",
        "Start again with `POST /api/auth/plex/pin`.",
    ),
    ErrorCode.PIN_PENDING: ErrorSpec(
        409,
        "The sign-in has not been approved yet.",
        "Open `authUrl`, approve it there, and ask again in a second or two.",
    ),
    ErrorCode.ALREADY_REQUESTED: ErrorSpec(
        409,
        "This title has already been requested.",
        "Nothing to do: the request that holds it will be decided for everybody.",
    ),
    ErrorCode.INVALID_STATE: ErrorSpec(
        409,
        "The request is not in a state that allows this.",
        "Read its `status`, which `details` repeats: only what is pending can be changed.",
    ),
    ErrorCode.REQUEST_CANCELLED: ErrorSpec(
        409,
        "The request that this Idempotency-Key made was cancelled.",
        "Nothing to do; to request the title again, use a fresh key.",
    ),
    ErrorCode.LAST_ADMIN: ErrorSpec(
        409, "This would leave no active admin.", "Make somebody else an admin first."
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: ErrorSpec(
        422,
        "This Idempotency-Key was used with another payload.",
        "Use a fresh key for a new request.",
    ),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: ErrorSpec(
        409,
        "The first call with this Idempotency-Key has not finished.",
        "Repeat the same call in a second.",
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
        "Set `Content-Type: application/json`, with no other charset than UTF-8, and send JSON.",
    ),
    ErrorCode.CATALOG_UNAVAILABLE: ErrorSpec(
        503,
        "The film and show catalogue cannot be reached.",
        "Try again after the seconds that `Retry-After` names.",
    ),
    ErrorCode.INTERNAL_ERROR: ErrorSpec(
        500,
        "Something went wrong on our side.",
        "Try again; if it lasts, report the `X-Request-Id` of the answer.",
    ),
    ErrorCode.GATEWAY_TIMEOUT: ErrorSpec(504, "The service took too long to answer.", "Try again."),
}


class AppError(Exception):
    """An error that the caller gets to see; `api.errors` puts it into the envelope."""

    def __init__(
        self,
        code: ErrorCode,
        *,
        message: str | None = None,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        # The registry's own sentence, unless this error can say more.
        self.message = message or REGISTRY[code].message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def spec(self) -> ErrorSpec:
        """Return the registry's entry for this error's code."""
        return REGISTRY[self.code]


def invalid(field: str, *messages: str) -> AppError:
    """Return the VALIDATION_ERROR that points at one field, a dotted path as in `body.tmdbId`."""
    return invalid_fields((field, message) for message in messages)


def invalid_fields(problems: Iterable[tuple[str, str]]) -> AppError:
    """Return the VALIDATION_ERROR of problems, each a field and what is wrong with it."""
    return AppError(
        ErrorCode.VALIDATION_ERROR,
        details=[
            {"field": field[:MAX_FIELD_CHARS], "message": message}
            for field, message in islice(problems, MAX_DETAILS)
        ],
    )
