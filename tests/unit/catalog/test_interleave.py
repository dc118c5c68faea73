"""Films and shows of two lists, in turn."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.catalog.interleave import interleave
from medianest.catalog.models import CachedValue, MediaType, SearchPage, Title

TOTALS = st.integers(min_value=0, max_value=90)


class Lists:
    """Two lists of titles with numbered ids, which count the pages that are read."""

    def __init__(self, films: int, shows: int) -> None:
        self.sizes: dict[MediaType, int] = {"movie": films, "tv": shows}
        self.ages: dict[tuple[MediaType, int], int] = {}
        self.read_pages: list[tuple[MediaType, int]] = []

    def __call__(self, kind: MediaType, page: int) -> CachedValue[SearchPage]:
        self.read_pages.append((kind, page))
        numbers = range(self.sizes[kind])[20 * (page - 1) : 20 * page]
        titles = [Title(kind, number, "x", None, None, None) for number in numbers]
        result = SearchPage(titles, page, self.sizes[kind])
        return CachedValue(result, self.ages.get((kind, page)))


def ids(page: CachedValue[SearchPage]) -> list[tuple[Any, int]]:
    return [(title.media_type, title.tmdb_id) for title in page.value.titles]


def test_first_page_has_ten_films_and_ten_shows_in_turn() -> None:
    page = interleave(Lists(100, 100), 1)
    assert ids(page) == [(kind, n) for n in range(10) for kind in ("movie", "tv")]
    assert (page.value.page, page.value.total) == (1, 200)


@given(films=TOTALS, shows=TOTALS)
def test_all_pages_together_have_every_title_once(films: int, shows: int) -> None:
    lists = Lists(films, shows)
    pages = [ids(interleave(lists, number)) for number in range(1, 12)]
    everything = [each for page in pages for each in page]
    pairs = min(films, shows)
    assert everything[: 2 * pairs] == [(k, n) for n in range(pairs) for k in ("movie", "tv")]
    longer, size = max(lists.sizes.items(), key=lambda item: item[1])
    assert everything[2 * pairs :] == [(longer, n) for n in range(pairs, size)]
    total = films + shows
    assert [len(page) for page in pages] == [
        min(max(total - 20 * number, 0), 20) for number in range(11)
    ]


@pytest.mark.parametrize("page", [1, 2, 3, 4, 50, 1_000_000])
def test_page_reads_at_most_five_pages_of_tmdb(page: int) -> None:
    lists = Lists(90, 25)
    interleave(lists, page)
    assert len(lists.read_pages) == len(set(lists.read_pages)) <= 5
    assert max(number for _, number in lists.read_pages) <= 5


def test_page_is_as_old_as_its_oldest_part() -> None:
    lists = Lists(100, 100)
    assert interleave(lists, 3).stale_seconds is None
    lists.ages = {("movie", 2): 50, ("tv", 1): 7}
    assert interleave(lists, 1).stale_seconds == 7
    assert interleave(lists, 3).stale_seconds == 50
