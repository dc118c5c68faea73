"""The ApiResponse envelope (section 1 of the contract) and the base of everything on the wire."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from medianest.core import text
from medianest.core.examples import REQUEST_ID

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _iso_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain_digits(value: object) -> object:
    # int() would also take "1e3", " 7", "+7", "1_0" and the digits of other scripts.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,10}", value):
        raise ValueError("Must be a whole number")
    return value


def _plain_uuid(value: object) -> UUID:
    # UUID() would also take braces, `urn:uuid:` and hyphens anywhere or nowhere.
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise ValueError(f"Must be a UUID like {REQUEST_ID}")


def _typed(value: object) -> object:
    return text.typed(value) if isinstance(value, str) else value


# Before the bounds of a text that a person types: they hold for what is left of it.
TYPED = BeforeValidator(_typed)
Id = Annotated[UUID, BeforeValidator(_plain_uuid)]
PlainInt = Annotated[int, BeforeValidator(_plain_digits)]
Timestamp = Annotated[
    datetime,
    PlainSerializer(_iso_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class ResponseModel(BaseModel):
    """Base of what we send: camelCase keys; built from our own rows, so nothing is coerced."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


def documented(**keywords: Any) -> Any:
    """Say in the API document, in words of JSON Schema, what a check of ours does."""
    return Field(json_schema_extra=keywords)


def _without_null(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]


# Optional but not nullable.
NOT_NULLABLE = Field(json_schema_extra=_without_null)


class RequestModel(BaseModel):
    """Base of what we accept: unknown fields and wrong types are errors, never coerced."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class Pagination(ResponseModel):
    """The position of a page in its list."""

    page: int = Field(description="Number of this page, from 1")
    limit: int = Field(description="Most items on a page")
    total: int = Field(description="Number of items on all pages together")
    has_next: bool = Field(description="Whether a page follows this one")
    has_prev: bool = Field(description="Whether a page precedes this one")


class ApiResponse[T](ResponseModel):
    """A success."""

    success: Literal[True] = Field(default=True, description="Always true for a success")
    data: T = Field(description="The result")


class PageResponse[T](ResponseModel):
    """A success with one page of a list."""

    success: Literal[True] = Field(default=True, description="Always true for a success")
    data: list[T] = Field(description="The items of this page")
    pagination: Pagination


class ApiError(ResponseModel):
    """An error: a code of the error reference, a sentence, and the details of the code."""

    code: str = Field(description="Code of the error reference, which clients branch on")
    message: str = Field(description="A sentence for people; it may change")
    details: Any = Field(default=None, description="Further facts, which depend on the code")


class ErrorResponse(ResponseModel):
    """A failure."""

    success: Literal[False] = False
    error: ApiError


def ok[T](data: T) -> ApiResponse[T]:
    """Wrap one value."""
    return ApiResponse(data=data)


def page_of[T](items: list[T], *, page: int, limit: int, total: int) -> PageResponse[T]:
    """Wrap one page of a list that has `total` items in all."""
    return PageResponse(
        data=items,
        pagination=Pagination(
            page=page,
            limit=limit,
            total=total,
            has_next=page * limit < total,
            has_prev=page > 1,
        ),
    )


PageNumber = Annotated[
    PlainInt,
    Field(ge=1, le=1_000_000, description="Number of the page, from 1", examples=[1]),
]


class QueryParams(BaseModel):
    """Base of query parameters: they are text, so numbers and ids are read from it."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class PageQuery(QueryParams):
    """The page of a list to return."""

    page: PageNumber = 1
    limit: Annotated[PlainInt, Field(ge=1, le=100)] = Field(
        default=20, description="Most items on a page", examples=[20]
    )

    @property
    def offset(self) -> int:
        """Return how many items come before this page."""
        return (self.page - 1) * self.limit
