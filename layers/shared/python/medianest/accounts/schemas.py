"""API models of accounts."""

from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from medianest.core.envelope import NOT_NULLABLE, RequestModel
from medianest.core.examples import Examples
from medianest.signin.passwords import Password
from medianest.users.models import Role, Status
from medianest.users.quota import QuotaIn
from medianest.users.schemas import Email, Username


class SomeQuotasIn(RequestModel):
    """Quotas of one user, which override those of the role.

    An absent quota is unchanged, and `null` removes it.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    movies: QuotaIn | None = Field(default=None, description="Quota of films")
    seasons: QuotaIn | None = Field(default=None, description="Quota of seasons")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Must have movies or seasons")
        return self


class UserIn(RequestModel):
    """A local account to create."""

    EXAMPLES: ClassVar[Examples] = {
        "user": {
            "email": "carol@example.com",
            "username": "carol",
            "password": "Tr0ub4dor-and-3",
            "role": "user",
        }
    }

    email: Email = Field(description="E-mail address, which can be used to sign in")
    username: Username = Field(description="User name, which can be used to sign in")
    password: Password = Field(
        description="At least 8 characters with a lower-case letter, an upper-case letter, a digit"
        " and another character; neither common nor similar to the user name or e-mail address"
    )
    role: Role = Field(description="Role of the user")


class UserChangeIn(RequestModel):
    """Changes to a user."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    EXAMPLES: ClassVar[Examples] = {
        "make an admin": {"role": "admin"},
        "suspend": {"status": "suspended"},
    }

    role: Annotated[Role | None, NOT_NULLABLE] = Field(
        default=None, description="New role; a different one revokes the user's sessions"
    )
    status: Annotated[Status | None, NOT_NULLABLE] = Field(
        default=None, description="New status; a suspension revokes the user's sessions"
    )
    quota: SomeQuotasIn | None = Field(
        default=None,
        description="Quotas of this user; `null` restores the quotas of the role",
    )

    @field_validator("role", "status")
    @classmethod
    def _is_one(cls, value: str | None) -> str:
        if value is None:
            raise ValueError("Must not be null")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Must have a role, a status or a quota")
        return self
