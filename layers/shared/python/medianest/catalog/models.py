"""Titles. Films and shows have separate TMDB ids, so the key is (media type, TMDB id)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

type MediaType = Literal["movie", "tv"]
type SearchType = Literal["all", "movie", "tv"]
type CatalogList = Literal["trending", "popular", "upcoming"]
MEDIA_TYPES: tuple[MediaType, ...] = ("movie", "tv")
# TMDB serves no page after this one, however many results a search has.
MAX_SEARCH_PAGE = 500
SEARCH_PAGE_SIZE = 20
ANIME_KEYWORD = 210024


@dataclass(frozen=True, slots=True)
class Title:
    """A film or show in a search result or a list."""

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
        """Return whether this is the season of the specials."""
        return self.number == 0

    @property
    def has_started(self) -> bool:
        """Return whether it has an episode or an air date; without both it is only announced."""
        return bool(self.episode_count) or self.air_date is not None


@dataclass(frozen=True, slots=True)
class TitleDetails(Title):
    """Details of a title; only a film has a `runtime` (in minutes), only a show has `seasons`."""

    backdrop_path: str | None = None
    genres: tuple[str, ...] = ()
    runtime: int | None = None
    seasons: tuple[Season, ...] = ()

    @property
    def started_seasons(self) -> list[int] | None:
        """Return the seasons of a show that have started, without specials; None for a film."""
        if self.media_type == "movie":
            return None
        return [each.number for each in self.seasons if each.has_started and not each.is_specials]


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """The facts that select the server of a title, and those that the server needs.

    Only a show has a `tvdb_id`, and not every one. `languages` has the original language.
    """

    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None
    tvdb_id: int | None
    genre_ids: frozenset[int]
    languages: frozenset[str]
    keyword_ids: frozenset[int]

    @property
    def anime(self) -> bool:
        """Return whether a keyword of TMDB says so."""
        return ANIME_KEYWORD in self.keyword_ids


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search or a list; `total` counts the results on all available pages.

    `page` can be later than the requested page, when that one has no titles.
    """

    titles: list[Title]
    page: int
    total: int


class CachedValue[T](NamedTuple):
    """A value of the catalogue; `stale_seconds` is its age if it is stale, else None."""

    value: T
    stale_seconds: int | None = None
