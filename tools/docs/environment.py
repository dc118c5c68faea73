"""Generate docs/environment.md and .env.example from settings, functions and template."""

import ast
import typing
from typing import Literal

from pydantic.fields import FieldInfo

from local.run_config import DEFAULT_PORT, ON_AWS, PROJECT, SECRETS
from medianest.catalog import response_cache, tmdb
from medianest.core import breaker, cache, db, http, secrets
from medianest.core.environment import bounds, unit
from medianest.core.variables import Environment

_REQUIRING = {"create_app", "require"}
# Variables that only `make run` reads: name, default, meaning.
_LOCAL = (
    ("PORT", str(DEFAULT_PORT), "Port of the local service; only `make run` reads it"),
    (
        "LOG_FORMAT",
        "text",
        (
            "Format in which `make run` prints the logs of the functions (`text`: one line per"
            " warning and error; `json`: all lines, metrics included); only `make run` reads it"
        ),
    ),
)
# Substitutes that `make run` uses if a setting is absent.
_IN_PLACE = {
    "DATABASE_URL": "an embedded PostgreSQL",
    "REDIS_URL": "an embedded Valkey",
    "JWT_SECRET": "a key that is generated once and kept in `.local/`",
    "ENCRYPTION_KEY": "a key that is generated once and kept in `.local/`",
    "PLEX_CLIENT_ID": "a stand-in for plex.tv",
    "TMDB_API_KEY": "a stand-in for TMDB",
    "PUBLIC_URL": "`http://127.0.0.1:PORT`, unless `NODE_ENV` is `production`; `localhost` works too",
    "ALLOW_PRIVATE_SERVERS": "`true`, unless `NODE_ENV` is `production`",
    "COOKIE_SECURE": "`false`, unless `NODE_ENV` is `production`",
}
_PAGE = """\
# Environment

Generated from `medianest/core/variables.py` by `make docs`; do not edit.

On AWS, `template.yaml` sets these variables for the functions; `make run` reads them from the
environment, then from `.env` (`.env.example` lists them). An empty value counts as absent. If
values are missing or invalid, the start fails with one message that lists all of them.

| Name | Default | Required by | Meaning |
|---|---|---|---|
{rows}
## Secrets

These variables are secrets and are never logged: {names}.
Locally the variable holds the secret itself. On AWS it holds the ARN of a secret in Secrets Manager
or of a parameter in Parameter Store, which must contain the value as text:

- A function reads it on first use: through the AWS Parameters and Secrets Lambda extension if
  `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` is set (timeout {extension:g} s), otherwise, or if that
  fails, from AWS through Powertools. The value is validated like one that is set directly.
- The function refreshes it after {max_age:g} s, so a rotated secret is in use everywhere by then.
  When PostgreSQL rejects the password, the function refreshes it at once and retries.
- While a refresh fails, the last value stays in use for up to {max_stale:g} s; the metric
  `SecretUnreadable` counts these uses.

Instead of an address, the secret can contain a login in the format of RDS, `{{"username": …,
"password": …, "host": …, "port": …, "dbname": …}}`. It is converted to
`postgresql://…?sslmode=verify-full`, or for the cache to `rediss://…`; a login of the cache has no
`dbname`, and `username` is optional. `port` is optional, and so is `host` if `DATABASE_HOST` or
`REDIS_HOST` is set.

## In production

With `NODE_ENV` `production`, the template's default, addresses without TLS are rejected, in
variables and in secrets: `DATABASE_URL` needs `sslmode=verify-full`, `REDIS_URL` must be
`rediss://`, the addresses of plex.tv and TMDB `https://`. The embedded engines and stand-ins of
`make run` have no TLS, so in this mode it needs your own addresses.

With `verify-full` PostgreSQL's certificate must match the host in the address and come from a
trusted authority: for hosts of `amazonaws.com` one in `medianest/core/amazon_authorities.pem`,
whose head lists them; for any other host a public one in the package certifi; or, for either, one
in the file of the address's `sslrootcert`.

## On your machine

| Absent variable | `make run` uses |
|---|---|
{in_place}
Like AWS, the local runtime sets only the variables that `template.yaml` names; it names all of the
above. `make run` ignores {on_aws}.

## Constants

| Meaning | Constant | Value |
|---|---|---|
{numbers}"""
_NUMBERS = (
    ("Idle time after which the database connection is replaced", db, "MAX_IDLE_SECONDS", "s"),
    ("`Retry-After` when the database is down", db, "RETRY_AFTER_SECONDS", "s"),
    ("Timeout of the first response on a reused database connection", db, "PROBE_SECONDS", "s"),
    ("Idle time after which that timeout applies to a read", db, "RECENT_SECONDS", "s"),
    ("Duration of a database failure after which calls fail at once", db, "SLOW_SECONDS", "s"),
    ("Time for which they fail at once", db, "PAUSE_SECONDS", "s"),
    ("Time without calls to the cache after a failure", cache, "PAUSE_SECONDS", "s"),
    ("Idle time after which the cache connection is replaced", cache, "MAX_IDLE_SECONDS", "s"),
    ("Timeout for connecting to plex.tv or TMDB", http, "CONNECT_SECONDS", "s"),
    ("Largest response of plex.tv or TMDB", http, "MAX_BYTES", "bytes"),
    ("Consecutive failures that open the circuit breaker", breaker, "FAILURES", "calls"),
    ("Time that the circuit breaker stays open", breaker, "OPEN_SECONDS", "s"),
    ("Longest `Retry-After` that the breaker follows", breaker, "MAX_PAUSE_SECONDS", "s"),
    ("Cache lifetime of an id that TMDB does not have", tmdb, "MISSING_CACHE_SECONDS", "s"),
    ("Least time between two checks before a rejection", response_cache, "RECHECK_SECONDS", "s"),
    ("Age after which a secret is refreshed", secrets, "MAX_AGE_SECONDS", "s"),
    ("Longest use of a secret whose refresh fails", secrets, "MAX_STALE_SECONDS", "s"),
    ("Pause between attempts to refresh it", secrets, "STALE_PAUSE_SECONDS", "s"),
)


def environment_page() -> str:
    """Return the page with every environment variable and constant."""
    rows = "".join(_row(name, f"`{default}`", "", about) for name, default, about in _LOCAL)
    for name, field in _fields().items():
        required = ", ".join(sorted(required_by().get(name, set())))
        rows += _row(name, _default(field), required, _meaning(name, field))
    return _PAGE.format(
        rows=rows,
        names=_listed([name for name in _fields() if name in SECRETS]),
        extension=secrets.EXTENSION_SECONDS,
        max_age=secrets.MAX_AGE_SECONDS,
        max_stale=secrets.MAX_STALE_SECONDS,
        in_place="".join(f"| `{name}` | {what} |\n" for name, what in _IN_PLACE.items()),
        on_aws=_listed([name for name in _fields() if name in ON_AWS]),
        numbers="".join(
            f"| {what} | `{module.__name__}.{name}` | {int(getattr(module, name))} {unit} |\n"
            for what, module, name, unit in _NUMBERS
        ),
    )


def env_example() -> str:
    """Return an `.env` for `make run` with every variable commented out."""
    text = (
        "# Settings of `make run`: copy this file to .env and uncomment the variables to set.\n"
        "# docs/environment.md describes them in detail. Generated by `make docs`; do not edit.\n"
    )
    for name, default, about in _LOCAL:
        text += f"\n# {about.replace('`', '')}\n#{name}={default}\n"
    for name, field in _fields().items():
        if name in ON_AWS:
            continue
        meaning = _meaning(name, field)
        if name in _IN_PLACE:
            meaning += f"; absent: {_IN_PLACE[name]}"
        default = "" if field.default is None else field.default
        text += f"\n# {meaning.replace('`', '')}\n#{name}={default}\n"
    return text


def _fields() -> dict[str, FieldInfo]:
    return {name.upper(): field for name, field in Environment.model_fields.items()}


def _row(name: str, default: str, required: str, meaning: str) -> str:
    return f"| `{name}` | {default} | {required} | {meaning} |\n"


def _default(field: FieldInfo) -> str:
    return "" if field.default is None else f"`{field.default}`"


def _meaning(name: str, field: FieldInfo) -> str:
    """Return a setting's description, with its allowed values."""
    allowed = ""
    if typing.get_origin(field.annotation) is Literal:
        values = [f"`{value}`" for value in typing.get_args(field.annotation)]
        allowed = f" ({', '.join(values)})"
    elif limits := bounds(field):
        allowed = f" ({limits[0]:.9g} to {limits[1]:.9g} {unit(name)})"
    return f"{field.description}{allowed}"


def required_by() -> dict[str, set[str]]:
    """Return the functions that require each setting, by the setting's name."""
    functions: dict[str, set[str]] = {}
    for path in sorted((PROJECT / "functions").glob("*/app.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _REQUIRING
            ):
                for argument in node.args:
                    name = ast.literal_eval(argument)
                    functions.setdefault(name, set()).add(path.parent.name)
    return functions


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
