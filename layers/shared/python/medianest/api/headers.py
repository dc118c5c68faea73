"""Headers of every response: security, CORS, request id and Cache-Control."""

from collections.abc import Iterable, Mapping

from fastapi import Response

from medianest.core.environment import environment
from medianest.rate_limits.sliding_window import HEADERS as RATE_LIMIT_HEADERS

CSRF_HEADER = "X-CSRF-Token"
STALE_HEADER = "X-Catalog-Stale"
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
EXPOSED_HEADERS = ",".join(("X-Request-Id", "Retry-After", STALE_HEADER, *RATE_LIMIT_HEADERS))
ALLOWED_HEADERS = f"Authorization,Content-Type,Idempotency-Key,{CSRF_HEADER}"
# The maximum time that Chromium caches a preflight.
PREFLIGHT_SECONDS = 7200
_NO_CONTENT = 204

# A header as ASGI has it, with the name in lower case.
type RawHeader = tuple[bytes, bytes]


def _raw(headers: Mapping[str, str]) -> list[RawHeader]:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]


# Encoded once, because every response has them.
_SECURITY = _raw(SECURITY_HEADERS)
_NO_STORE = (b"cache-control", b"no-store")
_JSON = (b"content-type", b"application/json")
_JSON_UTF8 = (b"content-type", b"application/json; charset=utf-8")
_ANY_ORIGIN = _raw({"Access-Control-Allow-Origin": "*"})
_VARY = (b"vary", b"Origin")
_EXPOSED = _raw({"Access-Control-Expose-Headers": EXPOSED_HEADERS})


def with_common_headers(
    own: Iterable[RawHeader],
    status: int,
    origin: str | None,
    request_id: str,
    rate_limit_headers: Mapping[str, str],
) -> list[RawHeader]:
    """Return the headers of a response: its own, and those of every response.

    A route may set its own `Cache-Control`.
    """
    headers = [_JSON_UTF8 if header == _JSON else header for header in own]
    names = {name for name, _ in headers}
    if status == _NO_CONTENT:
        headers = [header for header in headers if header[0] != b"content-type"]
    if b"cache-control" not in names:
        headers.append(_NO_STORE)
    headers += _SECURITY
    headers.append((b"x-request-id", request_id.encode("latin-1")))
    headers += _raw(rate_limit_headers)
    return headers + _cors_headers(origin)


def set_stale_header(response: Response, stale_seconds: int | None) -> None:
    """Set the age of a stale response in seconds; do nothing for a fresh one (None)."""
    if stale_seconds is not None:
        response.headers[STALE_HEADER] = str(stale_seconds)


def _cors_headers(origin: str | None) -> list[RawHeader]:
    allowed = environment().cors_origins
    if not allowed:
        return _ANY_ORIGIN + _EXPOSED
    if origin is None or origin not in allowed:
        return [_VARY]
    allow = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
    return [_VARY, *_raw(allow), *_EXPOSED]
