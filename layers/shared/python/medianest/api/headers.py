"""Headers of every response: security, CORS, request id and Cache-Control."""

from fastapi import Response
from starlette.datastructures import MutableHeaders

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


def set_headers(headers: MutableHeaders, status: int, origin: str | None, request_id: str) -> None:
    """Add the headers of every response; a route may set its own `Cache-Control`."""
    headers.update(SECURITY_HEADERS)
    headers["X-Request-Id"] = request_id
    headers.setdefault("Cache-Control", "no-store")
    if status == _NO_CONTENT:
        del headers["Content-Type"]
    elif headers.get("content-type") == "application/json":
        headers["Content-Type"] = "application/json; charset=utf-8"
    _set_cors_headers(headers, origin)


def set_stale_header(response: Response, stale_seconds: int | None) -> None:
    """Set the age of a stale response in seconds; do nothing for a fresh one (None)."""
    if stale_seconds is not None:
        response.headers[STALE_HEADER] = str(stale_seconds)


def _set_cors_headers(headers: MutableHeaders, origin: str | None) -> None:
    allowed = environment().cors_origins
    if not allowed:
        headers["Access-Control-Allow-Origin"] = "*"
    else:
        headers.add_vary_header("Origin")
        if origin not in allowed:
            return
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
