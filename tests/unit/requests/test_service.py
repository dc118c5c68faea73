"""The seasons of a request, and valid idempotency keys."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.catalog.models import Season, TitleDetails
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.requests.idempotency.service import check_key
from medianest.requests.schemas import RequestIn
from medianest.requests.seasons import seasons_of


def show_with(*seasons: int, announced: tuple[int, ...] = ()) -> TitleDetails:
    """Return a show whose seasons have one episode each; the announced ones have none."""
    all_seasons = sorted(
        [*(Season(number, None, 1) for number in seasons), *map(Season, announced)],
        key=lambda season: season.number,
    )
    return TitleDetails("tv", 1, "x", None, None, None, seasons=tuple(all_seasons))


SEASON_WITH_DATE = Season(4, None, 0, date(2030, 1, 1))
FILM = TitleDetails("movie", 603, "The Matrix", 1999, None, None)
SHOW = show_with(0, 1, 2, 3)


def request(media_type: str, seasons: list[int] | None = None) -> RequestIn:
    body: dict[str, Any] = {"mediaType": media_type, "tmdbId": 1}
    if seasons is not None:
        body["seasons"] = seasons
    return RequestIn.model_validate(body)


def field_of(call: Any, *args: Any) -> str:
    return problem_of(call, *args)[0]


def problem_of(call: Any, *args: Any) -> tuple[str, str]:
    with pytest.raises(AppError) as caught:
        call(*args)
    assert caught.value.code == ErrorCode.VALIDATION_ERROR
    (problem,) = caught.value.details
    return str(problem["field"]), str(problem["message"])


def test_a_film_has_no_seasons() -> None:
    assert seasons_of(FILM, request("movie")) == []


def test_seasons_of_a_film_are_refused() -> None:
    assert field_of(seasons_of, FILM, request("movie", [1])) == "body.seasons"


def test_a_request_without_seasons_is_for_all_but_specials() -> None:
    assert seasons_of(SHOW, request("tv")) == [1, 2, 3]


@pytest.mark.parametrize("seasons", [[1], [3, 1], [0], [0, 1, 2, 3]])
def test_a_request_with_seasons_is_for_those(seasons: list[int]) -> None:
    assert sorted(seasons_of(SHOW, request("tv", seasons))) == sorted(seasons)


@pytest.mark.parametrize("seasons", [[4], [1, 4], [9999], [1, 2, 3, 99]])
def test_a_season_that_does_not_exist_is_refused(seasons: list[int]) -> None:
    assert field_of(seasons_of, SHOW, request("tv", seasons)) == "body.seasons"


def test_specials_that_do_not_exist_are_refused() -> None:
    show = show_with(1)
    assert field_of(seasons_of, show, request("tv", [0])) == "body.seasons"


@pytest.mark.parametrize("seasons", [(), (0,)])
def test_specials_of_a_show_without_other_seasons_must_be_named(seasons: tuple[int, ...]) -> None:
    show = show_with(*seasons)
    assert field_of(seasons_of, show, request("tv")) == "body.tmdbId"
    if seasons:
        assert seasons_of(show, request("tv", [0])) == [0]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        (show_with(1, 2, announced=(3,)), [1, 2]),
        (show_with(0, 2, announced=(1, 3)), [2]),
        (TitleDetails("tv", 1, "x", None, None, None, seasons=(SEASON_WITH_DATE,)), [4]),
    ],
    ids=["announced", "gaps", "dated"],
)
def test_all_seasons_means_those_with_an_episode_or_an_air_date(
    show: TitleDetails, expected: list[int]
) -> None:
    assert seasons_of(show, request("tv")) == expected


def test_an_announced_season_can_be_requested_by_number() -> None:
    show = show_with(1, announced=(2, 3))
    assert seasons_of(show, request("tv", [3])) == [3]
    assert seasons_of(show, request("tv", [1, 2])) == [1, 2]
    assert field_of(seasons_of, show, request("tv", [3, 4])) == "body.seasons"


@pytest.mark.parametrize(
    ("show", "requested", "message"),
    [
        (show_with(), None, "This show has no seasons that can be requested yet"),
        (show_with(), [1], "This show has no seasons that can be requested yet"),
        (
            show_with(0),
            None,
            "Only season 0 (specials) can be requested: name it in seasons",
        ),
        (
            show_with(0, announced=(1, 2)),
            None,
            (
                "No season of this show has an episode or an air date yet."
                " Name in seasons what to request: it has seasons 0 to 2."
            ),
        ),
        (
            show_with(0, 1, 2, 3, 5),
            [9, 4, 1],
            "This show has no seasons 4, 9. It has seasons 0 to 3, 5.",
        ),
        (show_with(2), [1], "This show has no season 1. It has season 2."),
    ],
)
def test_the_error_lists_the_seasons_that_can_be_requested(
    show: TitleDetails, requested: list[int] | None, message: str
) -> None:
    field = "body.tmdbId" if requested is None else "body.seasons"
    assert problem_of(seasons_of, show, request("tv", requested)) == (field, message)


@given(
    existing=st.frozensets(st.integers(0, 30)),
    requested=st.none() | st.frozensets(st.integers(0, 30), min_size=1),
)
def test_a_request_is_for_existing_seasons_or_is_refused(
    existing: frozenset[int], requested: frozenset[int] | None
) -> None:
    show = show_with(*sorted(existing))
    expected = existing - {0} if requested is None else requested
    body = request("tv", None if requested is None else list(requested))
    if expected and expected <= existing:
        seasons = seasons_of(show, body)
        assert len(seasons) == len(expected)
        assert set(seasons) == expected
    else:
        assert field_of(seasons_of, show, body) in {"body.seasons", "body.tmdbId"}


@pytest.mark.parametrize(
    "key",
    ["", "a" * 201, "é", "a\0", "a\nb", "a\tb", "\x7f", "٣", "\ud800", "😀", "\u00a0"],
    ids=ascii,
)
def test_an_invalid_idempotency_key_is_refused(key: str) -> None:
    assert field_of(check_key, key) == "header.Idempotency-Key"


@pytest.mark.parametrize(
    "key", ["a", "a" * 200, "8e03978e-40d5-43dd-bc93-6894a57f9324", '"quoted"', "~ !"]
)
def test_a_valid_idempotency_key_is_accepted(key: str) -> None:
    check_key(key)
