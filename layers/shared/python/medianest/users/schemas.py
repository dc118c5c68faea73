"""Users on the wire."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
)

from medianest.core.envelope import (
    TYPED,
    PageQuery,
    RequestModel,
    ResponseModel,
    Timestamp,
    documented,
)
from medianest.core.text import clean, fold, has_controls
from medianest.users.models import OwnQuotas, Role, Status

# Under it are the addresses of Plex users who have none; nobody else may look like one of them.
RESERVED_DOMAIN = "plex.invalid"


# In bytes of UTF-8 too (RFC 5321, 4.5.3.1.3, and RFC 6531): an address is part of a token.
MAX_EMAIL = 254


def _address(address: str) -> str:
    folded = fold(address)
    name, _, domain = folded.rpartition("@")
    if " " in address or clean(address) != address:
        raise ValueError("Must have no spaces and no invisible characters")
    if folded.count("@") != 1 or not name or not domain:
        raise ValueError("Must have one @, between a name and a domain")
    if len(address.encode()) > MAX_EMAIL:
        raise ValueError(f"Must have at most {MAX_EMAIL} bytes in UTF-8")
    if f".{domain.rstrip('.')}".endswith(f".{RESERVED_DOMAIN}"):
        raise ValueError("This domain is reserved")
    return address


def _clean_name(value: object) -> object:
    if not isinstance(value, str):
        return value
    if has_controls(value):
        raise ValueError("Must have no control characters")
    return clean(value)


def _name(name: str) -> str:
    # Who signs in types an address or a name: the @ tells which.
    if "@" in fold(name):
        raise ValueError("Must have no @")
    return name


type Email = Annotated[
    str,
    TYPED,
    Field(max_length=MAX_EMAIL),
    AfterValidator(_address),
    documented(pattern=r"^[^@\s]+@[^@\s]+$"),
]
type Username = Annotated[
    str,
    BeforeValidator(_clean_name),
    Field(min_length=1, max_length=64),
    AfterValidator(_name),
    documented(pattern=r"^[^@]*[^@\s][^@]*$"),
]


# A number at Plex, and a string on the wire: so the reference has it, and no client rounds it.
type PlexId = Annotated[str, BeforeValidator(str)]


class UserOut(ResponseModel):
    """A user as others and the user may see it. No secret is ever a field here."""

    id: UUID
    email: str
    username: str
    role: Role
    plex_id: PlexId | None = None
    created_at: Timestamp
    updated_at: Timestamp


class AdminUserOut(UserOut):
    """A user as admins see one; `quota` is what holds in place of the quotas of the role."""

    status: Status
    quota: dict[str, dict[str, int | None]] | None = None

    @field_validator("quota", mode="before")
    @classmethod
    def _to_json(cls, value: object) -> object:
        # A dictionary, because a response leaves out the null fields of models, and a limit of null
        # is none.
        return value.to_json() if isinstance(value, OwnQuotas) else value


# PostgreSQL keeps no NUL, so none can be found.
type SearchText = Annotated[
    str,
    TYPED,
    Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
    documented(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"),
]
type UserSort = Literal["createdAt", "-createdAt", "username", "-username", "email", "-email"]


class QuotaIn(RequestModel):
    """How much somebody may ask for in any `days` days; `null` is no limit, and must be said."""

    limit: Annotated[int, Field(ge=0, le=1000)] | None
    days: Annotated[int, Field(ge=1, le=365)]


class UserQuery(PageQuery):
    """Filters of the user list."""

    search: SearchText | None = None
    role: Role | None = None
    status: Status | None = None
    sort: UserSort = "-createdAt"
