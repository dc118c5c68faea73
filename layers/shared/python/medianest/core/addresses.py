"""URLs of servers, and the JSON logins that AWS Secrets Manager stores instead of URLs."""

import json
import re
from typing import Annotated
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

SECRET_ARN_PREFIX = "arn:"
# The only mode of PostgreSQL that verifies the server's certificate and its host name.
TLS_MODE = "verify-full"
HOST = r"^[A-Za-z0-9._-]+$"
# A URL without its query, in which the password escapes @ and /. A parser would take the part of
# the password after such a character for the host name, which error messages show.
URL_BEFORE_QUERY = re.compile(r"\w+://([^@/]*@)?[^@]*")


def matches(pattern: str, expected: str) -> AfterValidator:
    """Accept text that matches completely; `expected` describes the pattern in error messages."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {expected}")
        return value

    return AfterValidator(check)


type Host = Annotated[str, matches(HOST, "a host name or an IPv4 address, without a port")]


class Login(BaseModel):
    """A login in JSON, as AWS Secrets Manager stores it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    username: str = Field(min_length=1)
    password: str = Field(min_length=1)
    host: str = Field(pattern=HOST)
    port: int = Field(ge=1, le=65535)

    @property
    def authority(self) -> str:
        """Return `user:password@host:port` (RFC 3986, section 3.2), escaped."""
        user, password = _escaped(self.username), _escaped(self.password)
        return f"{user}:{password}@{self.host}:{self.port}"


class DatabaseLogin(Login):
    """A PostgreSQL login, with the field names of RDS."""

    port: int = Field(default=5432, ge=1, le=65535)
    dbname: str = ""

    @property
    def url(self) -> str:
        """Return the connection URL."""
        return f"postgresql://{self.authority}/{_escaped(self.dbname)}?sslmode={TLS_MODE}"


class CacheLogin(Login):
    """A login to Valkey or Redis; the user name is optional."""

    username: str = ""
    port: int = Field(default=6379, ge=1, le=65535)

    @property
    def url(self) -> str:
        """Return the connection URL."""
        return f"rediss://{self.authority}/0"


def _escaped(text: str) -> str:
    return quote(text, safe="")


def url_of_login(
    value: SecretStr, login_type: type[DatabaseLogin | CacheLogin], host: str | None
) -> SecretStr:
    """Return a URL unchanged, or build it from a login in JSON; raises ValueError.

    `host` is the default for a login without a host.
    """
    text = value.get_secret_value()
    if not text.startswith("{"):
        return value
    try:
        login = login_type.model_validate({"host": host, **json.loads(text)})
    except ValidationError as error:
        invalid = sorted({str(item["loc"][0]) for item in error.errors()})
        raise ValueError(f"is a login with a missing or invalid {', '.join(invalid)}") from None
    except ValueError:
        raise ValueError("starts with { but is not valid JSON") from None
    return SecretStr(login.url)


def split_url(url: str) -> SplitResult | None:
    """Split a URL into its parts; return None when it has no host or is malformed."""
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname) and parts.port != 0  # reading the port validates it
    except ValueError:
        return None
    return parts if is_valid else None


def check_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    """Return the value if it is a URL with one of `schemes` or an ARN; raises ValueError."""
    prefixes = (SECRET_ARN_PREFIX, *(f"{scheme}://" for scheme in schemes))
    if not value.get_secret_value().startswith(prefixes):
        raise ValueError(f"must start with {schemes[0]}://, or on AWS be the ARN of a secret")
    return value
