"""Settings from the environment: read once, validated together; all errors are reported at once."""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, get_args, get_origin
from urllib.parse import parse_qs

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from medianest.core.addresses import (
    HOST,
    SECRET_ARN_PREFIX,
    TLS_MODE,
    URL_BEFORE_QUERY,
    CacheLogin,
    DatabaseLogin,
    check_scheme,
    split_url,
    url_of_login,
)
from medianest.core.signing_keys import jwt_keys

SECRET_SERVICES = frozenset({"secretsmanager", "ssm"})
# Of a bad value no more than this is repeated.
_SHOWN_CHARS = 60


class ConfigurationError(Exception):
    """The environment is not fit to run in; the message names every problem at once."""

    def __init__(self, *problems: str) -> None:
        super().__init__("Bad configuration: " + "; ".join(problems))
        self.problems = problems


def _matching(pattern: str, wanted: str) -> AfterValidator:
    """Accept text that matches as a whole; the error is what is wanted, in words."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {wanted}")
        return value

    return AfterValidator(check)


type _Host = Annotated[str, _matching(HOST, "a host name or an IPv4 address alone")]


class Environment(BaseModel):
    """What the environment says. A secret is its value, or on AWS the ARN it is kept under.

    Which settings a function needs is said by its `require` call; the others may be absent. The
    descriptions are what docs/environment.md and .env.example say.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    # First, so that the checks of the others know it.
    node_env: Literal["development", "production"] = Field(
        default="development", description="In `production` no address without TLS is taken"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe log lines that are written"
    )
    cors_origin: str = Field(
        default="*",
        description="Origins of web clients that may read answers, with commas between them;"
        " `*` is any, never with credentials",
    )
    # These too are before the addresses. They are no secrets, and what makes one on AWS knows them
    # only when it has the secret.
    database_host: _Host | None = Field(
        default=None,
        description="Where PostgreSQL is, for a `DATABASE_URL` that is a login without a host",
    )
    redis_host: _Host | None = Field(
        default=None,
        description="Where the cache is, for a `REDIS_URL` that is a login without a host",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="`postgresql://…`, PostgreSQL 14 or later; in production with"
        " `sslmode=verify-full`",
    )
    app_database_url: SecretStr | None = Field(
        default=None,
        description="For the migrations alone: the `DATABASE_URL` of all other functions, whose"
        " user they make, and let change rows but no table; absent, all share one user",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="`redis://…` or `rediss://…`, Valkey or Redis; in production only `rediss://`",
    )
    jwt_secret: SecretStr | None = Field(
        default=None,
        description="Signs sessions: at least 32 random bytes,"
        ' or while keys are rotated `{"sign": KEY, "verify": [KEY, …]}`',
    )
    # It becomes a header: nothing but visible ASCII may.
    plex_client_id: (
        Annotated[
            str,
            _matching(r"[!-~]{1,200}", "1 to 200 visible ASCII characters, such as a UUID"),
        ]
        | None
    ) = Field(
        default=None,
        description="A stable identifier of this installation at plex.tv, such as a UUID",
    )
    plex_server_id: (
        Annotated[
            str,
            _matching(
                r"[A-Za-z0-9_-]{1,200}",
                "the machine identifier of your Plex server (letters, digits, - and _), which its"
                " page http://SERVER:32400/identity shows as machineIdentifier",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Machine identifier of your Plex server: only accounts that can reach it get"
        " in, and its owner is admin; without it any Plex account gets in",
    )
    plex_api_url: str = Field(default="https://plex.tv", description="Where the Plex API is")
    plex_auth_url: str = Field(
        default="https://app.plex.tv/auth", description="Plex's hosted sign-in page"
    )
    tmdb_api_key: SecretStr | None = Field(
        default=None, description="A key (v3) or read token (v4) of TMDB"
    )
    tmdb_api_url: str = Field(
        default="https://api.themoviedb.org/3", description="Where the TMDB API is"
    )
    tmdb_language: Annotated[
        str, _matching(r"[a-z]{2}(-[A-Z]{2})?", "a language such as de or de-DE")
    ] = Field(
        default="en-US",
        description="The language of titles, overviews and genres, such as `de-DE`; details that"
        " TMDB has not in it come in English, in a search the title is then the original one",
    )
    tmdb_search_cache_seconds: int = Field(
        default=900, ge=1, le=86_400, description="How long an answer to a search is fresh"
    )
    tmdb_details_cache_seconds: int = Field(
        default=21_600,
        ge=1,
        le=604_800,
        description="How long the details of a title are fresh",
    )
    tmdb_stale_seconds: int = Field(
        default=604_800,
        ge=0,
        le=2_592_000,
        description="How much longer the cache keeps either, for when TMDB is down",
    )
    tmdb_cache_mb: int = Field(
        default=32,
        ge=1,
        le=10_240,
        description="How much of the cache the answers of TMDB may take up (MB); the oldest make"
        " room",
    )
    # libpq takes whole seconds, and no fewer than two.
    database_connect_timeout_seconds: int = Field(
        default=3, ge=2, le=20, description="How long connecting to PostgreSQL may take"
    )
    database_answer_timeout_seconds: float = Field(
        default=5,
        ge=4,
        le=30,
        description="How long one answer of PostgreSQL may take; the server itself ends a statement"
        " after 3 seconds, so this only acts when it hangs",
    )
    cache_connect_timeout_seconds: float = Field(
        default=0.25, ge=0.05, le=2, description="How long connecting to the cache may take"
    )
    cache_timeout_seconds: float = Field(
        default=0.1,
        ge=0.05,
        le=2,
        description="How long one answer of the cache may take; one far away needs more",
    )
    upstream_timeout_seconds: float = Field(
        default=4,
        ge=1,
        le=10,
        description="How long one call of plex.tv or TMDB may take, its second try included; the"
        " calls that finish a sign-in take half as much again together, and at most 10",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: str) -> str:
        return value.upper()

    @field_validator("database_url", "app_database_url", "redis_url", "jwt_secret", "tmdb_api_key")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text.startswith(SECRET_ARN_PREFIX) and SECRET_SERVICES.isdisjoint(text.split(":")[2:3]):
            raise ValueError("must be the ARN of a secret or of a parameter of Parameter Store")
        return value

    @field_validator("database_url", "app_database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        value = url_of_login(value, DatabaseLogin, info.data.get("database_host"))
        value = check_scheme(value, "postgresql", "postgres")
        # Taken apart by hand: what urlsplit says of an address that it dislikes has the password.
        address, _, query = value.get_secret_value().partition("?")
        if address.startswith(SECRET_ARN_PREFIX):
            return value
        if not URL_BEFORE_QUERY.fullmatch(address):
            raise ValueError("must have the characters @ and / of its password as %40 and %2F")
        if _in_production(info) and set(parse_qs(query).get("sslmode", [])) != {TLS_MODE}:
            raise ValueError(f"must ask for TLS in production: sslmode={TLS_MODE}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        value = url_of_login(value, CacheLogin, info.data.get("redis_host"))
        if _in_production(info) and value.get_secret_value().startswith("redis://"):
            raise ValueError("must ask for TLS in production: rediss://")
        if _in_production(info) and "ssl_" in value.get_secret_value().partition("?")[2]:
            raise ValueError("must not weaken TLS in production")
        value = check_scheme(value, "redis", "rediss")
        text = value.get_secret_value()
        if not text.startswith(SECRET_ARN_PREFIX) and split_url(text) is None:
            raise ValueError(
                "must be an address such as redis://HOST:6379/0; the characters # / : @ of its"
                " password are written %23 %2F %3A %40"
            )
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(SECRET_ARN_PREFIX):
            jwt_keys(value.get_secret_value())
        return value

    @field_validator("plex_api_url", "plex_auth_url", "tmdb_api_url")
    @classmethod
    def _http(cls, value: str, info: ValidationInfo) -> str:
        parts = split_url(value)
        if parts is None or parts.scheme not in {"http", "https"}:
            raise ValueError("must be an address that starts with https:// or http://")
        if _in_production(info) and parts.scheme != "https":
            raise ValueError("must ask for TLS in production: https://")
        return value.rstrip("/")

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in value.split(","):
            parts = split_url(origin.strip())
            if value != "*" and (
                parts is None
                or origin.strip() != f"{parts.scheme}://{parts.netloc}"
                or "@" in parts.netloc
            ):
                raise ValueError(
                    "must be * or origins such as https://media.example.org, with commas between"
                    " them and nothing after the host or port"
                )
        return value

    @property
    def cors_origins(self) -> frozenset[str]:
        """Return the origins that may read answers; empty when any may."""
        if self.cors_origin == "*":
            return frozenset()
        return frozenset(origin.strip() for origin in self.cors_origin.split(","))


def _in_production(info: ValidationInfo) -> bool:
    return info.data.get("node_env") == "production"


def load(environ: Mapping[str, str], *required: str) -> Environment:
    """Read settings; raises ConfigurationError naming every missing or bad one."""
    given = {
        name: environ[name.upper()]
        for name in Environment.model_fields
        if environ.get(name.upper())
    }
    problems = [f"{name} is required" for name in required if name.lower() not in given]
    found = None
    try:
        found = Environment.model_validate(given)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = str(item["loc"][0])
            # The words of our own checks are for people, those of pydantic are not.
            is_ours = item["type"] == "value_error"
            wanted = item["msg"].removeprefix("Value error, ") if is_ours else _wanted(name)
            problems.append(f"{name.upper()} {wanted}{_shown(name, given[name])}")
    if found is None or problems:
        raise ConfigurationError(*sorted(problems))
    return found


def is_secret(field: FieldInfo) -> bool:
    """Tell whether nothing may show the value of a setting."""
    return SecretStr in get_args(field.annotation)


def bounds(field: FieldInfo) -> tuple[float, float] | None:
    """Return the least and the greatest value of a setting that is a number."""
    found = {type(item).__name__: item for item in field.metadata}
    return (found["Ge"].ge, found["Le"].le) if "Ge" in found else None


def _wanted(name: str) -> str:
    """Say which values a setting may have, from its type."""
    field = Environment.model_fields[name]
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"must be {', '.join(others)} or {last}"
    least, greatest = bounds(field) or (0, 0)
    kind = "whole number" if field.annotation is int else "number"
    return f"must be a {kind} of seconds from {least:.9g} to {greatest:.9g}"


def _shown(name: str, value: str) -> str:
    """Repeat a bad value, unless it is a secret or an address that may have one."""
    if is_secret(Environment.model_fields[name]) or "@" in value:
        return ""
    cut = value if len(value) <= _SHOWN_CHARS else f"{value[:_SHOWN_CHARS]}…"
    return f", not {json.dumps(cut, ensure_ascii=False)}"


@cache
def environment() -> Environment:
    """Return this process's settings, read once from its environment."""
    return load(os.environ)


def require(*names: str) -> None:
    """Stop the start of a function whose environment lacks one of `names` or holds a bad value."""
    load(os.environ, *names)
