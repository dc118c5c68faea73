"""Films and shows of two lists in one list, for lists that TMDB has of one type only."""

from collections.abc import Callable
from itertools import chain, zip_longest

from medianest.catalog.models import (
    MEDIA_TYPES,
    SEARCH_PAGE_SIZE,
    CachedValue,
    MediaType,
    SearchPage,
    Title,
)

type ReadPage = Callable[[MediaType, int], CachedValue[SearchPage]]


def interleave(read: ReadPage, page: int) -> CachedValue[SearchPage]:
    """Return a page of films and shows in turn, films first, then the rest of the longer list.

    `read` returns a page of the films or of the shows. `total` is the number of both. The result
    is as old as the oldest page that it is made of.
    """
    firsts = {kind: read(kind, 1) for kind in MEDIA_TYPES}
    totals = {kind: first.value.total for kind, first in firsts.items()}
    start = (page - 1) * SEARCH_PAGE_SIZE
    ages = [first.stale_seconds for first in firsts.values()]
    parts: list[list[Title]] = []
    for kind in MEDIA_TYPES:
        begin, end = (_before(kind, start + each, totals) for each in (0, SEARCH_PAGE_SIZE))
        titles: list[Title] = []
        for number in _pages(begin, end):
            result = firsts[kind] if number == 1 else read(kind, number)
            ages.append(result.stale_seconds)
            offset = (number - 1) * SEARCH_PAGE_SIZE
            titles += result.value.titles[max(begin - offset, 0) : end - offset]
        parts.append(titles)
    in_turn = [title for title in chain(*zip_longest(*parts)) if title is not None]
    stale_seconds = max((age for age in ages if age is not None), default=None)
    return CachedValue(SearchPage(in_turn, page, sum(totals.values())), stale_seconds)


def _pages(begin: int, end: int) -> range:
    """Return the numbers of TMDB's pages with the titles from `begin` to before `end`."""
    if begin == end:
        return range(0)
    return range(begin // SEARCH_PAGE_SIZE + 1, (end - 1) // SEARCH_PAGE_SIZE + 2)


def _before(kind: MediaType, position: int, totals: dict[MediaType, int]) -> int:
    """Return the number of titles of a kind before a position of the whole list."""
    in_turn = min(position, 2 * min(totals.values()))
    number = (in_turn + (kind == "movie")) // 2
    if totals[kind] > min(totals.values()):
        number += position - in_turn
    return min(number, totals[kind])
