"""Accounts on the wire."""

from typing import Annotated, Self

from pydantic import ConfigDict, field_validator, model_validator

from medianest.core.envelope import NOT_NULLABLE, RequestModel
from medianest.signin.schemas import Password
from medianest.users.models import Role, Status
from medianest.users.schemas import Email, QuotaIn, Username


class SomeQuotasIn(RequestModel):
    """One quota, or both, in place of the role's; one that is left out stays, `null` ends it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    movies: QuotaIn | None = None
    seasons: QuotaIn | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Name movies or seasons")
        return self


class UserIn(RequestModel):
    """A local account to create."""

    email: Email
    username: Username
    password: Password
    role: Role


class UserChangeIn(RequestModel):
    """What an admin may change of a user; a `quota` of null puts the role's back in force."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    role: Annotated[Role | None, NOT_NULLABLE] = None
    status: Annotated[Status | None, NOT_NULLABLE] = None
    quota: SomeQuotasIn | None = None

    @field_validator("role", "status")
    @classmethod
    def _is_one(cls, value: str | None) -> str:
        if value is None:
            raise ValueError("Must not be null")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Name a role, a status or a quota")
        return self
