"""Schemas of media requests: invalid input is refused and not converted."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from medianest.discovery.schemas import SearchQuery
from medianest.requests.admin_schemas import AdminRequestQuery
from medianest.requests.decision_schemas import ApproveIn, DeclineIn
from medianest.requests.schemas import RequestIn, RequestOut, RequestQuery

VALID_REQUEST = {"mediaType": "tv", "tmdbId": 1396}


def invalid_fields(model: Any, body: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return {str(problem["loc"][0]) for problem in caught.value.errors()}


@pytest.mark.parametrize("number", [1, 603, 2**31 - 1])
def test_a_valid_tmdb_id_is_accepted(number: int) -> None:
    assert RequestIn.model_validate({"mediaType": "movie", "tmdbId": number}).tmdb_id == number


@pytest.mark.parametrize(
    "number",
    [
        "603",
        "",
        True,
        False,
        603.0,
        1.5,
        0,
        -1,
        2**31,
        2**63,
        10**400,
        None,
        [603],
        {},
        float("nan"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_an_invalid_tmdb_id_is_refused(number: Any) -> None:
    assert invalid_fields(RequestIn, VALID_REQUEST | {"tmdbId": number}) == {"tmdbId"}


@pytest.mark.parametrize("media_type", ["Movie", "film", "", None, 1, ["tv"], "person"])
def test_another_media_type_is_refused(media_type: Any) -> None:
    assert invalid_fields(RequestIn, VALID_REQUEST | {"mediaType": media_type}) == {"mediaType"}


@pytest.mark.parametrize("name", sorted(VALID_REQUEST))
def test_a_missing_field_is_refused(name: str) -> None:
    assert invalid_fields(
        RequestIn, {key: VALID_REQUEST[key] for key in VALID_REQUEST if key != name}
    ) == {name}


@pytest.mark.parametrize(
    "extra",
    [
        {"status": "approved"},
        {"userId": "6d9f2a4e-0c55-4f43-9d1b-1f6d5f0a7f11"},
        {"role": "admin"},
        {"title": "Another title"},
        {"requestedAt": "2020-01-01T00:00:00Z"},
        {"tmdb_id": 1},
        {"": 1},
        {"__proto__": {}},
    ],
    ids=str,
)
def test_an_unknown_field_is_refused(extra: dict[str, Any]) -> None:
    assert invalid_fields(RequestIn, VALID_REQUEST | extra) == set(extra)


@pytest.mark.parametrize("seasons", [[1], [0], [9999], [3, 1, 2], list(range(200)), None])
def test_valid_seasons_are_accepted(seasons: list[int] | None) -> None:
    assert RequestIn.model_validate(VALID_REQUEST | {"seasons": seasons}).seasons == seasons


@pytest.mark.parametrize(
    "seasons",
    [
        [],
        [1, 1],
        [1, 2, 3, 1],
        [-1],
        [10_000],
        list(range(201)),
        ["1"],
        [1.0],
        [True],
        [None],
        [[1]],
        "1",
        1,
        {"1": 1},
    ],
    ids=lambda value: str(value)[:16],
)
def test_invalid_seasons_are_refused(seasons: Any) -> None:
    assert invalid_fields(RequestIn, VALID_REQUEST | {"seasons": seasons}) == {"seasons"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ("  please \n", "please"), ("x" * 500, "x" * 500), (" " + "x" * 500, "x" * 500)],
    ids=["short", "padded", "longest", "longest padded"],
)
@pytest.mark.parametrize(
    ("model", "name", "base"),
    [(RequestIn, "comment", VALID_REQUEST), (ApproveIn, "note", {}), (DeclineIn, "reason", {})],
    ids=["comment", "note", "reason"],
)
def test_a_comment_note_or_reason_is_trimmed(
    model: Any, name: str, base: dict[str, Any], text: str, expected: str
) -> None:
    assert getattr(model.model_validate(base | {name: text}), name) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t ", "\u3000", "x" * 501, 5, True, ["a"], {}],
    ids=lambda value: repr(value)[:12],
)
@pytest.mark.parametrize(
    ("model", "name", "base"),
    [(RequestIn, "comment", VALID_REQUEST), (ApproveIn, "note", {}), (DeclineIn, "reason", {})],
    ids=["comment", "note", "reason"],
)
def test_an_empty_or_long_comment_note_or_reason_is_refused(
    model: Any, name: str, base: dict[str, Any], text: Any
) -> None:
    assert invalid_fields(model, base | {name: text}) == {name}


def test_comment_and_note_are_optional_and_a_reason_is_required() -> None:
    assert RequestIn.model_validate(VALID_REQUEST).comment is None
    assert ApproveIn.model_validate({}).note is None
    assert invalid_fields(DeclineIn, {}) == {"reason"}
    assert invalid_fields(DeclineIn, {"reason": None}) == {"reason"}


def test_a_search_has_the_parameters_of_the_contract() -> None:
    # TMDB determines the page size, so a limit would have no effect and is rejected.
    assert set(SearchQuery.model_fields) == {"q", "type", "page"}


@pytest.mark.parametrize(("text", "expected"), [("x", "x"), ("  the matrix ", "the matrix")])
def test_a_search_text_is_accepted(text: str, expected: str) -> None:
    query = SearchQuery.model_validate({"q": text})
    assert (query.q, query.type, query.page) == (expected, "all", 1)


@pytest.mark.parametrize("text", ["", " ", "x" * 201])
def test_an_invalid_search_text_is_refused(text: str) -> None:
    assert invalid_fields(SearchQuery, {"q": text}) == {"q"}
    assert invalid_fields(SearchQuery, {}) == {"q"}


@pytest.mark.parametrize("page", ["0", "-1", "1e3", "٣"])
def test_an_invalid_search_page_is_refused(page: str) -> None:
    assert invalid_fields(SearchQuery, {"q": "x", "page": page}) == {"page"}


def test_the_last_search_page_is_accepted() -> None:
    assert SearchQuery.model_validate({"q": "x", "page": "500", "type": "tv"}).page == 500


@pytest.mark.parametrize("kind", ["multi", "person", "", "ALL"])
def test_a_search_of_another_type_is_refused(kind: str) -> None:
    assert invalid_fields(SearchQuery, {"q": "x", "type": kind}) == {"type"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "cancelled"),
        ("status", ""),
        ("mediaType", "person"),
        ("sort", "password"),
        ("sort", "requestedAt; DROP TABLE users"),
        ("sort", ""),
        ("limit", "101"),
    ],
)
def test_an_invalid_filter_is_refused(name: str, value: str) -> None:
    assert invalid_fields(RequestQuery, {name: value}) == {name}
    assert invalid_fields(AdminRequestQuery, {name: value}) == {name}


def test_valid_filters_are_accepted() -> None:
    query = AdminRequestQuery.model_validate(
        {
            "status": "pending",
            "mediaType": "tv",
            "sort": "-title",
            "page": "2",
            "limit": "100",
            "userId": "6d9f2a4e-0c55-4f43-9d1b-1f6d5f0a7f11",
        }
    )
    assert (query.status, query.media_type, query.sort) == ("pending", "tv", "-title")
    assert query.user_id == UUID("6d9f2a4e-0c55-4f43-9d1b-1f6d5f0a7f11")
    assert invalid_fields(AdminRequestQuery, {"userId": "me"}) == {"userId"}


def test_a_response_has_the_field_names_of_the_contract() -> None:
    response = RequestOut(
        id=UUID(int=1),
        user_id=UUID(int=2),
        media_type="movie",
        tmdb_id=603,
        title="The Matrix",
        status="pending",
        requested_at=datetime(2026, 11, 5, tzinfo=UTC),
    )
    assert json.loads(response.model_dump_json(by_alias=True, exclude_none=True)) == {
        "id": str(UUID(int=1)),
        "userId": str(UUID(int=2)),
        "mediaType": "movie",
        "tmdbId": 603,
        "title": "The Matrix",
        "status": "pending",
        "requestedAt": "2026-11-05T00:00:00.000Z",
    }
