"""Settings from the environment: read once, checked as a whole, told as a whole."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

SECRET_ARN_PREFIX = "arn:"  # noqa: S105
MIN_JWT_SECRET_BYTES = 32
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


class Settings(BaseModel):
    """What the environment says. A secret is its value, or on AWS the ARN it is kept under.

    Which settings a function needs is said by its `require` call; the others may be absent.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    node_env: Literal["development", "production"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    cors_origin: str = "*"
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    jwt_secret: SecretStr | None = None
    # It becomes a header: nothing but visible ASCII may.
    plex_client_id: str | None = Field(default=None, max_length=200, pattern=r"^[!-~]+$")
    plex_server_id: str | None = Field(default=None, max_length=200)
    plex_api_url: str = "https://plex.tv"
    plex_auth_url: str = "https://app.plex.tv/auth"
    tmdb_api_key: SecretStr | None = None
    tmdb_api_url: str = "https://api.themoviedb.org/3"

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: str) -> str:
        return value.upper()

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        return _secret_with_scheme(value, "postgresql", "postgres")

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        return _secret_with_scheme(value, "redis", "rediss")

    @field_validator("jwt_secret")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(SECRET_ARN_PREFIX):
            check_jwt_secret(value.get_secret_value())
        return value

    @field_validator("plex_api_url", "plex_auth_url", "tmdb_api_url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http(s) address")
        return value.rstrip("/")

    @field_validator("cors_origin")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in value.split(","):
            parts = urlsplit(origin.strip())
            if value != "*" and (
                not parts.netloc
                or origin.strip() != f"{parts.scheme}://{parts.netloc}"
                or "@" in parts.netloc
            ):
                raise ValueError("must be * or origins such as https://media.example.org")
        return value

    @property
    def cors_origins(self) -> frozenset[str]:
        """Return the origins that may read answers; empty when any may."""
        if self.cors_origin == "*":
            return frozenset()
        return frozenset(origin.strip() for origin in self.cors_origin.split(","))


def check_jwt_secret(value: str) -> None:
    """Refuse a signing key that could be guessed (RFC 7518, 3.2: 256 bits); raises ValueError."""
    if len(value.encode()) < MIN_JWT_SECRET_BYTES:
        raise ValueError(f"must be at least {MIN_JWT_SECRET_BYTES} bytes")
    letters = "".join(character for character in value.lower() if character.isalpha())
    repeated = any(
        value == (value[:length] * len(value))[: len(value)]
        for length in range(1, len(value) // 2 + 1)
    )
    if repeated or len(set(value)) < 8 or letters.startswith(KNOWN_JWT_SECRETS):  # noqa: PLR2004
        raise ValueError("is a well-known or repetitive value; generate a random one")


def _secret_with_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    starts = (SECRET_ARN_PREFIX, *(f"{scheme}://" for scheme in schemes))
    if not value.get_secret_value().startswith(starts):
        raise ValueError(f"must start with {schemes[0]}:// or be the ARN of a secret")
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
        problems += [
            f"{str(item['loc'][0]).upper()} {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        ]
    if settings is None or problems:
        raise ConfigurationError(*sorted(problems))
    return settings


@cache
def settings() -> Settings:
    """Return this process's settings, read once from its environment."""
    return load(os.environ)


def require(*names: str) -> None:
    """Stop the start of a function whose environment lacks one of `names` or holds a bad value."""
    load(os.environ, *names)
