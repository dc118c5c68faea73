"""Users on the wire."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from medianest.core.caller import Role
from medianest.core.envelope import In, Out, PageQuery, Timestamp
from medianest.users.models import Status


class UserOut(Out):
    """A user as others and the user may see it. No secret is ever a field here."""

    id: UUID
    email: str
    username: str
    role: Role
    plex_id: int | None = None
    created_at: Timestamp
    updated_at: Timestamp


# PostgreSQL keeps no NUL, so none can be found.
type SearchText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
type UserSort = Literal["createdAt", "-createdAt", "username", "-username", "email", "-email"]


class UserChangeIn(In):
    """What an admin may change of a user."""

    role: Role | None = None
    status: Status | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.role is None and self.status is None:
            raise ValueError("Name a role, a status or both")
        return self


class UserQuery(PageQuery):
    """Filters of the user list."""

    search: SearchText | None = None
    role: Role | None = None
    status: Status | None = None
    sort: UserSort = "-createdAt"
