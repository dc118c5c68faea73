"""docs/rate-limits.md: what template.yaml throttles, and what each route holds its callers to."""

from collections.abc import Iterator

from local.run_config import PROJECT
from local.template import Template, Throttle, read_template
from medianest.rate_limits.policies import POLICIES
from medianest.system_config.service import CACHE_SECONDS
from tools.docs.routes import served_routes

_PAGE = """\
# Rate limits

Made from `template.yaml` and the routes by `make docs`; do not edit.

There are two layers. API Gateway throttles a method for all callers together, so that a flood wakes no function and takes
nothing from other methods. The functions hold each caller to its limit, exactly: in any window of that length, wherever it
starts and however many functions answer, no more calls than the limit are let through.

| Route | Policy | Calls | in seconds | Counted by | Gateway: calls a second, burst |
|---|---|---|---|---|---|
{routes}

- **User** is the signed-in user, at whatever address. A call without a valid session is counted by **address** under `api`
  ({api.limit} in {api.window} seconds), on every route, before it gets its 401: guessing tokens is held off, while the users at
  that address go on.
- **Address** is what API Gateway saw, never a header; of IPv6 the first 64 bits. What somebody typed is kept as a digest.
- A route with several policies lets a call through when all do, and charges it to all or to none. Refused calls are not
  charged, so going on does not prolong the wait.
- A limit never ends what it limits: a poll of `/api/auth/plex/verify` that is too fast gets 429, and its `pinId` lives until it
  expires, is used, or its account is refused (RFC 8628, `slow_down`). A client that polls once a second meets no limit.
- `login` counts failures only, and only of calls whose body is valid. A network that has signed in to the account before has a
  limit of its own, which strangers elsewhere cannot use up. An account that does not exist has the same limits.
- A malformed call (`VALIDATION_ERROR` of a field, `UNSUPPORTED_MEDIA_TYPE`) counts against `api` and not against the few calls of
  `password`, `search` and `media-request`.
- HEAD counts as the GET of its route does, and API Gateway throttles it alike.
- Preflights are not limited, and what is larger than 64 KiB is refused before anything is counted.

## What a caller is told

Every answer of a limited route has, whatever its status:

| Header | Example | Meaning |
|---|---|---|
| `X-RateLimit-Limit` | `100` | Calls in a window, of the policy that leaves the fewest |
| `X-RateLimit-Remaining` | `57` | Calls that are left of it |
| `X-RateLimit-Reset` | `1767225600` | When the next place gets free, that is when the oldest call leaves the window, in Unix seconds |
| `RateLimit-Policy` | `"auth";q=10;w=60, "plex-pin";q=5;w=300` | All policies of the call: quota and window |
| `RateLimit` | `"auth";r=9;t=60, "plex-pin";r=4;t=300` | What is left of each, and the seconds until the next place gets free |

The last two are those of draft-ietf-httpapi-ratelimit-headers. A call that is refused gets 429 `RATE_LIMITED` with
`Retry-After` (whole seconds, at least 1) and `details` of `policy`, `limit`, `window` and `retryAfter`. API Gateway's own 429
has `Retry-After` only, and no `details`.

The first refusal of a caller in a window is written to the audit log (`limit.exceeded`) and to the log (`limit exceeded`);
further ones cost no SQL. The metric `RateLimited` counts all of them, by `policy`.

## When the cache is down

`RateLimitFallback` is counted, and after the first time-outs the cache is left alone for five seconds at a time.

| Policies | Then |
|---|---|
| {sign_in} | count in the database, exactly but from zero: what could be guessed stays guarded |
| {general} | count in each function's environment by itself, so that the API goes on: the limit holds for each environment |

## Changing a limit

The limit and the window of each policy are settings, which an admin changes while the service runs: [settings.md](settings.md)
has their keys and bounds. A change holds everywhere within {seconds:.0f} seconds. The throttles of API Gateway are in
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
        throttle = template.method_throttles.get(
            (served.path, served.method), template.stage_throttle
        )
        gateway = "none" if throttle is None else _shown(throttle)
        name = f"`{served.method} {served.path}`"
        for policy, counted_by in served.policies:
            bounds = f"{POLICIES[policy].limit} | {POLICIES[policy].window}"
            yield f"| {name} | `{policy}` | {bounds} | {counted_by} | {gateway} |"
        if not served.policies:
            yield f"| {name} | none | | | | {gateway} |"


def _shown(throttle: Throttle) -> str:
    return f"{throttle.rate:g}, {throttle.burst}"


def _listed(kind: str) -> str:
    return ", ".join(f"`{policy.name}`" for policy in POLICIES.values() if policy.fallback == kind)
