"""API models of users."""

from typing import Annotated, ClassVar, Literal
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
    ResponseModel,
    SearchText,
    Timestamp,
    documented,
)
from medianest.core.examples import USER_ID, Examples
from medianest.core.text import clean, clean_name, fold
from medianest.users.models import Role, Status, UserQuotas

# Plex users without an e-mail address get a placeholder under this domain, which is reserved.
RESERVED_DOMAIN = "plex.invalid"


# Also limits UTF-8 bytes (RFC 5321, 4.5.3.1.3, and RFC 6531): an address is part of a token.
MAX_EMAIL = 254


def _address(address: str) -> str:
    folded = fold(address)
    name, _, domain = folded.rpartition("@")
    if " " in address or clean(address) != address:
        raise ValueError("Must have no spaces and no invisible characters")
    # The plain @, since the database and e-mail servers know no full-width one.
    if folded.count("@") != 1 or "@" not in address or not name or not domain:
        raise ValueError("Must have one @, between a name and a domain")
    if len(address.encode()) > MAX_EMAIL:
        raise ValueError(f"Must have at most {MAX_EMAIL} bytes in UTF-8")
    if f".{domain.rstrip('.')}".endswith(f".{RESERVED_DOMAIN}"):
        raise ValueError("This domain is reserved")
    return address


def _name(name: str) -> str:
    # Sign-in accepts an address or a name; the @ distinguishes them.
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
    BeforeValidator(clean_name),
    Field(min_length=1, max_length=64),
    AfterValidator(_name),
    documented(pattern=r"^[^@]*[^@\s][^@]*$"),
]


# Plex has a number; the API sends a string, so that no client rounds it.
type PlexId = Annotated[str, BeforeValidator(str)]


EXAMPLE_USER = {
    "id": USER_ID,
    "email": "bob@example.com",
    "username": "bob",
    "role": "user",
    "plexId": "4711",
    "createdAt": "2026-01-02T18:30:00.000Z",
    "updatedAt": "2026-01-02T18:30:00.000Z",
}


class UserOut(ResponseModel):
    """A user, without secrets."""

    EXAMPLES: ClassVar[Examples] = {"user": EXAMPLE_USER}

    id: UUID = Field(description="Id of the user")
    email: str = Field(
        description="E-mail address; a placeholder under `plex.invalid` if Plex has none"
    )
    username: str = Field(description="User name")
    role: Role = Field(description="Role of the user")
    plex_id: PlexId | None = Field(
        default=None,
        description="Id of the account at Plex, as a string; absent for a local account",
    )
    created_at: Timestamp = Field(description="Time when the account was created")
    updated_at: Timestamp = Field(description="Time of its last change")


class AdminUserOut(UserOut):
    """A user, with the fields that only admins can read."""

    EXAMPLES: ClassVar[Examples] = {
        "local account": {
            "id": USER_ID,
            "email": "carol@example.com",
            "username": "carol",
            "role": "user",
            "createdAt": "2026-01-02T18:30:00.000Z",
            "updatedAt": "2026-01-02T18:30:00.000Z",
            "status": "active",
        },
        "with a quota": EXAMPLE_USER
        | {"status": "active", "quota": {"movies": {"limit": 2, "days": 7}}},
    }

    status: Status = Field(description="`active`, or `suspended`: the user cannot sign in")
    quota: dict[str, dict[str, int | None]] | None = Field(
        default=None, description="Quotas of this user, which override those of the role"
    )

    @field_validator("quota", mode="before")
    @classmethod
    def _to_json(cls, value: object) -> object:
        # A dictionary, because a response leaves out the null fields of models, and a limit of null
        # is none.
        return value.to_json() if isinstance(value, UserQuotas) else value


type UserSort = Literal["createdAt", "-createdAt", "username", "-username", "email", "-email"]


class UserQuery(PageQuery):
    """Filters of the user list."""

    search: SearchText | None = Field(
        default=None,
        description="Part of a user name or e-mail address, ignoring case and character width",
        examples=["bob"],
    )
    role: Role | None = Field(
        default=None, description="Only users of this role", examples=["admin"]
    )
    status: Status | None = Field(
        default=None, description="Only users of this status", examples=["active"]
    )
    sort: UserSort = Field(
        default="-createdAt",
        description="Sort by time of creation, user name or e-mail address; `-` means descending",
        examples=["createdAt"],
    )
