"""Settings of a local run: the environment, then .env, then what was made up on the first run."""

import json
import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent

_DEFAULT_PORT = 3001
_LAST_PORT = 65535
_SHORTEST_SECRET = 32
_NODE_ENVS = ("development", "production")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SCHEMES = {
    "DATABASE_URL": ("postgresql", "postgres"),
    "REDIS_URL": ("redis", "rediss"),
    "PLEX_API_URL": ("http", "https"),
    "PLEX_AUTH_URL": ("http", "https"),
    "TMDB_API_URL": ("http", "https"),
}


class ConfigError(Exception):
    """Everything that is wrong with the settings, one line each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a local run goes by; None where the run itself starts a server of its own."""

    data: Path
    port: int
    database_url: str | None
    redis_url: str | None
    plex_api_url: str | None
    plex_auth_url: str | None
    plex_client_id: str
    plex_server_id: str
    tmdb_api_url: str | None
    tmdb_api_key: str
    jwt_secret: str
    cors_origin: str
    node_env: str
    log_level: str
    has_real_plex: bool
    has_real_tmdb: bool


def read_settings(
    *,
    data: Path | None = None,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path = PROJECT / ".env",
) -> Settings:
    """Read and check the settings; a ConfigError names everything that is wrong at once.

    `port` and `data` go before the environment; port 0 takes any free one.
    """
    folder = (data or PROJECT / ".local").resolve()
    problems: list[str] = []
    given = {**_read_env_file(env_file, problems), **(environment or dict(os.environ))}
    given = {name: value for name, value in given.items() if value}
    number = _port(given.get("PORT"), problems) if port is None else port
    for name in _SCHEMES:
        _check_url(name, given.get(name), problems)
    node_env = _one_of("NODE_ENV", given.get("NODE_ENV", "development"), _NODE_ENVS, problems)
    log_level = given.get("LOG_LEVEL", "INFO").upper()
    _one_of("LOG_LEVEL", log_level, _LOG_LEVELS, problems)
    if len(given.get("JWT_SECRET", "-" * _SHORTEST_SECRET).encode()) < _SHORTEST_SECRET:
        problems.append(f"JWT_SECRET must be at least {_SHORTEST_SECRET} bytes long")
    if problems:
        raise ConfigError("\n".join(problems))

    made_up = _made_up(folder)
    return Settings(
        data=folder,
        port=number,
        database_url=given.get("DATABASE_URL"),
        redis_url=given.get("REDIS_URL"),
        plex_api_url=given.get("PLEX_API_URL"),
        plex_auth_url=given.get("PLEX_AUTH_URL"),
        plex_client_id=given.get("PLEX_CLIENT_ID", made_up["PLEX_CLIENT_ID"]),
        plex_server_id=given.get("PLEX_SERVER_ID", ""),
        tmdb_api_url=given.get("TMDB_API_URL"),
        tmdb_api_key=given.get("TMDB_API_KEY", "stand-in"),
        jwt_secret=given.get("JWT_SECRET", made_up["JWT_SECRET"]),
        cors_origin=given.get("CORS_ORIGIN", "*"),
        node_env=node_env,
        log_level=log_level,
        has_real_plex="PLEX_CLIENT_ID" in given or "PLEX_API_URL" in given,
        has_real_tmdb="TMDB_API_KEY" in given or "TMDB_API_URL" in given,
    )


def write_private(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON that only this user can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    new.replace(path)


def _made_up(folder: Path) -> dict[str, str]:
    path = folder / "settings.json"
    kept: dict[str, str] = {}
    if path.exists():
        try:
            kept = json.loads(path.read_text())
        except ValueError as error:
            raise ConfigError(f"{path} is not JSON; remove it to have it made anew") from error
    values = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "PLEX_CLIENT_ID": str(uuid.uuid4()),
        **kept,
    }
    if values != kept:
        write_private(path, values)
    return values


def _read_env_file(path: Path, problems: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            problems.append(f"{path.name}, line {number}: expected NAME=value")
            continue
        values[name.strip()] = _unquote(value.strip())
    return values


def _unquote(value: str) -> str:
    quote = value[:1]
    if quote and quote in "'\"" and quote in value[1:]:
        return value[1 : value.index(quote, 1)]
    return value.split(" #", 1)[0].rstrip()


def _port(value: str | None, problems: list[str]) -> int:
    if value is None:
        return _DEFAULT_PORT
    if value.isdecimal() and int(value) <= _LAST_PORT:
        return int(value)
    problems.append(f"PORT must be a number from 0 to {_LAST_PORT}, not {value!r}")
    return _DEFAULT_PORT


def _check_url(name: str, value: str | None, problems: list[str]) -> None:
    if value is None:
        return
    try:
        url = urlsplit(value)
        is_right = url.scheme in _SCHEMES[name] and (url.hostname or url.query)
    except ValueError:
        is_right = False
    if not is_right:  # the value may hold a password: it is not repeated
        problems.append(f"{name} must start with {_SCHEMES[name][0]}:// and name a host")


def _one_of(name: str, value: str, allowed: tuple[str, ...], problems: list[str]) -> str:
    if value not in allowed:
        problems.append(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value
