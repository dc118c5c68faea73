"""Titles. A film and a show may share a number: (media type, TMDB id) is the key."""

from dataclasses import dataclass
from typing import Literal

type MediaType = Literal["movie", "tv"]
type SearchType = Literal["all", "movie", "tv"]
# TMDB answers no page past this, whatever a search found.
MAX_SEARCH_PAGE = 500
SEARCH_PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Title:
    """A film or show as a search finds it."""

    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None
    overview: str | None
    poster_path: str | None


@dataclass(frozen=True, slots=True)
class TitleDetails:
    """What a request needs to know of a title; `seasons` is empty for a film."""

    media_type: MediaType
    tmdb_id: int
    title: str
    seasons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search; `total` counts what can be paged to."""

    titles: list[Title]
    page: int
    total: int
