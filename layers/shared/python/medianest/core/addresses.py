"""Addresses of servers: URLs, and the logins in JSON that AWS keeps in place of them."""

import json
import re
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

SECRET_ARN_PREFIX = "arn:"
# Of PostgreSQL's modes the only one that finds out who answers.
TLS_MODE = "verify-full"
HOST = r"^[A-Za-z0-9._-]+$"
# An address as far as its query: a password with a bare @ or / would become part of the host's
# name, which error messages tell.
URL_BEFORE_QUERY = re.compile(r"\w+://([^@/]*@)?[^@]*")


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


def _escaped(text: str) -> str:
    return quote(text, safe="")


def url_of_login(
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


def split_url(address: str) -> SplitResult | None:
    """Take an address apart; None where it has no host or is malformed."""
    try:
        found = urlsplit(address)
        is_good = bool(found.hostname) and found.port != 0  # a malformed port is noticed here
    except ValueError:
        return None
    return found if is_good else None


def check_scheme(value: SecretStr, *schemes: str) -> SecretStr:
    """Return an address whose scheme is allowed, or the ARN of a secret; raises ValueError."""
    starts = (SECRET_ARN_PREFIX, *(f"{scheme}://" for scheme in schemes))
    if not value.get_secret_value().startswith(starts):
        raise ValueError(f"must start with {schemes[0]}://, or on AWS be the ARN of a secret")
    return value
