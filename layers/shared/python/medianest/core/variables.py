"""The environment variables: name, type, default, description and validation of each."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from medianest.core.addresses import (
    SECRET_ARN_PREFIX,
    TLS_MODE,
    URL_BEFORE_QUERY,
    CacheLogin,
    DatabaseLogin,
    Host,
    check_scheme,
    matches,
    split_url,
    url_of_login,
)
from medianest.core.origins import canonical, origin_of, proofs, same_page
from medianest.core.signing_keys import check_header_value, encryption_keys, jwt_keys

NO_CACHE = "none"  # the REDIS_URL of a service without a cache
SECRET_SERVICES = frozenset({"secretsmanager", "ssm"})
# The check of the value of a secret; it raises ValueError.
_STRENGTH: Mapping[str, Callable[[str], object]] = {
    "jwt_secret": jwt_keys,
    "encryption_key": encryption_keys,
    "origin_verify_secret": proofs,
    "tmdb_api_key": check_header_value,
}


class Environment(BaseModel):
    """The validated environment variables. A secret is a value, or on AWS the ARN of one.

    The `require` call of a function lists the variables that it needs; all others are optional.
    docs/environment.md and .env.example are generated from the descriptions.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    # First, because the validators of the other fields read it.
    node_env: Literal["development", "production"] = Field(
        default="development", description="In `production`, URLs without TLS are rejected"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Minimum level of the log lines"
    )
    cors_origin: str = Field(
        default="*",
        description="Origins of web clients that may read responses, separated by commas; `*`"
        " allows any origin, but without credentials",
    )
    public_url: str | None = Field(
        default=None,
        description="Origin at which browsers load the page, such as `https://media.example.org`:"
        " calls with the session cookie from other origins are refused. Absent: the `Host` of a"
        " call",
    )
    origin_verify_secret: SecretStr | None = Field(
        default=None,
        description="Proof that a call comes from the CloudFront distribution, at least 32"
        " characters, which it sends in `X-Origin-Verify`; calls without it are refused. While it"
        ' rotates `{"send": VALUE, "accept": [VALUE]}`',
    )
    cookie_secure: Literal["true", "false"] = Field(
        default="true",
        description="With `false`, the session cookie is `medianest_session` without `Secure`, for"
        " plain HTTP: Safari rejects others on localhost. Production requires `true`",
    )
    # Before the URLs, whose validators read them. RDS creates the secret before the host is known,
    # so the host is a separate variable.
    database_host: Host | None = Field(
        default=None,
        description="Host of PostgreSQL, for a `DATABASE_URL` that is a JSON login without a host",
    )
    redis_host: Host | None = Field(
        default=None,
        description="Host of the cache, for a `REDIS_URL` that is a JSON login without a host",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="URL of PostgreSQL 14 or later, `postgresql://…`; production requires"
        " `sslmode=verify-full`",
    )
    app_database_url: SecretStr | None = Field(
        default=None,
        description="Only for the migrations: the `DATABASE_URL` of all other functions. The"
        " migrations create its user, which can change rows but not tables. Without it, all"
        " functions share one user",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="URL of Valkey or Redis, `redis://…` or `rediss://…`; production requires"
        " `rediss://`. `none` runs the service without a cache",
    )
    jwt_secret: SecretStr | None = Field(
        default=None,
        description="Key that signs sessions, at least 32 random bytes; during a key rotation"
        ' `{"sign": KEY, "verify": [KEY, …]}`',
    )
    encryption_key: SecretStr | None = Field(
        default=None,
        description="Key that encrypts the API keys of servers in the database, at least 32 random"
        ' bytes; during a key rotation `{"current": KEY, "keys": [KEY, …]}`',
    )
    allow_private_servers: Literal["true", "false"] = Field(
        default="false",
        description="`true` allows private addresses and plain HTTP for servers; not in production",
    )
    # It is sent as a header, which allows visible ASCII only.
    plex_client_id: (
        Annotated[
            str,
            matches(r"[!-~]{1,200}", "1 to 200 visible ASCII characters, such as a UUID"),
        ]
        | None
    ) = Field(
        default=None,
        description="Stable identifier of this installation at plex.tv, such as a UUID",
    )
    plex_server_id: (
        Annotated[
            str,
            matches(
                r"[A-Za-z0-9_-]{1,200}",
                "the machine identifier of your Plex server (letters, digits, - and _), which"
                " http://SERVER:32400/identity shows as machineIdentifier",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Machine identifier of your Plex server: only accounts with access to it can"
        " sign in, and its owner is an admin. Without it, any Plex account can sign in",
    )
    plex_api_url: str = Field(default="https://plex.tv", description="URL of the Plex API")
    plex_auth_url: str = Field(
        default="https://app.plex.tv/auth", description="URL of Plex's hosted sign-in page"
    )
    tmdb_api_key: SecretStr | None = Field(
        default=None, description="API key (v3) or API read access token (v4) of TMDB"
    )
    tmdb_api_url: str = Field(
        default="https://api.themoviedb.org/3", description="URL of the TMDB API"
    )
    tmdb_language: Annotated[
        str, matches(r"[a-z]{2}(-[A-Z]{2})?", "a language such as de or de-DE")
    ] = Field(
        default="en-US",
        description="Language of titles, overviews and genres, such as `de-DE`. Without a"
        " translation, details are in English and search results have the original title",
    )
    tmdb_search_cache_seconds: int = Field(
        default=900, ge=1, le=86_400, description="Time that a cached search result is fresh"
    )
    tmdb_list_cache_seconds: int = Field(
        default=3600,
        ge=1,
        le=86_400,
        description="Time that a cached list, such as the trending titles, is fresh",
    )
    tmdb_details_cache_seconds: int = Field(
        default=21_600,
        ge=1,
        le=604_800,
        description="Time that cached details of a title are fresh",
    )
    tmdb_stale_seconds: int = Field(
        default=604_800,
        ge=0,
        le=2_592_000,
        description="Extra time that stale results stay in the cache, for use while TMDB is down",
    )
    tmdb_cache_mb: int = Field(
        default=32,
        ge=1,
        le=10_240,
        description="Maximum size of the cached responses of TMDB; the oldest are evicted first",
    )
    bell_queue_url: str | None = Field(
        default=None,
        description="URL of the SQS queue whose messages start the worker at once. Without it, jobs"
        " wait for the next sweep",
    )
    database_pauses: Literal["true", "false"] = Field(
        default="false",
        description="The database pauses while idle: callers get `DATABASE_WAKING_UP` meanwhile",
    )
    # libpq accepts whole seconds, at least two.
    database_connect_timeout_seconds: int = Field(
        default=3, ge=2, le=60, description="Timeout for connecting to PostgreSQL"
    )
    database_answer_timeout_seconds: float = Field(
        default=5,
        ge=4,
        le=30,
        description="Timeout for one response of PostgreSQL; the server cancels a statement after"
        " 3 seconds, so this applies only when the server hangs",
    )
    cache_connect_timeout_seconds: float = Field(
        default=0.25, ge=0.05, le=2, description="Timeout for connecting to the cache"
    )
    cache_timeout_seconds: float = Field(
        default=0.1,
        ge=0.05,
        le=2,
        description="Timeout for one response of the cache; a distant cache needs more",
    )
    upstream_timeout_seconds: float = Field(
        default=4,
        ge=1,
        le=10,
        description="Timeout for one call to plex.tv or TMDB, including its retry; the calls that"
        " finish a sign-in share 1.5 times this, at most 10 seconds",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: str) -> str:
        return value.upper()

    @field_validator("cookie_secure")
    @classmethod
    def _check_cookie(cls, value: str, info: ValidationInfo) -> str:
        if _in_production(info) and value != "true":
            raise ValueError("must use TLS in production: true")
        return value

    @field_validator("public_url")
    @classmethod
    def _check_origin(cls, value: str, info: ValidationInfo) -> str:
        origin = origin_of(value)
        if _in_production(info) and not origin.startswith("https://"):
            raise ValueError("must use TLS in production: https://")
        return origin

    @field_validator("database_url", "app_database_url", "redis_url", *_STRENGTH)
    @classmethod
    def _check_arn(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text.startswith(SECRET_ARN_PREFIX) and SECRET_SERVICES.isdisjoint(text.split(":")[2:3]):
            raise ValueError("must be the ARN of a secret or of a parameter in Parameter Store")
        return value

    @field_validator("database_url", "app_database_url")
    @classmethod
    def _check_postgresql_url(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        value = url_of_login(value, DatabaseLogin, info.data.get("database_host"))
        value = check_scheme(value, "postgresql", "postgres")
        # Split by hand: error messages of urlsplit contain the password.
        address, _, query = value.get_secret_value().partition("?")
        if address.startswith(SECRET_ARN_PREFIX):
            return value
        if not URL_BEFORE_QUERY.fullmatch(address):
            raise ValueError("must escape @ and / in its password as %40 and %2F")
        if _in_production(info) and set(parse_qs(query).get("sslmode", [])) != {TLS_MODE}:
            raise ValueError(f"must use TLS in production: sslmode={TLS_MODE}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value() == NO_CACHE:
            return value
        value = url_of_login(value, CacheLogin, info.data.get("redis_host"))
        text = value.get_secret_value()
        if _in_production(info) and text.startswith("redis://"):
            raise ValueError("must use TLS in production: rediss://")
        if _in_production(info) and "ssl_" in text.partition("?")[2]:
            raise ValueError("must not have ssl_ options in production, which can weaken TLS")
        value = check_scheme(value, "redis", "rediss")
        if not text.startswith(SECRET_ARN_PREFIX) and split_url(text) is None:
            raise ValueError(
                "must be a URL such as redis://HOST:6379/0; escape # / : @ in its password as"
                " %23 %2F %3A %40"
            )
        return value

    @field_validator(*_STRENGTH)
    @classmethod
    def _check_strength(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value.get_secret_value().startswith(SECRET_ARN_PREFIX):
            _STRENGTH[str(info.field_name)](value.get_secret_value())
        return value

    @field_validator("allow_private_servers")
    @classmethod
    def _check_private_servers(cls, value: str, info: ValidationInfo) -> str:
        secrets = [each for each in info.data.values() if isinstance(each, SecretStr)]
        is_on_aws = any(each.get_secret_value().startswith(SECRET_ARN_PREFIX) for each in secrets)
        if value == "true" and (is_on_aws or _in_production(info)):
            raise ValueError("must be false in production and on AWS")
        return value

    @field_validator("plex_api_url", "plex_auth_url", "tmdb_api_url", "bell_queue_url")
    @classmethod
    def _check_http_url(cls, value: str, info: ValidationInfo) -> str:
        parts = split_url(value)
        if parts is None or parts.scheme not in {"http", "https"}:
            raise ValueError("must be a URL that starts with https:// or http://")
        if "@" in parts.netloc:  # the log names the host of a call
            raise ValueError("must be a URL without a user name and a password")
        if _in_production(info) and parts.scheme != "https":
            raise ValueError("must use TLS in production: https://")
        return value.rstrip("/")

    @field_validator("cors_origin")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in value.split(","):
            parts = split_url(origin.strip())
            if value != "*" and (
                parts is None
                or origin.strip() != f"{parts.scheme}://{parts.netloc}"
                or "@" in parts.netloc
            ):
                raise ValueError(
                    "must be * or comma-separated origins such as https://media.example.org,"
                    " without a path"
                )
        return value

    @property
    def has_secure_cookie(self) -> bool:
        """Return whether browsers keep the session cookie to HTTPS."""
        return self.cookie_secure == "true"

    @property
    def page_origins(self) -> frozenset[str]:
        """Return the origins of the page; empty without PUBLIC_URL."""
        return frozenset() if self.public_url is None else same_page(self.public_url)

    @property
    def cors_origins(self) -> frozenset[str]:
        """Return the origins that may read responses; empty when any origin may."""
        if self.cors_origin == "*":
            return frozenset()
        return frozenset(canonical(each.strip()) for each in self.cors_origin.split(","))


def _in_production(info: ValidationInfo) -> bool:
    return info.data.get("node_env") == "production"
