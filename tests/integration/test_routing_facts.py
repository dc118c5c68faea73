"""The facts of TMDB on a title that is handed over, and their cache."""

import pytest
import redis

from medianest.catalog import service
from medianest.catalog.models import RoutingFacts
from medianest.core.errors import AppError
from tests.support.catalog import DAY, Fault, age_entries, requests_to


@pytest.fixture(autouse=True)
def _no_cache(environment: object, keys: redis.Redis) -> None:
    """Run with an empty cache."""


def test_film_has_its_genres_and_language() -> None:
    assert service.routing_facts("movie", 550) == RoutingFacts(
        "movie",
        550,
        "Fight Club",
        1999,
        None,
        frozenset({18}),
        frozenset({"en"}),
        frozenset(),
    )


def test_show_has_its_tvdb_id_and_anime_its_keyword() -> None:
    show = service.routing_facts("tv", 1396)
    assert show is not None
    assert (show.tvdb_id, show.anime) == (81189, False)
    show = service.routing_facts("tv", 1429)
    assert show is not None
    assert (show.anime, show.languages, 16 in show.genre_ids) == (True, frozenset({"ja"}), True)


def test_unknown_title_has_none() -> None:
    assert service.routing_facts("tv", 2_000_000_000) is None


def test_facts_are_cached_beside_the_details(tmdb_url: str) -> None:
    service.details("tv", 1396)
    first = service.routing_facts("tv", 1396)
    sent = len(requests_to(tmdb_url))
    assert service.routing_facts("tv", 1396) == first
    assert len(requests_to(tmdb_url)) == sent


def test_stale_facts_serve_while_tmdb_is_down(keys: redis.Redis, fault: Fault) -> None:
    first = service.routing_facts("tv", 1396)
    age_entries(keys, 2 * DAY)
    fault(kind="status", status=500)
    assert service.routing_facts("tv", 1396) == first
    with pytest.raises(AppError):
        service.routing_facts("tv", 1399)
