"""The ApiResponse envelope (section 1 of the contract) and the base models of the API."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
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
from medianest.core.examples import REQUEST_ID, Examples

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def iso_utc(value: datetime) -> str:
    """Return a time as responses have it: UTC with milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _validate_digits(value: object) -> object:
    # int() also accepts " 7", "+7", "1_0" and digits of other scripts.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,10}", value):
        raise ValueError("Must be a whole number")
    return value


def _parse_uuid(value: object) -> UUID:
    # UUID() also accepts braces, `urn:uuid:` and hyphens in any or no place.
    if isinstance(value, UUID):
        return value
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise ValueError(f"Must be a UUID like {REQUEST_ID}")


def _normalize(value: object) -> object:
    return text.normalize(value) if isinstance(value, str) else value


# Normalises typed text before its validation, so that length bounds apply to the normalised text.
TYPED = BeforeValidator(_normalize)
Id = Annotated[UUID, BeforeValidator(_parse_uuid)]
PlainInt = Annotated[int, BeforeValidator(_validate_digits)]
Timestamp = Annotated[
    datetime,
    PlainSerializer(iso_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class ResponseModel(BaseModel):
    """Base of response models: camelCase keys, built from the attributes of rows."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


def documented(**keywords: Any) -> Any:
    """Describe a custom validator in the API document, in JSON Schema keywords."""
    return Field(json_schema_extra=keywords)


# PostgreSQL cannot store NUL.
type SearchText = Annotated[
    str,
    TYPED,
    Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
    documented(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"),
]


def _without_null(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]


# Optional but not nullable.
NOT_NULLABLE = Field(json_schema_extra=_without_null)


class RequestModel(BaseModel):
    """Base of request models: unknown fields and wrong types are errors, never coerced."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class EmptyIn(RequestModel):
    """A call without fields; the body may be absent."""

    EXAMPLES: ClassVar[Examples] = {"empty": {}}


class Pagination(ResponseModel):
    """The position of a page in its list."""

    page: int = Field(description="Number of this page, from 1")
    limit: int = Field(description="Maximum number of items on a page")
    total: int = Field(description="Number of items on all pages together")
    has_next: bool = Field(description="Whether a page follows this one")
    has_prev: bool = Field(description="Whether a page precedes this one")


class ApiResponse[T](ResponseModel):
    """A successful response."""

    success: Literal[True] = Field(default=True, description="Always true for a success")
    data: T = Field(description="The result")


class PageResponse[T](ResponseModel):
    """A successful response with one page of a list."""

    success: Literal[True] = Field(default=True, description="Always true for a success")
    data: list[T] = Field(description="The items of this page")
    pagination: Pagination


class ApiError(ResponseModel):
    """An error: a code of the error reference, a message, and details that depend on the code."""

    code: str = Field(description="Code of the error reference, which clients branch on")
    message: str = Field(description="A sentence to display, which may change")
    details: Any = Field(default=None, description="Further information, depending on the code")


class ErrorResponse(ResponseModel):
    """An error response."""

    success: Literal[False] = False
    error: ApiError


# The annotations are quoted, because each would make a class of `ApiResponse` or `PageResponse`.
def ok[T](data: T) -> "ApiResponse[T]":
    """Return one value in the envelope."""
    return ApiResponse(data=data)


def page_of[T](items: list[T], *, page: int, limit: int, total: int) -> "PageResponse[T]":
    """Return one page of a list in the envelope; `total` counts the items of all pages."""
    return PageResponse(data=items, pagination=_pagination(page, limit, total))


def page_of_rows[T](
    response: "type[PageResponse[T]]", rows: Sequence[object], *, page: int, limit: int, total: int
) -> "PageResponse[T]":
    """Return one page of a list, its items made from rows.

    It validates the rows in one call, and FastAPI accepts an instance of `response` as it is.
    """
    pagination = _pagination(page, limit, total)
    return response.model_validate({"data": rows, "pagination": pagination})


def _pagination(page: int, limit: int, total: int) -> Pagination:
    return Pagination(
        page=page, limit=limit, total=total, has_next=page * limit < total, has_prev=page > 1
    )


PageNumber = Annotated[
    PlainInt,
    Field(ge=1, le=1_000_000, description="Number of the page, from 1", examples=[1]),
]


class QueryParams(BaseModel):
    """Base of query parameters: numbers and ids are parsed from text."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class PageQuery(QueryParams):
    """The page number and page size of a list request."""

    page: PageNumber = 1
    limit: Annotated[PlainInt, Field(ge=1, le=100)] = Field(
        default=20, description="Maximum number of items on a page", examples=[20]
    )

    @property
    def offset(self) -> int:
        """Return the number of items before this page."""
        return (self.page - 1) * self.limit
