"""Read the settings of a local run: the environment, then .env, then generated values."""

import json
import os
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from local.env_file import read_env_file
from medianest.core.addresses import SECRET_ARN_PREFIX
from medianest.core.environment import ConfigurationError, is_secret, load
from medianest.core.variables import Environment

PROJECT = Path(__file__).resolve().parent.parent

DEFAULT_DATA = PROJECT / ".local"
DEFAULT_PORT = 3001
SETTINGS_FILE = "settings.json"
SECRETS = frozenset(
    name.upper() for name, field in Environment.model_fields.items() if is_secret(field)
)
# Only the template sets these: the functions' database login, hosts for logins without one, the
# address of the queue, and the proof of a distribution.
ON_AWS = frozenset(
    {
        "APP_DATABASE_URL",
        "BELL_QUEUE_URL",
        "DATABASE_HOST",
        "ORIGIN_VERIFY_SECRET",
        "REDIS_HOST",
    }
)
_NAMES = [name.upper() for name in Environment.model_fields if name.upper() not in ON_AWS]
_LAST_PORT = 65535
_TEXTS = TypeAdapter(dict[str, str])

type LogFormat = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The settings of a local run.

    `variables` go to the functions; for each address that is missing, the run starts a local
    server. `validated` has their typed values. `origins` says where each one was set.
    """

    data: Path
    port: int
    log_format: LogFormat
    variables: Mapping[str, str]
    validated: Environment
    origins: Mapping[str, str]
    has_real_plex: bool
    has_real_tmdb: bool


def read_run_config(
    *,
    data: Path | None = None,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path = PROJECT / ".env",
) -> RunConfig:
    """Read and validate the settings; a ConfigurationError lists all problems.

    `port` and `data` override the environment; port 0 picks a free one.
    """
    folder = (data or DEFAULT_DATA).resolve()
    exported = os.environ if environment is None else environment
    file = read_env_file(env_file)
    configured = {name: value for name, value in {**file.values, **exported}.items() if value}
    origins = {
        name: "the environment" if name in exported else f"{env_file.name} line {file.lines[name]}"
        for name in configured
    }
    variables = {name: configured[name] for name in _NAMES if name in configured}
    validated, problems = _check(variables)
    problems += _missing_in_production(configured)
    log_format = _log_format(configured.get("LOG_FORMAT", "text"), problems)
    number = _port(configured.get("PORT", str(DEFAULT_PORT)), problems) if port is None else port
    if problems or file.problems:
        placed = [f"{origins[problem.split()[0]]}: {problem}" for problem in problems]
        raise ConfigurationError(*sorted([*file.problems, *placed], key=_line))

    return RunConfig(
        data=folder,
        port=number,
        log_format=log_format,
        variables={
            "TMDB_API_KEY": "stand-in",
            **({} if validated.node_env == "production" else _plain_http(number)),
            # The stand-ins for Radarr and Sonarr have private addresses.
            "ALLOW_PRIVATE_SERVERS": str(validated.node_env != "production").lower(),
            **_generated(folder),
            **variables,
            # Development by default, unlike the template.
            "NODE_ENV": validated.node_env,
            "LOG_LEVEL": validated.log_level,
        },
        validated=validated,
        origins=origins,
        has_real_plex=_has_real_plex(configured),
        has_real_tmdb=_has_real_tmdb(configured),
    )


def _plain_http(port: int) -> dict[str, str]:
    """Return the variables of a page at http://127.0.0.1; the functions allow its other names."""
    # Safari rejects cookies with Secure over plain HTTP, on localhost too.
    values = {"COOKIE_SECURE": "false"}
    return values | ({"PUBLIC_URL": f"http://127.0.0.1:{port}"} if port else {})


def write_private(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file atomically; only this user can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    new.replace(path)


def _generated(folder: Path) -> dict[str, str]:
    path = folder / SETTINGS_FILE
    stored: dict[str, str] = {}
    if path.exists():
        try:
            stored = _TEXTS.validate_json(path.read_bytes())
        except ValidationError:
            raise ConfigurationError(
                f"{path} is damaged: remove it, and the next start creates it"
            ) from None
    values = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": secrets.token_urlsafe(48),
        "PLEX_CLIENT_ID": str(uuid.uuid4()),
        **stored,
    }
    if values != stored:
        write_private(path, values)
    return values


def _check(variables: Mapping[str, str]) -> tuple[Environment, list[str]]:
    """Return the variables as the functions read them, and the problems with them."""
    arns = [
        name
        for name in sorted(SECRETS & variables.keys())
        if variables[name].startswith(SECRET_ARN_PREFIX)
    ]
    problems = [f"{name} is an ARN, which works on AWS only: set the value itself" for name in arns]
    try:
        return load(variables), problems
    except ConfigurationError as error:
        return Environment(), [
            *problems,
            *(each for each in error.problems if each.split()[0] not in arns),
        ]


def _missing_in_production(configured: Mapping[str, str]) -> list[str]:
    if configured.get("NODE_ENV") != "production":
        return []
    is_configured = {
        "DATABASE_URL": "DATABASE_URL" in configured,
        "REDIS_URL": "REDIS_URL" in configured,
        "PLEX_CLIENT_ID": _has_real_plex(configured),
        "TMDB_API_KEY": _has_real_tmdb(configured),
    }
    names = ", ".join(name for name, is_set in is_configured.items() if not is_set)
    if not names:
        return []
    return [f"NODE_ENV is production, which requires {names}: the local substitutes have no TLS"]


def _has_real_plex(configured: Mapping[str, str]) -> bool:
    return "PLEX_CLIENT_ID" in configured or "PLEX_API_URL" in configured


def _has_real_tmdb(configured: Mapping[str, str]) -> bool:
    return "TMDB_API_KEY" in configured or "TMDB_API_URL" in configured


def _line(problem: str) -> int:
    match = re.match(r"\S+ line (\d+):", problem)
    return int(match[1]) if match else 0


def _log_format(value: str, problems: list[str]) -> LogFormat:
    if value == "json":
        return "json"
    if value != "text":
        problems.append(f"LOG_FORMAT must be text or json, not {_quoted(value)}")
    return "text"


def _port(value: str, problems: list[str]) -> int:
    try:
        return port_number(value)
    except ValueError as error:
        problems.append(f"PORT {error}")
        return DEFAULT_PORT


def port_number(value: str) -> int:
    """Parse a port, 0 for a free one; raises ValueError with the allowed range."""
    if not (value.isascii() and value.isdecimal() and int(value[:9]) <= _LAST_PORT):
        raise ValueError(f"must be a number from 0 to {_LAST_PORT}, not {_quoted(value)}")
    return int(value)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
