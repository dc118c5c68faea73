"""Titles. A film and a show may share a number: (media type, TMDB id) is the key."""

from dataclasses import dataclass
from datetime import date
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
class Season:
    """A season of a show; number 0 has the specials."""

    number: int
    name: str | None = None
    episode_count: int | None = None
    air_date: date | None = None

    @property
    def is_specials(self) -> bool:
        """Tell whether it is no season proper."""
        return self.number == 0

    @property
    def has_begun(self) -> bool:
        """Tell whether it has an episode or a date; else it is announced and no more."""
        return bool(self.episode_count) or self.air_date is not None


@dataclass(frozen=True, slots=True)
class TitleDetails(Title):
    """A film or show in full; only a film has a `runtime` (in minutes), only a show `seasons`."""

    backdrop_path: str | None = None
    genres: tuple[str, ...] = ()
    runtime: int | None = None
    seasons: tuple[Season, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search; `total` counts what can be paged to.

    `page` may be a later one than was asked for, where that one had nothing to show.
    """

    titles: list[Title]
    page: int
    total: int


@dataclass(frozen=True, slots=True)
class CachedValue[T]:
    """What the catalogue has; `stale_seconds` is its age where it is past its time."""

    value: T
    stale_seconds: int | None = None
