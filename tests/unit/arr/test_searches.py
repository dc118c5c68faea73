"""Searches in the list of a server's commands."""

from typing import Any

import pytest

from medianest.arr.models import ArrError
from medianest.arr.searches import searched_films, searched_seasons
from tests.unit.arr.test_models import client_of


def command(name: str, status: str = "completed", **body: Any) -> dict[str, Any]:
    return {"id": 1, "name": name, "status": status, "body": body}


def test_films_of_searches_that_have_not_failed_count() -> None:
    listed = [
        command("MoviesSearch", movieIds=[1, 2]),
        command("MoviesSearch", "queued", movieIds=[3]),
        command("MoviesSearch", "failed", movieIds=[4]),
        command("MoviesSearch", "orphaned", movieIds=[5]),
        command("RefreshMovie", movieIds=[6]),
        command("MoviesSearch", movieIds="7"),
        command("MoviesSearch"),
        {"name": "MoviesSearch"},
    ]
    assert searched_films(client_of({"command": listed})) == {1, 2, 3}


def test_seasons_of_searches_of_the_same_show_count() -> None:
    listed = [
        command("SeasonSearch", "started", seriesId=8, seasonNumber=0),
        command("SeasonSearch", seriesId=8, seasonNumber=2),
        command("SeasonSearch", "cancelled", seriesId=8, seasonNumber=3),
        command("SeasonSearch", seriesId=9, seasonNumber=4),
        command("SeasonSearch", seriesId=8),
        command("MissingEpisodeSearch", seriesId=8),
    ]
    assert searched_seasons(client_of({"command": listed}), 8) == {0, 2}


def test_a_response_that_is_no_list_is_an_error() -> None:
    with pytest.raises(ArrError, match="command has an unexpected form"):
        searched_films(client_of({"command": {}}))
