"""Settings of a local run: the environment, then .env, then what was made up on the first run."""

import json
import os
import secrets
import typing
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import SecretStr

from medianest.core import config
from medianest.core.config import SECRET_ARN_PREFIX, ConfigurationError, load

PROJECT = Path(__file__).resolve().parent.parent

DEFAULT_PORT = 3001
SECRETS = frozenset(
    name.upper()
    for name, field in config.Settings.model_fields.items()
    if SecretStr in typing.get_args(field.annotation)
)
_LAST_PORT = 65535


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
    timeouts: Mapping[str, str]
    has_real_plex: bool
    has_real_tmdb: bool


def read_settings(
    *,
    data: Path | None = None,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path = PROJECT / ".env",
) -> Settings:
    """Read and check the settings; a ConfigurationError names everything that is wrong at once.

    `port` and `data` go before the environment; port 0 takes any free one.
    """
    folder = (data or PROJECT / ".local").resolve()
    own = os.environ if environment is None else environment
    problems = _unreadable_lines(env_file)
    found = {**dotenv_values(env_file), **own}
    given = {name: value for name, value in found.items() if value}
    try:
        known = load(given)
    except ConfigurationError as error:
        problems += error.problems
    has_real_plex = "PLEX_CLIENT_ID" in given or "PLEX_API_URL" in given
    has_real_tmdb = "TMDB_API_KEY" in given or "TMDB_API_URL" in given
    problems += [
        f"{name} is an ARN, which only AWS can read: give the value itself"
        for name in sorted(SECRETS)
        if given.get(name, "").startswith(SECRET_ARN_PREFIX)
    ]
    if given.get("NODE_ENV") == "production":
        absent = {
            "DATABASE_URL": "DATABASE_URL" not in given,
            "REDIS_URL": "REDIS_URL" not in given,
            "PLEX_CLIENT_ID": not has_real_plex,
            "TMDB_API_KEY": not has_real_tmdb,
        }
        if names := ", ".join(name for name, is_absent in absent.items() if is_absent):
            problems.append(
                f"NODE_ENV=production needs {names}: what stands in for them here has no TLS"
            )
    number = _port(given.get("PORT"), problems) if port is None else port
    if problems:
        raise ConfigurationError(*problems)

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
        cors_origin=known.cors_origin,
        node_env=known.node_env,
        log_level=known.log_level,
        timeouts={
            name: value for name, value in given.items() if name.endswith("_TIMEOUT_SECONDS")
        },
        has_real_plex=has_real_plex,
        has_real_tmdb=has_real_tmdb,
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
            raise ConfigurationError(
                f"{path} is not JSON; remove it to have it made anew"
            ) from error
    values = {
        "JWT_SECRET": secrets.token_urlsafe(48),
        "PLEX_CLIENT_ID": str(uuid.uuid4()),
        **kept,
    }
    if values != kept:
        write_private(path, values)
    return values


def _unreadable_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8") as file:
            found = list(parse_stream(file))
    except UnicodeDecodeError:
        return [f"{path.name} is not UTF-8"]
    return [
        f"{path.name}, line {each.original.line}: expected NAME=value"
        for each in found
        if each.error or (each.key is not None and each.value is None)
    ]


def _port(value: str | None, problems: list[str]) -> int:
    if value is None:
        return DEFAULT_PORT
    if value.isdecimal() and int(value) <= _LAST_PORT:
        return int(value)
    problems.append(f"PORT must be a number from 0 to {_LAST_PORT}, not {value!r}")
    return DEFAULT_PORT
