"""Settings from the environment: read once, validated together; all errors are reported at once."""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, get_args, get_origin
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

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

SECRET_ARN_PREFIX = "arn:"  # noqa: S105
SECRET_SERVICES = frozenset({"secretsmanager", "ssm"})
# Of PostgreSQL's modes the only one that finds out who answers.
TLS_MODE = "verify-full"
HOST = r"^[A-Za-z0-9._-]+$"
MIN_JWT_SECRET_BYTES = 32
MAX_JWT_KEYS = 3
# Of a bad value no more than this is repeated.
_SHOWN_CHARS = 60
# An address as far as its query: a password with a bare @ or / would become part of the host's
# name, which error messages tell.
_ADDRESS = re.compile(r"\w+://([^@/]*@)?[^@]*")
# Placeholders of tutorials and samples, padded or not: whoever ships one has no secret.
KNOWN_JWT_SECRETS = (
    "secret",
    "changeme",
    "yoursecret",
    "yoursupersecret",
    "password",
)


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


class Login(BaseModel):
    """A login as AWS keeps it in Secrets Manager: JSON in place of an address."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    username: str = Field(min_length=1)
    password: str = Field(min_length=1)
    host: str = Field(pattern=HOST)
    port: int = Field(ge=1, le=65535)

    @property
    def place(self) -> str:
        """Return the part of an address that says who and where."""
        user, password = _escaped(self.username), _escaped(self.password)
        return f"{user}:{password}@{self.host}:{self.port}"


class DatabaseLogin(Login):
    """A login to PostgreSQL, with the names that RDS uses."""

    port: int = Field(default=5432, ge=1, le=65535)
    dbname: str = ""

    @property
    def address(self) -> str:
        """Return the address that it stands for."""
        return f"postgresql://{self.place}/{_escaped(self.dbname)}?sslmode={TLS_MODE}"


class CacheLogin(Login):
    """A login to Valkey or Redis, which may know users by their password alone."""

    username: str = ""
    port: int = Field(default=6379, ge=1, le=65535)

    @property
    def address(self) -> str:
        """Return the address that it stands for."""
        return f"rediss://{self.place}/0"


class Settings(BaseModel):
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
        value = _address(value, DatabaseLogin, info.data.get("database_host"))
        value = _secret_with_scheme(value, "postgresql", "postgres")
        # Taken apart by hand: what urlsplit says of an address that it dislikes has the password.
        address, _, query = value.get_secret_value().partition("?")
        if address.startswith(SECRET_ARN_PREFIX):
            return value
        if not _ADDRESS.fullmatch(address):
            raise ValueError("must have the characters @ and / of its password as %40 and %2F")
        if _in_production(info) and set(parse_qs(query).get("sslmode", [])) != {TLS_MODE}:
            raise ValueError(f"must ask for TLS in production: sslmode={TLS_MODE}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        value = _address(value, CacheLogin, info.data.get("redis_host"))
        if _in_production(info) and value.get_secret_value().startswith("redis://"):
            raise ValueError("must ask for TLS in production: rediss://")
        if _in_production(info) and "ssl_" in value.get_secret_value().partition("?")[2]:
            raise ValueError("must not weaken TLS in production")
        value = _secret_with_scheme(value, "redis", "rediss")
        text = value.get_secret_value()
        if not text.startswith(SECRET_ARN_PREFIX) and _parts(text) is None:
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
        parts = _parts(value)
        if parts is None or parts.scheme not in {"http", "https"}:
            raise ValueError("must be an address that starts with https:// or http://")
        if _in_production(info) and parts.scheme != "https":
            raise ValueError("must ask for TLS in production: https://")
        return value.rstrip("/")

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in value.split(","):
            parts = _parts(origin.strip())
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


def jwt_keys(secret: str) -> tuple[str, ...]:
    """Return the keys in a JWT_SECRET, the signing one first; raises ValueError.

    It is one key, or while keys are rotated `{"sign": KEY, "verify": [KEY, …]}`.
    """
    keys = [secret]
    if secret.startswith("{"):
        try:
            parts = json.loads(secret)
            keys = [parts["sign"], *parts.get("verify", [])]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError('must be a key or {"sign": KEY, "verify": [KEY, …]}') from error
    if len(keys) > MAX_JWT_KEYS or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"must hold at most {MAX_JWT_KEYS} keys")
    for key in keys:
        check_jwt_secret(key)
    return tuple(keys)


def check_jwt_secret(value: str) -> None:
    """Refuse a signing key that could be guessed (RFC 7518, 3.2: 256 bits); raises ValueError."""
    if len(value.encode()) < MIN_JWT_SECRET_BYTES:
        raise ValueError(
            f"must be at least {MIN_JWT_SECRET_BYTES} bytes; `openssl rand -base64 48` makes one"
        )
    letters = "".join(character for character in value.lower() if character.isalpha())
    repeated = any(
        value == (value[:length] * len(value))[: len(value)]
        for length in range(1, len(value) // 2 + 1)
    )
    if repeated or len(set(value)) < 8 or letters.startswith(KNOWN_JWT_SECRETS):  # noqa: PLR2004
        raise ValueError(
            "is a well-known or repetitive value; `openssl rand -base64 48` makes a random one"
        )


def _escaped(text: str) -> str:
    return quote(text, safe="")


def _address(
    value: SecretStr, kind: type[DatabaseLogin | CacheLogin], host: str | None
) -> SecretStr:
    """Return an address as it is, and the one that a login in JSON stands for."""
    text = value.get_secret_value()
    if not text.startswith("{"):
        return value
    try:
        login = kind.model_validate({"host": host, **json.loads(text)})
    except ValidationError as error:
        bad = sorted({str(item["loc"][0]) for item in error.errors()})
        raise ValueError(f"is a login without a good {', '.join(bad)}") from None
    except ValueError:
        raise ValueError("is not JSON, though it begins like it") from None
    return SecretStr(login.address)


def _in_production(info: ValidationInfo) -> bool:
    return info.data.get("node_env") == "production"


def _parts(address: str) -> SplitResult | None:
    """Take an address apart; None where it has no host or is malformed."""
    try:
        parts = urlsplit(address)
        is_good = bool(parts.hostname) and parts.port != 0  # a malformed port is noticed here
    except ValueError:
        return None
    return parts if is_good else None


def _secret_with_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    starts = (SECRET_ARN_PREFIX, *(f"{scheme}://" for scheme in schemes))
    if not value.get_secret_value().startswith(starts):
        raise ValueError(f"must start with {schemes[0]}://, or on AWS be the ARN of a secret")
    return value


def load(environ: Mapping[str, str], *required: str) -> Settings:
    """Read settings; raises ConfigurationError naming every missing or bad one."""
    given = {
        name: environ[name.upper()] for name in Settings.model_fields if environ.get(name.upper())
    }
    problems = [f"{name} is required" for name in required if name.lower() not in given]
    settings = None
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = str(item["loc"][0])
            # The words of our own checks are for people, those of pydantic are not.
            is_ours = item["type"] == "value_error"
            wanted = item["msg"].removeprefix("Value error, ") if is_ours else _wanted(name)
            problems.append(f"{name.upper()} {wanted}{_shown(name, given[name])}")
    if settings is None or problems:
        raise ConfigurationError(*sorted(problems))
    return settings


def is_secret(field: FieldInfo) -> bool:
    """Tell whether nothing may show the value of a setting."""
    return SecretStr in get_args(field.annotation)


def bounds(field: FieldInfo) -> tuple[float, float] | None:
    """Return the least and the greatest value of a setting that is a number."""
    found = {type(item).__name__: item for item in field.metadata}
    return (found["Ge"].ge, found["Le"].le) if "Ge" in found else None


def _wanted(name: str) -> str:
    """Say which values a setting may have, from its type."""
    field = Settings.model_fields[name]
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"must be {', '.join(others)} or {last}"
    least, greatest = bounds(field) or (0, 0)
    kind = "whole number" if field.annotation is int else "number"
    return f"must be a {kind} of seconds from {least:.9g} to {greatest:.9g}"


def _shown(name: str, value: str) -> str:
    """Repeat a bad value, unless it is a secret or an address that may have one."""
    if is_secret(Settings.model_fields[name]) or "@" in value:
        return ""
    cut = value if len(value) <= _SHOWN_CHARS else f"{value[:_SHOWN_CHARS]}…"
    return f", not {json.dumps(cut, ensure_ascii=False)}"


@cache
def settings() -> Settings:
    """Return this process's settings, read once from its environment."""
    return load(os.environ)


def require(*names: str) -> None:
    """Stop the start of a function whose environment lacks one of `names` or holds a bad value."""
    load(os.environ, *names)
