"""What openapi.json says beyond the code: words for names, and examples.

A name means the same wherever it occurs, so it is described once. One that is missing here fails
`make docs`.
"""

from collections.abc import Mapping
from typing import Any

from medianest.api.dependencies import SESSION_COOKIE
from medianest.api.headers import CSRF_HEADER
from medianest.core.error_codes import ErrorCode

INFO = """\
Media requests for Plex communities.

**Answers.** Every answer with a body is `{"success": true, "data": …}`, lists with a `pagination` beside `data`, or
`{"success": false, "error": {"code", "message", "details"?}}`. Branch on `code`: it is fixed, while the message is for people.
Keys are camelCase, absent values are absent keys, times are ISO 8601 in UTC. With `X-Request-Id`, which every answer has, an
operator finds its log lines.

**Requests.** Bodies are JSON in UTF-8 of at most 64 KiB. Unknown fields and query parameters are refused, and so are the NUL
character and text that is not UTF-8; only `GET /api/health` and the documents ignore query parameters. A page past the end is an
empty list. HEAD is answered as GET, without a body, at every address that has a GET; this document does not list it.

**Signing in.** Begin with `POST /api/auth/plex/pin`, open its `authUrl`, then finish with `POST /api/auth/plex/verify`; a local
account uses `POST /api/auth/login`. Without a word the answer has a `token`, to be sent as `Authorization: Bearer`. With
`"session": "cookie"` it sets a cookie that scripts cannot read, and has a `csrfToken`, to be sent as `X-CSRF-Token` with every
POST, PUT, PATCH and DELETE. A bad bearer token never falls back to the cookie.

**Limits.** Each caller is held to a share, each method by a throttle for all. Answers of limited routes tell in `RateLimit-…`
and `X-RateLimit-…` what is left; a refused call gets 429 with `Retry-After`.
"""  # noqa: E501 - paragraphs of Markdown

TAGS = {
    "auth": "Signing in with a password, the session, and who one is",
    "plex": "Signing in with Plex",
    "media": "Search, and asking for titles",
    "admin": "What admins see and decide",
    "health": "Whether the service can work, and this document",
}

_USER_ID = "5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11"
_ADMIN_ID = "0b8f6c2e-51d4-4f3a-8a77-6c1d9e2b4a90"
_REQUEST_ID = "3f0e8c2a-7a52-4d0e-9a56-2d1f2b7c9e11"
_SESSION_ID = "c7a9d1b4-2e63-4b0f-9f18-8d5e4a7b6c32"

# By name: what it means, and an example. `{thing}` is what the path lists before an id.
PARAMETERS: Mapping[str, tuple[str, Any]] = {
    "action": ("Only what was done like this", "request.approved"),
    "asset": ("Name of the file", "page.js"),
    "from": ("Only from this moment on", "2026-01-01T00:00:00Z"),
    "key": ("Name of the setting", "rateLimit.search"),
    "tmdbId": ("The title's number at TMDB", 603),
    "to": ("Only before this moment", "2026-02-01T00:00:00Z"),
    "Idempotency-Key": (
        "With the same key and payload, within 24 hours, the answer of the first call comes again",
        "6f1c2a34-friday",
    ),
    "id": ("Id of the {thing}", _REQUEST_ID),
    "limit": ("Items on a page", 20),
    "mediaType": ("Whether films or shows", "movie"),
    "page": ("Which page, from 1", 1),
    "q": ("What to search for", "matrix"),
    "role": ("Only users of this role", "admin"),
    "search": ("Part of a user name or e-mail address, however it is spelt", "bob"),
    "sort": ("By what to sort; with `-` the greatest first", None),
    "status": ("Only what is in this state", None),
    "type": ("Whether to search films, shows or both", "movie"),
    "userId": ("Only of this user", _USER_ID),
}

# What a property means, by its name, or of one model where it means something of its own.
WORDS: Mapping[str, str] = {
    "action": "What was done",
    "active": "How many of them are active",
    "admins": "How many of them are admins",
    "airDate": "Day of the first broadcast",
    "allSessions": "Whether all sessions of the user end, and not only this one",
    "approved": "How many are approved",
    "authUrl": "Plex's own sign-in page: open it in a browser",
    "backdropPath": "Path of a picture below TMDB's image address",
    "code": "The code that the sign-in page asks for; `authUrl` has it already",
    "comment": "Note to the admin",
    "createdAt": "Since when it exists",
    "csrfToken": "To be sent as `X-CSRF-Token`",
    "current": "Whether this session is the one that asks",
    "currentPassword": "The password until now",
    "data": "Result",
    "days": "In how many days",
    "decision": "What becomes of all of them",
    "declined": "How many are declined",
    "default": "What holds as long as nobody changes it",
    "details": "More of it; what, depends on the code or the action",
    "email": "E-mail address; a placeholder below `plex.invalid` where Plex has none",
    "episodeCount": "How many episodes it has",
    "error": "Why it was not decided",
    "expiresAt": "Until when it holds",
    "generatedAt": "When this was counted",
    "genres": "Names of genres",
    "hasNext": "Whether there is a page after this one",
    "hasPrev": "Whether there is a page before this one",
    "id": "Id",
    "identifier": "E-mail address or user name; case and outer spaces do not matter",
    "ids": "Ids of the requests",
    "ip": "From which address; `0.0.0.0` in a test call of API Gateway's console",
    "key": "Name of the setting",
    "last30Days": "How many were made in the last 30 days",
    "last7Days": "How many were made in the last 7 days",
    "lastSeenAt": "When it was used last, within five minutes",
    "latencyMs": "How long it took to answer, in milliseconds",
    "limit": "Most items on a page",
    "mediaType": "Whether it is a film or a show",
    "message": "For people; may change",
    "movies": "Films",
    "name": "Name",
    "newPassword": "At least 8 characters, of upper and lower case, digits and others",
    "note": "For the audit log",
    "number": "Number of the season",
    "oldestPendingAt": "Since when the oldest of them waits",
    "overview": "What it is about",
    "page": "Which page this is",
    "password": "The password",
    "pending": "How many wait for a decision",
    "pinId": "The handle of a sign-in, which only its beginner knows; it works once",
    "plexId": "The account's id at Plex, a number as text; a local account has none",
    "posterPath": "Path of the poster below TMDB's image address",
    "processedAt": "When it was decided",
    "processedBy": "Id of the admin who decided",
    "quota": "How much this user may ask for, in place of what the role may",
    "reason": "Why it was declined",
    "requestedAt": "When it was made",
    "requestId": "Id of the call, as in its `X-Request-Id`",
    "requests": "Requests",
    "role": "Whether the user is an admin",
    "runtime": "Length in minutes",
    "seasons": "Numbers of seasons; 0 are specials",
    "session": "Whether the answer has the token or sets it as a cookie",
    "shows": "Shows",
    "skippedSeasons": "Seasons asked for that other requests hold already",
    "status": "The state it is in",
    "success": "Whether it worked",
    "suspended": "How many of them are suspended",
    "targetId": "Id of what it was done to",
    "targetType": "What it was done to",
    "title": "Title, as TMDB has it",
    "tmdbId": "The title's number at TMDB",
    "token": "To be sent as `Authorization: Bearer`",
    "topRequesters": "Who asked for the most in the last 30 days",
    "total": "Items on all pages together",
    "updatedAt": "When it was changed last",
    "updatedBy": "Id of the admin who changed it",
    "userAgent": "What the client called itself",
    "userId": "Id of the user",
    "username": "User name",
    "value": "What holds; its keys depend on the setting",
    "version": "Version of the service",
    "year": "Year of the first release",
    "QuotaIn.limit": "How many; null for any number",
}

_USER = {
    "id": _USER_ID,
    "email": "bob@example.com",
    "username": "bob",
    "role": "user",
    "plexId": "4711",
    "createdAt": "2026-01-02T18:30:00.000Z",
    "updatedAt": "2026-01-02T18:30:00.000Z",
}
_ADMIN = _USER | {
    "id": _ADMIN_ID,
    "email": "alice@example.com",
    "username": "alice",
    "role": "admin",
    "plexId": "4710",
}
_LOCAL = {key: value for key, value in _USER.items() if key != "plexId"} | {
    "email": "carol@example.com",
    "username": "carol",
    "status": "active",
}
_FILM = {
    "id": _REQUEST_ID,
    "userId": _USER_ID,
    "mediaType": "movie",
    "tmdbId": 603,
    "title": "The Matrix",
    "status": "pending",
    "comment": "For Friday, please",
    "requestedAt": "2026-01-05T20:15:30.120Z",
}
_SHOW = {
    "id": "9d2b7e10-4c5f-4a8e-b1d3-70f6e4c2a518",
    "userId": _USER_ID,
    "mediaType": "tv",
    "tmdbId": 1396,
    "title": "Breaking Bad",
    "status": "pending",
    "seasons": [2],
    "requestedAt": "2026-01-04T21:00:00.000Z",
}
_DECIDED = {"processedAt": "2026-01-06T08:00:00.000Z", "processedBy": _ADMIN_ID}
_DECLINED = _DECIDED | {"status": "declined", "reason": "Already on the server"}
_TOKEN = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFmMGEyYjNjIn0.eyJzdWIiOiI1YTBjIn0.c2lnbmF0dXJl"  # noqa: S105
_CSRF_TOKEN = f"{'0a1b2c3d' * 8}.{'4e5f6071' * 4}"
_SIGNED_IN = {"user": _USER, "expiresAt": "2026-02-01T18:30:00.000Z"}

# What is sent and answered: by operation where that has a case of its own, else by schema. Of an
# answer that lists things, all examples of a thing make one.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "AdminUser": {
        "local account": _LOCAL,
        "with a quota": _USER | {"status": "active", "quota": {"movies": {"limit": 2, "days": 7}}},
    },
    "AuditLog": {
        "decision": {
            "id": "e4b1c9d7-3a52-4f0b-8c66-1d7e2f9a5b03",
            "userId": _ADMIN_ID,
            "action": "request.approved",
            "targetType": "request",
            "targetId": _REQUEST_ID,
            "details": {"note": "Fits on the disk"},
            "requestId": "c0ffee00-7a52-4d0e-9a56-2d1f2b7c9e11",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "createdAt": "2026-01-06T08:00:00.000Z",
        }
    },
    "Decision": {
        "done": {"id": _REQUEST_ID, "status": "approved"},
        "too late": {
            "id": "9d2b7e10-4c5f-4a8e-b1d3-70f6e4c2a518",
            "error": {
                "code": "INVALID_STATE",
                "message": "The request is not in a state that allows this.",
                "details": {"status": "declined"},
            },
        },
    },
    "DecisionsIn": {
        "approve": {"decision": "approve", "ids": [_REQUEST_ID]},
        "decline": {
            "decision": "decline",
            "ids": [_REQUEST_ID, "9d2b7e10-4c5f-4a8e-b1d3-70f6e4c2a518"],
            "reason": "No space left this month",
        },
    },
    "Setting": {
        "changed": {
            "key": "rateLimit.search",
            "value": {"limit": 60, "window": 60},
            "default": {"limit": 30, "window": 60},
            "updatedAt": "2026-01-06T08:00:00.000Z",
            "updatedBy": _ADMIN_ID,
        },
        "default": {
            "key": "audit.retention",
            "value": {"days": 365},
            "default": {"days": 365},
        },
    },
    "SettingIn": {"a rate limit": {"value": {"limit": 60, "window": 60}}},
    "Stats": {
        "now": {
            "users": {"total": 5, "active": 4, "suspended": 1, "admins": 1},
            "requests": {
                "total": 12,
                "pending": 2,
                "approved": 9,
                "declined": 1,
                "movies": 8,
                "shows": 4,
                "last7Days": 3,
                "last30Days": 12,
                "oldestPendingAt": "2026-01-05T20:15:30.120Z",
            },
            "sessions": {"active": 7},
            "topRequesters": [{"userId": _USER_ID, "username": "bob", "requests": 5}],
            "generatedAt": "2026-01-06T08:00:00.000Z",
        }
    },
    "TitleDetails": {
        "film": {
            "mediaType": "movie",
            "tmdbId": 603,
            "title": "The Matrix",
            "year": 1999,
            "overview": "A hacker learns what his world is made of.",
            "posterPath": "/matrix.jpg",
            "genres": ["Action", "Science Fiction"],
            "runtime": 136,
            "request": {"status": "approved"},
        },
        "show": {
            "mediaType": "tv",
            "tmdbId": 1396,
            "title": "Breaking Bad",
            "year": 2008,
            "genres": ["Drama", "Crime"],
            "seasons": [
                {
                    "number": 1,
                    "name": "Season 1",
                    "episodeCount": 7,
                    "airDate": "2008-01-20",
                    "request": {"id": _REQUEST_ID, "status": "pending"},
                },
                {"number": 2, "name": "Season 2", "episodeCount": 13, "airDate": "2009-03-08"},
            ],
        },
    },
    "UserIn": {
        "user": {
            "email": "carol@example.com",
            "username": "carol",
            "password": "Tr0ub4dor-and-3",
            "role": "user",
        }
    },
    "AdminRequest": {
        "film": _FILM
        | {"requester": {"id": _USER_ID, "username": "bob", "email": "bob@example.com"}},
    },
    "ApproveIn": {"note": {"note": "Fits on the disk"}, "without a word": {}},
    "CreatedRequest": {
        "film": _FILM,
        "show, of which a season is held already": _SHOW | {"skippedSeasons": [1]},
    },
    "Csrf": {"token": {"csrfToken": _CSRF_TOKEN}},
    "DeclineIn": {"reason": {"reason": "Already on the server"}},
    "Health": {
        "healthy": {
            "status": "healthy",
            "version": "0.1.0",
            "checks": {
                "database": {"status": "healthy", "latencyMs": 1.2},
                "cache": {"status": "healthy", "latencyMs": 0.4},
            },
        },
        "without the cache": {
            "status": "degraded",
            "version": "0.1.0",
            "checks": {
                "database": {"status": "healthy", "latencyMs": 1.2},
                "cache": {"status": "unhealthy", "latencyMs": 250.0},
            },
        },
    },
    "LoginIn": {
        "token": {"identifier": "carol", "password": "Tr0ub4dor-and-3"},
        "cookie": {"identifier": "carol", "password": "Tr0ub4dor-and-3", "session": "cookie"},
    },
    "LogoutIn": {"this session": {}, "all sessions": {"allSessions": True}},
    "MediaRequest": {"film": _FILM, "show": _SHOW | _DECLINED},
    "Pagination": {
        "example": {"page": 1, "limit": 20, "total": 1, "hasNext": False, "hasPrev": False}
    },
    "PasswordIn": {
        "change": {"currentPassword": "Tr0ub4dor-and-3", "newPassword": "c0rrect-Horse-battery"}
    },
    "Pin": {
        "begun": {
            "pinId": "Zr8W1c0yqk3ZkVt5o7mX2bq9sJdL4nPpE6uH0aRfTgY",
            "code": "ab12cd34ef56gh78",
            "authUrl": "https://app.plex.tv/auth#?clientID=medianest&code=ab12cd34ef56gh78",
            "expiresAt": "2026-01-02T18:40:00.000Z",
        }
    },
    "PinIn": {"nothing is needed": {}},
    "RefreshIn": {"nothing is needed": {}},
    "RequestIn": {
        "film": {"mediaType": "movie", "tmdbId": 603, "comment": "For Friday, please"},
        "seasons of a show": {"mediaType": "tv", "tmdbId": 1396, "seasons": [1, 2]},
        "whole show": {"mediaType": "tv", "tmdbId": 1396},
    },
    "Session": {
        "this one": {
            "id": _SESSION_ID,
            "createdAt": "2026-01-02T18:30:00.000Z",
            "lastSeenAt": "2026-01-05T20:15:30.120Z",
            "expiresAt": "2026-02-01T18:30:00.000Z",
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0",
            "current": True,
        }
    },
    "SignedIn": {
        "token": _SIGNED_IN | {"token": _TOKEN},
        "cookie": _SIGNED_IN | {"csrfToken": _CSRF_TOKEN},
    },
    "Title": {
        "requested": {
            "mediaType": "movie",
            "tmdbId": 603,
            "title": "The Matrix",
            "year": 1999,
            "overview": "A hacker learns what his world is made of.",
            "posterPath": "/matrix.jpg",
            "request": {"id": _REQUEST_ID, "status": "pending"},
        },
        "free": {
            "mediaType": "movie",
            "tmdbId": 604,
            "title": "The Matrix Reloaded",
            "year": 2003,
        },
    },
    "User": {"user": _USER},
    "UserChangeIn": {"make an admin": {"role": "admin"}, "suspend": {"status": "suspended"}},
    "VerifyIn": {
        "token": {"pinId": "Zr8W1c0yqk3ZkVt5o7mX2bq9sJdL4nPpE6uH0aRfTgY"},
        "cookie": {
            "pinId": "Zr8W1c0yqk3ZkVt5o7mX2bq9sJdL4nPpE6uH0aRfTgY",
            "session": "cookie",
        },
    },
    "approveRequest": {"approved": _FILM | _DECIDED | {"status": "approved"}},
    "declineRequest": {"declined": _FILM | _DECLINED},
    "docsAsset": {
        "text/css": "main { max-width: 60em }",
        "text/javascript": 'SwaggerUIBundle({ dom_id: "#api", url: "openapi.json" });',
    },
    "docsPage": {"text/html": "<!doctype html>"},
    "openapiDocument": {
        "application/json": {
            "openapi": "3.0.3",
            "info": {"title": "MediaNest", "version": "0.1.0"},
            "paths": {},
        }
    },
}

# What can be done next with the `id` in an operation's answer.
LINKS: Mapping[str, tuple[str, ...]] = {
    "createRequest": ("getRequest", "cancelRequest", "approveRequest", "declineRequest"),
    "createUser": ("getUser", "changeUser", "revokeSessions", "deleteUser"),
}

# The `details` of an error where it has any: their schema, and an example.
DETAILS: Mapping[ErrorCode, tuple[dict[str, Any], Any]] = {
    ErrorCode.VALIDATION_ERROR: (
        {
            "type": "array",
            "description": "What is wrong, up to 20 of it",
            "items": {
                "type": "object",
                "properties": {
                    "field": {
                        "type": "string",
                        "description": "A dotted path, such as body.tmdbId or query.page",
                    },
                    "message": {"type": "string", "description": "For people; may change"},
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
            "description": "Which share is used up; absent where API Gateway throttles",
            "properties": {
                "policy": {"type": "string", "description": "Name of the policy"},
                "limit": {"type": "integer", "description": "How many calls"},
                "window": {"type": "integer", "description": "In how many seconds"},
                "retryAfter": {"type": "integer", "description": "Seconds to wait"},
            },
            "required": ["policy", "limit", "window", "retryAfter"],
            "additionalProperties": False,
        },
        {"policy": "search", "limit": 30, "window": 60, "retryAfter": 12},
    ),
    ErrorCode.ALREADY_REQUESTED: (
        {
            "type": "object",
            "description": "Only where the request that holds the title is the caller's own",
            "properties": {"requestId": {"type": "string", "format": "uuid"}},
            "required": ["requestId"],
            "additionalProperties": False,
        },
        {"requestId": _REQUEST_ID},
    ),
    ErrorCode.INVALID_STATE: (
        {
            "type": "object",
            "properties": {
                "status": {"type": "string", "enum": ["pending", "approved", "declined"]}
            },
            "required": ["status"],
            "additionalProperties": False,
        },
        {"status": "approved"},
    ),
    ErrorCode.QUOTA_EXCEEDED: (
        {
            "type": "object",
            "properties": {
                "quota": {"type": "string", "enum": ["movies", "seasons"]},
                "limit": {"type": "integer", "description": "How many may be asked for"},
                "used": {"type": "integer", "description": "How many count against it now"},
                "requested": {"type": "integer", "description": "How many this call asks for"},
                "remaining": {"type": "integer", "description": "How many are left now"},
                "resetsAt": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When this would fit, or when the whole limit is free where it"
                    " asks for more; absent where waiting does not help",
                },
            },
            "required": ["quota", "limit", "used", "requested", "remaining"],
            "additionalProperties": False,
        },
        {
            "quota": "movies",
            "limit": 5,
            "used": 5,
            "requested": 1,
            "remaining": 0,
            "resetsAt": "2026-01-12T20:15:30.120Z",
        },
    ),
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
        "description": "Name of this content, for `If-None-Match`",
        "schema": {"type": "string"},
        "example": '"5d41402abc4b2a76"',
    },
    "RateLimit": {
        "description": "Of each policy what is left, and the seconds until there is more",
        "schema": {"type": "string"},
        "example": '"search";r=29;t=60',
    },
    "RateLimit-Policy": {
        "description": "All policies of the call: quota and window in seconds",
        "schema": {"type": "string"},
        "example": '"search";q=30;w=60',
    },
    "Retry-After": {
        "description": "Seconds to wait",
        "schema": {"type": "integer", "minimum": 1},
        "example": 12,
    },
    "Set-Cookie": {
        "description": f"The session's cookie, {SESSION_COOKIE}, where it was asked for",
        "schema": {"type": "string"},
        "example": f"{SESSION_COOKIE}=…; HttpOnly; Path=/; SameSite=lax; Secure",
    },
    "WWW-Authenticate": {
        "description": "That a bearer token is wanted",
        "required": True,
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "X-Catalog-Stale": {
        "description": "Past its time, as TMDB cannot be asked now: how many seconds old it is",
        "schema": {"type": "integer"},
        "example": 7200,
    },
    "X-RateLimit-Limit": {
        "description": "Calls in a window, of the policy that leaves the fewest",
        "schema": _COUNT,
        "example": 30,
    },
    "X-RateLimit-Remaining": {
        "description": "Calls that are left of it",
        "schema": _COUNT,
        "example": 29,
    },
    "X-RateLimit-Reset": {
        "description": "When the next place gets free, in Unix seconds",
        "schema": _COUNT,
        "example": 1767225600,
    },
    "X-Request-Id": {
        "description": "By which an operator finds the log lines of the call",
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
        "name": SESSION_COOKIE,
        "description": "Set by a sign-in with `session` `cookie`",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "The `csrfToken` of a sign-in, or of `GET /api/auth/csrf`",
    },
}
