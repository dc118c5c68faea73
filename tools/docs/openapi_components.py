"""The parts of openapi.json that do not depend on a model or a route."""

from collections.abc import Mapping
from typing import Any, get_args

from medianest.api.cookies import PLAIN_COOKIE, SECURE_COOKIE
from medianest.api.headers import CSRF_HEADER
from medianest.core.error_codes import ErrorCode
from medianest.core.examples import REQUEST_ID, SERVER_ID
from medianest.jobs.models import State
from medianest.requests.decision_schemas import DecidedOut
from medianest.requests.models import RequestStatus
from medianest.requests.quota_schemas import QuotaExceededOut
from tools.docs.openapi_schema import Converter

INFO = """\
Media requests for Plex communities.

**Responses.** Every response with a body is `{"success": true, "data": …}`, for a list with `pagination` next to `data`, or
`{"success": false, "error": {"code", "message", "details"?}}`. Branch on `code`, which is stable; `message` is for users. Keys are
camelCase, a key without a value is omitted, and times are ISO 8601 in UTC. Every response has an `X-Request-Id`, with which an operator
finds the log lines of the call.

**Requests.** Bodies are JSON in UTF-8 of at most 64 KiB. Unknown fields and query parameters, the NUL character and text that is not
UTF-8 are rejected; only `GET /api/health` and the documents ignore unknown query parameters. A page past the end is an empty list.
Every path with GET also accepts HEAD, which has no body in its response; this document does not list it.

**Signing in.** Start with `POST /api/auth/plex/pin`, open its `authUrl`, then finish with `POST /api/auth/plex/verify`; a local
account uses `POST /api/auth/login`. By default the response has a `token` for `Authorization: Bearer`. With `"session": "cookie"` it
sets a cookie that scripts cannot read, and has a `csrfToken` for `X-CSRF-Token`, which every POST, PUT, PATCH and DELETE needs. An
invalid bearer token never falls back to the cookie. A page starts with `GET /api/auth/session`, which is never 401.

**Limits.** Each caller has rate limits, and each method has a throttle. Responses of rate-limited routes have the remaining calls in
`RateLimit-…` and `X-RateLimit-…`; a rejected call gets 429 with `Retry-After`. Behind CloudFront, a call that bypasses it gets 403 `FORBIDDEN`.
"""

# Operations that take the `id` in another operation's response.
LINKS: Mapping[str, tuple[str, ...]] = {
    "createRequest": ("getRequest", "cancelRequest", "approveRequest", "declineRequest"),
    "createUser": ("getUser", "changeUser", "revokeSessions", "deleteUser"),
}

_QUOTA = QuotaExceededOut.model_json_schema(ref_template="#/components/schemas/{model}")
# The `details` of each error that has them: schema and example.
DETAILS: Mapping[ErrorCode, tuple[dict[str, Any], Any]] = {
    ErrorCode.VALIDATION_ERROR: (
        {
            "type": "array",
            "description": "The problems, at most 20",
            "items": {
                "type": "object",
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "A dotted path, such as body.tmdbId or query.page",
                    },
                    "message": {
                        "type": "string",
                        "description": "A sentence for users, which may change",
                    },
                },
                "required": ["field", "message"],
                "additionalProperties": False,
            },
        },
        [{"field": "query.page", "message": "Must be at least 1"}],
    ),
    ErrorCode.RATE_LIMITED: (
        {
            "type": "object",
            "description": "The exceeded rate limit; absent if API Gateway throttles",
            "properties": {
                "policy": {"type": "string", "description": "Name of the policy"},
                "limit": {
                    "type": "integer",
                    "description": "Number of calls that the policy allows",
                },
                "window": {"type": "integer", "description": "Seconds that the limit covers"},
                "retryAfter": {
                    "type": "integer",
                    "description": "Seconds until a retry can succeed",
                },
            },
            "required": ["policy", "limit", "window", "retryAfter"],
            "additionalProperties": False,
        },
        {"policy": "search", "limit": 30, "window": 60, "retryAfter": 12},
    ),
    ErrorCode.ALREADY_REQUESTED: (
        {
            "type": "object",
            "description": "Only if the request with the title is the caller's own",
            "properties": {"requestId": {"type": "string", "format": "uuid"}},
            "required": ["requestId"],
            "additionalProperties": False,
        },
        {"requestId": REQUEST_ID},
    ),
    ErrorCode.INVALID_STATE: (
        {
            "type": "object",
            "properties": {
                "status": {
                    "type": "string",
                    "description": "State of the request, or of the job",
                    "enum": [
                        *get_args(RequestStatus.__value__),
                        *get_args(State.__value__),
                    ],
                },
                "processedAt": {
                    "type": "string",
                    "format": "date-time",
                    "description": "For admins: time of the decision on the request",
                },
                "processedByName": {
                    "type": "string",
                    "description": "For admins: name of the admin who decided",
                },
            },
            "required": ["status"],
            "additionalProperties": False,
        },
        *DecidedOut.EXAMPLES.values(),
    ),
    ErrorCode.TITLE_ON_OTHER_SERVER: (
        {
            "type": "object",
            "properties": {
                "serverId": {
                    "type": "string",
                    "format": "uuid",
                    "description": "The server that has the title",
                }
            },
            "additionalProperties": False,
        },
        {"serverId": SERVER_ID},
    ),
    ErrorCode.EDIT_CONFLICT: (
        {
            "type": "object",
            "description": "The present setting; absent for rules",
            "properties": {
                "value": {"type": "object", "description": "Present value"},
                "updatedAt": {"type": "string", "format": "date-time"},
                "updatedByName": {"type": "string", "description": "Name of the other admin"},
            },
            "required": ["value"],
            "additionalProperties": False,
        },
        {
            "value": {"limit": 60, "window": 60},
            "updatedAt": "2026-01-06T08:00:00.000Z",
            "updatedByName": "alice",
        },
    ),
    ErrorCode.QUOTA_EXCEEDED: (
        Converter(_QUOTA.pop("$defs", {})).sent(_QUOTA) | {"additionalProperties": False},
        *QuotaExceededOut.EXAMPLES.values(),
    ),
}

# The header of an error response.
ERROR_HEADERS = {
    ErrorCode.JWT_INVALID: "WWW-Authenticate",
    ErrorCode.INVALID_CREDENTIALS: "WWW-Authenticate",
    ErrorCode.METHOD_NOT_ALLOWED: "Allow",
    ErrorCode.RATE_LIMITED: "Retry-After",
    ErrorCode.DATABASE_CONNECTION_ERROR: "Retry-After",
    ErrorCode.DATABASE_WAKING_UP: "Retry-After",
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: "Retry-After",
    ErrorCode.CATALOG_UNAVAILABLE: "Retry-After",
    ErrorCode.PLEX_UNREACHABLE: "Retry-After",
}

_COUNT = {"type": "integer"}
HEADERS: Mapping[str, Any] = {
    "Allow": {
        "description": "The methods of this path",
        "required": True,
        "schema": {"type": "string"},
        "example": "GET, OPTIONS",
    },
    "ETag": {
        "description": "Identifies this content, for `If-None-Match`",
        "schema": {"type": "string"},
        "example": '"5d41402abc4b2a76"',
    },
    "RateLimit": {
        "description": "Remaining calls of each policy, and the seconds until more are available",
        "schema": {"type": "string"},
        "example": '"search";r=29;t=60',
    },
    "RateLimit-Policy": {
        "description": "Policies of the call, each with its limit and its window in seconds",
        "schema": {"type": "string"},
        "example": '"search";q=30;w=60',
    },
    "Retry-After": {
        "description": "Seconds until a retry can succeed",
        "schema": {"type": "integer", "minimum": 1},
        "example": 12,
    },
    "Set-Cookie": {
        "description": f"The session cookie {SECURE_COOKIE}; only for a cookie session",
        "schema": {"type": "string"},
        "example": f"{SECURE_COOKIE}=…; HttpOnly; Path=/; SameSite=lax; Secure",
    },
    "WWW-Authenticate": {
        "description": "The scheme of the expected credential",
        "required": True,
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "X-Catalog-Stale": {
        "description": "Age in seconds of a stale response, served while TMDB is unreachable",
        "schema": {"type": "integer"},
        "example": 7200,
    },
    "X-RateLimit-Limit": {
        "description": "Limit of the policy with the fewest remaining calls",
        "schema": _COUNT,
        "example": 30,
    },
    "X-RateLimit-Remaining": {
        "description": "Remaining calls of that policy",
        "schema": _COUNT,
        "example": 29,
    },
    "X-RateLimit-Reset": {
        "description": "Time when one more call is available, in Unix seconds",
        "schema": _COUNT,
        "example": 1767225600,
    },
    "X-Request-Id": {
        "description": "Identifies the log lines of the call",
        "required": True,
        "schema": {"type": "string"},
        "example": "c0ffee00-7a52-4d0e-9a56-2d1f2b7c9e11",
    },
}

SECURITY_SCHEMES: Mapping[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` of a sign-in",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": SECURE_COOKIE,
        "description": "Set by a sign-in with `session` `cookie`; with `COOKIE_SECURE` `false` its name is"
        f" `{PLAIN_COOKIE}`",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "The `csrfToken` of a sign-in, or of `GET /api/auth/csrf`",
    },
}
