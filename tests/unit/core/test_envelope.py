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
    maybe: str | None = None
    made_at: Timestamp | None = None


class SampleRequest(RequestModel):
    """A request model."""

    how_many: int
    name: str = ""


def sent(model: ResponseModel) -> Any:
    """Return the model as sent; routes omit fields that are None (`api.route.Route`)."""
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))


def test_a_success_has_data_and_nothing_else() -> None:
    assert sent(ok(SampleResponse(long_name="x"))) == {"success": True, "data": {"longName": "x"}}


def test_a_field_with_a_value_is_sent() -> None:
    assert sent(ok(SampleResponse(long_name="x", maybe=""))) == {
        "success": True,
        "data": {"longName": "x", "maybe": ""},
    }


def test_an_error_without_details_has_no_details() -> None:
    response = error_response(AppError(ErrorCode.NOT_FOUND))
    assert json.loads(bytes(response.body)) == {
        "success": False,
        "error": {"code": "NOT_FOUND", "message": "The resource does not exist."},
    }
    assert response.status_code == 404


def test_an_error_carries_its_details_and_headers() -> None:
    response = error_response(
        AppError(ErrorCode.RATE_LIMITED, details={"policy": "api"}, headers={"Retry-After": "3"})
    )
    assert json.loads(bytes(response.body))["error"]["details"] == {"policy": "api"}
    assert response.headers["retry-after"] == "3"
    assert response.status_code == 429


def test_an_invalid_field_is_named() -> None:
    body = json.loads(bytes(error_response(invalid("body.tmdbId", "Is odd")).body))
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert body["error"]["details"] == [{"field": "body.tmdbId", "message": "Is odd"}]


def test_a_page_has_its_place_at_the_top() -> None:
    assert sent(page_of([SampleResponse(long_name="x")], page=2, limit=1, total=3)) == {
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
def test_a_page_says_whether_it_has_neighbours(
    *, page: int, limit: int, total: int, has_next: bool, has_prev: bool
) -> None:
    place = page_of([], page=page, limit=limit, total=total).pagination
    assert (place.has_next, place.has_prev) == (has_next, has_prev)


@given(limit=st.integers(1, 100), total=st.integers(0, 2000))
def test_walking_the_pages_sees_every_item_once(limit: int, total: int) -> None:
    items = list(range(total))
    seen: list[int] = []
    page = 1
    while True:
        query = PageQuery(page=page, limit=limit)
        found = items[query.offset : query.offset + limit]
        answer = page_of(found, page=page, limit=limit, total=total)
        seen += answer.data
        assert answer.pagination.has_prev is (query.offset > 0)
        if not answer.pagination.has_next:
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
    assert sent(SampleResponse(long_name="x", made_at=moment))["madeAt"] == text


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 2)))  # noqa: DTZ001 - Hypothesis sets the zone
def test_a_time_is_sent_to_its_millisecond(moment: datetime) -> None:
    text = sent(SampleResponse(long_name="x", made_at=moment))["madeAt"]
    assert text.endswith("Z")
    assert len(text) == len("2026-11-05T09:08:07.123Z")
    read = datetime.fromisoformat(text)
    assert timedelta(0) <= moment.astimezone(UTC) - read < timedelta(milliseconds=1)


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
def test_a_page_number_that_is_not_a_plain_positive_one_is_refused(name: str, text: str) -> None:
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


def test_the_first_twenty_are_the_default() -> None:
    query = PageQuery()
    assert (query.page, query.limit, query.offset) == (1, 20, 0)
    assert PageQuery(page=3, limit=50).offset == 100


@pytest.mark.parametrize(
    "body",
    [
        {"howMany": "1"},
        {"howMany": True},
        {"howMany": 1.0},
        {"howMany": None},
        {},
        {"how_many": 1},
        {"howMany": 1, "role": "admin"},
        {"howMany": 1, "name": 5},
        [],
        "howMany",
    ],
    ids=str,
)
def test_input_of_wrong_or_unknown_fields_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        SampleRequest.model_validate(body)


def test_input_of_the_right_fields_is_accepted() -> None:
    assert SampleRequest.model_validate({"howMany": 1, "name": "x"}).how_many == 1
