"""The response envelope: keys, times and pagination."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from medianest.api.errors import error_response
from medianest.core.envelope import PageQuery, RequestModel, ResponseModel, Timestamp, ok, page_of
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid


class SampleResponse(ResponseModel):
    """A response model."""

    long_name: str
    optional: str | None = None
    created_at: Timestamp | None = None


class SampleRequest(RequestModel):
    """A request model."""

    item_count: int
    name: str = ""


def as_sent(model: ResponseModel) -> Any:
    """Return the model as sent; routes omit fields that are None (`api.route.Route`)."""
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))


def test_a_success_has_only_its_data() -> None:
    assert as_sent(ok(SampleResponse(long_name="x"))) == {
        "success": True,
        "data": {"longName": "x"},
    }


def test_a_field_with_a_value_is_sent() -> None:
    assert as_sent(ok(SampleResponse(long_name="x", optional=""))) == {
        "success": True,
        "data": {"longName": "x", "optional": ""},
    }


def test_an_error_without_details_has_no_details() -> None:
    response = error_response(AppError(ErrorCode.NOT_FOUND))
    assert json.loads(bytes(response.body)) == {
        "success": False,
        "error": {"code": "NOT_FOUND", "message": "The resource does not exist."},
    }
    assert response.status_code == 404


def test_an_error_has_its_details_and_headers() -> None:
    response = error_response(
        AppError(ErrorCode.RATE_LIMITED, details={"policy": "api"}, headers={"Retry-After": "3"})
    )
    assert json.loads(bytes(response.body))["error"]["details"] == {"policy": "api"}
    assert response.headers["retry-after"] == "3"
    assert response.status_code == 429


def test_an_invalid_field_is_named() -> None:
    body = json.loads(bytes(error_response(invalid("body.tmdbId", "Is invalid")).body))
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert body["error"]["details"] == [{"field": "body.tmdbId", "message": "Is invalid"}]


def test_pagination_is_at_the_top_level() -> None:
    assert as_sent(page_of([SampleResponse(long_name="x")], page=2, limit=1, total=3)) == {
        "success": True,
        "data": [{"longName": "x"}],
        "pagination": {"page": 2, "limit": 1, "total": 3, "hasNext": True, "hasPrev": True},
    }


@pytest.mark.parametrize(
    ("page", "limit", "total", "has_next", "has_prev"),
    [
        (1, 20, 0, False, False),
        (1, 20, 20, False, False),
        (1, 20, 21, True, False),
        (2, 20, 21, False, True),
        (3, 20, 21, False, True),
        (500, 20, 10_000, False, True),
        (499, 20, 10_000, True, True),
    ],
)
def test_a_page_reports_whether_it_has_neighbours(
    *, page: int, limit: int, total: int, has_next: bool, has_prev: bool
) -> None:
    pagination = page_of([], page=page, limit=limit, total=total).pagination
    assert (pagination.has_next, pagination.has_prev) == (has_next, has_prev)


@given(limit=st.integers(1, 100), total=st.integers(0, 2000))
def test_the_pages_contain_every_item_once(limit: int, total: int) -> None:
    items = list(range(total))
    seen: list[int] = []
    page = 1
    while True:
        query = PageQuery(page=page, limit=limit)
        page_items = items[query.offset : query.offset + limit]
        response = page_of(page_items, page=page, limit=limit, total=total)
        seen += response.data
        assert response.pagination.has_prev is (query.offset > 0)
        if not response.pagination.has_next:
            break
        page += 1
    assert seen == items
    assert items[page * limit :] == []


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 5, 9, 8, 7, tzinfo=UTC), "2026-11-05T09:08:07.000Z"),
        (datetime(2026, 11, 5, 9, 8, 7, 123_999, tzinfo=UTC), "2026-11-05T09:08:07.123Z"),
        (
            datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))),
            "2025-12-31T22:30:00.000Z",
        ),
    ],
)
def test_times_are_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert as_sent(SampleResponse(long_name="x", created_at=moment))["createdAt"] == text


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 2)))  # noqa: DTZ001 - Hypothesis sets the zone
def test_any_time_is_truncated_to_milliseconds(moment: datetime) -> None:
    text = as_sent(SampleResponse(long_name="x", created_at=moment))["createdAt"]
    assert text.endswith("Z")
    assert len(text) == len("2026-11-05T09:08:07.123Z")
    parsed = datetime.fromisoformat(text)
    assert timedelta(0) <= moment.astimezone(UTC) - parsed < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "-0",
        "1e3",
        "٣",
        "1_0",
        " 1",
        "1 ",
        "+1",
        "",
        "1.0",
        "0x1",
        "1\n",
        "1\0",
        "9" * 11,
        "9" * 5000,
        "NaN",
        "null",
        "²",
    ],
)
@pytest.mark.parametrize("name", ["page", "limit"])
def test_a_page_number_that_is_no_plain_positive_integer_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate({name: text})


@pytest.mark.parametrize(
    ("name", "text"), [("limit", "101"), ("limit", "1000000"), ("page", "1000001")]
)
def test_a_page_out_of_bounds_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate({name: text})


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("page", "1", 1),
        ("page", "1000000", 1_000_000),
        ("page", "007", 7),
        ("limit", "1", 1),
        ("limit", "100", 100),
    ],
)
def test_a_page_within_bounds_is_accepted(name: str, text: str, number: int) -> None:
    assert getattr(PageQuery.model_validate({name: text}), name) == number


def test_the_default_page_is_the_first_twenty_items() -> None:
    query = PageQuery()
    assert (query.page, query.limit, query.offset) == (1, 20, 0)
    assert PageQuery(page=3, limit=50).offset == 100


@pytest.mark.parametrize(
    "body",
    [
        {"itemCount": "1"},
        {"itemCount": True},
        {"itemCount": 1.0},
        {"itemCount": None},
        {},
        {"item_count": 1},
        {"itemCount": 1, "role": "admin"},
        {"itemCount": 1, "name": 5},
        [],
        "itemCount",
    ],
    ids=str,
)
def test_a_body_with_invalid_or_unknown_fields_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        SampleRequest.model_validate(body)


def test_a_body_with_valid_fields_is_accepted() -> None:
    assert SampleRequest.model_validate({"itemCount": 1, "name": "x"}).item_count == 1
