"""Generate docs/rate-limits.md from the throttles of template.yaml and the routes' policies."""

from collections.abc import Iterator

from local.run_config import PROJECT
from local.template.models import Template, Throttle
from local.template.reader import read_template
from medianest.rate_limits.policies import POLICIES
from medianest.system_config.service import CACHE_SECONDS
from tools.docs.routes import served_routes

_PAGE = """\
# Rate limits

Generated from `template.yaml` and the routes by `make docs`; do not edit.

There are two layers. API Gateway throttles a method for all callers together, so that a flood invokes no function and does not
affect other methods. The functions limit each caller exactly: any window of the given length has at most the given number of
calls, regardless of its start and of the number of functions that respond.

| Route | Policy | Calls | per seconds | Counted by | Gateway: calls per second, burst |
|---|---|---|---|---|---|
{routes}

- **User** is the signed-in user, at any IP address. A call without a valid session is counted by **IP address** under `api`
  ({api.limit} in {api.window} seconds), on every route, before it gets its 401: this limits guesses of tokens without affecting
  signed-in users at that address.
- **IP address** is the client address that API Gateway reports, or behind CloudFront the one that the distribution reports
  ([ADR 23](adr/0023-the-viewers-address-needs-a-proof.md)), never another header; for IPv6 the first 64 bits. Identifiers from a request
  body are stored as a digest.
- On a route with several policies, a call is allowed if all of them allow it, and is counted by all or by none. Rejected calls are not
  counted, so retries do not prolong the wait.
- A rate limit never invalidates a sign-in: a poll of `/api/auth/plex/verify` that is too fast gets 429, and its `pinId` stays valid until it
  expires, is used, or its account is rejected (RFC 8628, `slow_down`). A client that polls once a second stays below the limit.
- `login` counts failures only, and only of calls whose body is valid. A sign-in that fails because of the database, after its password
  was checked, does not count. A network that has signed in to the account before has a separate limit, which other networks cannot use
  up. An account that does not exist has the same limits.
- A malformed call (`VALIDATION_ERROR` of a field, `UNSUPPORTED_MEDIA_TYPE`) and one without a valid CSRF token (`CSRF_TOKEN_MISMATCH`)
  count against `api` and not against the lower limits of `password`, `search` and `media-request`.
- HEAD counts as a GET of its route, and API Gateway throttles it in the same way.
- Preflights are not limited, and bodies larger than 64 KiB are rejected before they are counted.

## Response headers

Every response of a limited route has these headers, with any status:

| Header | Example | Meaning |
|---|---|---|
| `X-RateLimit-Limit` | `100` | Calls per window, for the policy with the fewest remaining calls |
| `X-RateLimit-Remaining` | `57` | Remaining calls of that policy |
| `X-RateLimit-Reset` | `1767225600` | Time at which the oldest call leaves the window and one more call is allowed, in Unix seconds |
| `RateLimit-Policy` | `"auth";q=10;w=60, "plex-pin";q=5;w=300` | All policies of the call: quota and window |
| `RateLimit` | `"auth";r=9;t=60, "plex-pin";r=4;t=300` | Remaining calls of each policy, and the seconds until one more is allowed |

The last two come from draft-ietf-httpapi-ratelimit-headers. A rejected call gets 429 `RATE_LIMITED` with
`Retry-After` (whole seconds, at least 1) and `details` with `policy`, `limit`, `window` and `retryAfter`. API Gateway's own 429
has `Retry-After` only, and no `details`.

The first rejection of a caller in a window is written to the audit log (`limit.exceeded`) and to the log (`rate_limit_exceeded`);
with a cache further ones cost no SQL. The metric `RateLimited` counts all of them, by `policy`.

## When the cache is down

The metric `RateLimitFallback` counts these calls. After the first timeouts, the functions do not call the cache for five seconds at a time.

| Policies | Fallback |
|---|---|
| {sign_in} | counted in the database, exactly but from zero, so that guesses stay limited |
| {general} | counted in the memory of each environment, so that the API stays available: the limit applies per environment |

A service without a cache (`REDIS_URL=none`) counts the calls of users in the database, exactly, and those of strangers as in the table. The
metric stays silent.

## Changing a limit

The limit and the window of each policy are settings, which an admin changes while the service runs: [settings.md](settings.md)
has their keys and bounds. A change takes effect everywhere within {seconds:.0f} seconds. The throttles of API Gateway are in
`template.yaml` and change with a deployment.
"""


def rate_limits_page() -> str:
    """Return the rate-limit reference."""
    template = read_template(PROJECT / "template.yaml", opt=PROJECT / ".venv" / "opt")
    return _PAGE.format(
        routes="\n".join(_rows(template)),
        api=POLICIES["api"],
        sign_in=_listed("database"),
        general=_listed("memory"),
        seconds=CACHE_SECONDS,
    )


def _rows(template: Template) -> Iterator[str]:
    for served in served_routes(template):
        gateway = _shown(served.throttle, template.stage_throttle)
        name = f"`{served.method} {served.path}`"
        for policy, counted_by in served.policies:
            bounds = f"{POLICIES[policy].limit} | {POLICIES[policy].window}"
            yield f"| {name} | `{policy}` | {bounds} | {counted_by} | {gateway} |"
        if not served.policies:
            yield f"| {name} | none | | | | {gateway} |"


def _shown(throttle: tuple[int, int] | None, stage: Throttle | None) -> str:
    if throttle is not None:
        return f"{throttle[0]}, {throttle[1]}"
    return "none" if stage is None else f"{stage.rate:g}, {stage.burst}"


def _listed(kind: str) -> str:
    return ", ".join(f"`{policy.name}`" for policy in POLICIES.values() if policy.fallback == kind)
