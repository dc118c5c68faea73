"""What docs/environment.md and .env.example say, from the settings, the functions, the template."""

import ast
import typing
from typing import Literal

from pydantic.fields import FieldInfo

from local.run_config import DEFAULT_PORT, ON_AWS, PROJECT, SECRETS
from medianest.catalog import tmdb
from medianest.core import breaker, cache, db, http, secrets
from medianest.core.environment import bounds, unit
from medianest.core.variables import Environment

_REQUIRING = {"create_app", "require"}
# What `make run` reads and no function does: name, default, meaning.
_LOCAL = (
    ("PORT", str(DEFAULT_PORT), "Where the local service answers; it alone reads this"),
    (
        "LOG_FORMAT",
        "text",
        (
            "How the local service shows the logs of the functions (`text`: warnings and errors, a"
            " line for each; `json`: all that they write, metrics too); it alone reads this"
        ),
    ),
)
# What `make run` does where a setting is absent.
_IN_PLACE = {
    "DATABASE_URL": "an embedded PostgreSQL",
    "REDIS_URL": "an embedded Valkey",
    "JWT_SECRET": "made up once and kept in `.local/`",
    "PLEX_CLIENT_ID": "a stand-in for plex.tv",
    "TMDB_API_KEY": "a stand-in for TMDB",
}
_PAGE = """\
# Environment

Made from `medianest/core/variables.py` by `make docs`; do not edit.

On AWS `template.yaml` gives the functions their settings; `make run` reads them from the
environment, then from `.env` (`.env.example` lists them). An empty value is an absent one. A
missing or bad value stops the start with one message that names all of them.

| Name | Default | Required by | Meaning |
|---|---|---|---|
{rows}
## Secrets

These are secrets, which nothing logs: {names}.
On this machine a secret is its value. On AWS it is the ARN of a secret in Secrets Manager or of a
parameter in Parameter Store, which must hold the value as text:

- It is read with the first use: through the AWS Parameters and Secrets Lambda extension where
  `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` says that it is there ({extension:g} s at most), else, or
  when that fails, from AWS itself through Powertools. What is read must be as good as a value given
  directly.
- It is read again after {max_age:g} s, so a rotated secret is in use everywhere by then. When
  PostgreSQL refuses the password, it is read again at once, and the connection tried once more.
- While it cannot be read again, the last value serves for up to {max_stale:g} s; the metric
  `SecretUnreadable` counts it.

In place of an address its value may be a login as RDS keeps it, `{{"username": …, "password": …,
"host": …, "port": …, "dbname": …}}`, which stands for `postgresql://…?sslmode=verify-full`, or for
`rediss://…` where it is the cache's; that has no `dbname`, and need not have a `username`. `port`
may be absent, and so may `host`, when `DATABASE_HOST` or `REDIS_HOST` has it.

## In production

With `NODE_ENV` `production`, which is the template's default, an address without TLS is refused,
wherever it comes from: `DATABASE_URL` needs `sslmode=verify-full`, `REDIS_URL` must be `rediss://`,
the addresses of plex.tv and TMDB `https://`. What `make run` starts by itself has no TLS, so there
it takes addresses of your own.

With `verify-full` PostgreSQL's certificate must be for the host in the address, and of an authority
that is trusted: for hosts of `amazonaws.com` those in `medianest/core/amazon_authorities.pem`,
which says what it has; for any other host the public ones, as the package certifi lists them; or,
for either, those in the file that the address names by `sslrootcert`.

## On this machine

| Absent | `make run` takes |
|---|---|
{in_place}
The local runtime, like AWS, gives a function the variables that `template.yaml` names, and no
other; it names each of the above. `make run` has no use for {on_aws}.

## Fixed numbers

| What | Where | Value |
|---|---|---|
{numbers}"""
_NUMBERS = (
    ("Idle time after which the database connection is replaced", db, "MAX_IDLE_SECONDS", "s"),
    ("`Retry-After` when the database is down", db, "RETRY_AFTER_SECONDS", "s"),
    ("Longest wait for a sign of life on a connection that was there", db, "PROBE_SECONDS", "s"),
    ("A failure of the database that takes this long makes a pause", db, "SLOW_SECONDS", "s"),
    ("How long that pause is", db, "PAUSE_SECONDS", "s"),
    ("Pause after a failure of the cache", cache, "PAUSE_SECONDS", "s"),
    ("Idle time after which the cache's connection is replaced", cache, "MAX_IDLE_SECONDS", "s"),
    ("Connecting to plex.tv or TMDB", http, "CONNECT_SECONDS", "s"),
    ("Largest answer of plex.tv or TMDB", http, "MAX_BYTES", "bytes"),
    ("Failures in a row after which plex.tv or TMDB is left alone", breaker, "FAILURES", "calls"),
    ("How long it is left alone then", breaker, "OPEN_SECONDS", "s"),
    ("How long at most when it says itself when to come back", breaker, "MAX_PAUSE_SECONDS", "s"),
    ("Cache of a number that TMDB has no title of", tmdb, "MISSING_CACHE_SECONDS", "s"),
    ("Least time between two looks before a refusal", tmdb, "RECHECK_SECONDS", "s"),
    ("Age after which a secret is read again", secrets, "MAX_AGE_SECONDS", "s"),
    ("Longest use of a secret that cannot be read again", secrets, "MAX_STALE_SECONDS", "s"),
    ("Pause between tries to read it again", secrets, "STALE_PAUSE_SECONDS", "s"),
)


def environment_page() -> str:
    """Return the reference of the settings."""
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
    """Return the .env of a `make run` in which nothing is set."""
    text = (
        "# Settings of `make run`: copy this file to .env and remove the # of what you set.\n"
        "# docs/environment.md says more. Made by `make docs`; do not edit.\n"
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
    return "none" if field.default is None else f"`{field.default}`"


def _meaning(name: str, field: FieldInfo) -> str:
    """Return a setting's description, with the values it may have."""
    allowed = ""
    if typing.get_origin(field.annotation) is Literal:
        values = [f"`{value}`" for value in typing.get_args(field.annotation)]
        allowed = f" ({', '.join(values)})"
    elif found := bounds(field):
        allowed = f" ({found[0]:.9g} to {found[1]:.9g} {unit(name)})"
    return f"{field.description}{allowed}"


def required_by() -> dict[str, set[str]]:
    """Return which functions cannot start without a setting."""
    found: dict[str, set[str]] = {}
    for path in sorted((PROJECT / "functions").glob("*/app.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _REQUIRING
            ):
                for argument in node.args:
                    found.setdefault(ast.literal_eval(argument), set()).add(path.parent.name)
    return found


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
