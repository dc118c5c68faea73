"""API models of search and details."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from medianest.catalog.models import MediaType, SearchType
from medianest.core.envelope import PageNumber, QueryParams, ResponseModel, SearchText
from medianest.core.examples import REQUEST_ID, Examples
from medianest.requests.models import RequestStatus

type DiscoverList = Literal["trending", "popular", "upcoming", "requested"]


class SearchQuery(QueryParams):
    """A search; a page has TMDB's 20 items."""

    q: SearchText = Field(description="Words of the title to search for", examples=["matrix"])
    type: SearchType = Field(
        default="all", description="Search films, shows or both", examples=["movie"]
    )
    page: PageNumber = 1


class DiscoverQuery(QueryParams):
    """A list of titles; a page has 20 items."""

    list: DiscoverList = Field(
        description="`trending`, `popular` or `upcoming` of TMDB, or `requested`: titles that"
        " somebody here has requested, the newest request first",
        examples=["trending"],
    )
    type: SearchType = Field(default="all", description="Films, shows or both", examples=["movie"])
    page: PageNumber = 1


class RequestedSeasonsOut(ResponseModel):
    """The seasons of a partly requested show, without specials."""

    requested: int = Field(description="Number of seasons with an active request")
    total: int | None = Field(
        default=None,
        description="Number of all seasons; absent if it was unknown at the time of the request",
    )


class TitleRequestOut(ResponseModel):
    """The active request for a title or season."""

    id: UUID | None = Field(
        default=None, description="Id of the request; only if it is the caller's own"
    )
    status: RequestStatus = Field(description="State of the request")
    seasons: RequestedSeasonsOut | None = Field(
        default=None,
        description="Only of a show: absent if all its seasons with an episode or an air date are"
        " requested",
    )


class TitleOut(ResponseModel):
    """A film or show in a search result or a list."""

    EXAMPLES: ClassVar[Examples] = {
        "requested": {
            "mediaType": "movie",
            "tmdbId": 603,
            "title": "The Matrix",
            "year": 1999,
            "overview": "A hacker learns what his world is made of.",
            "posterPath": "/matrix.jpg",
            "request": {"id": REQUEST_ID, "status": "pending"},
        },
        "free": {
            "mediaType": "movie",
            "tmdbId": 604,
            "title": "The Matrix Reloaded",
            "year": 2003,
        },
        "partly requested": {
            "mediaType": "tv",
            "tmdbId": 1396,
            "title": "Breaking Bad",
            "year": 2008,
            "request": {"status": "approved", "seasons": {"requested": 2, "total": 5}},
        },
    }

    media_type: MediaType = Field(description="Film (`movie`) or show (`tv`)")
    tmdb_id: int = Field(description="TMDB id of the title")
    title: str = Field(description="Title at TMDB")
    year: int | None = Field(default=None, description="Year of the first release")
    overview: str | None = Field(default=None, description="Summary of the plot")
    poster_path: str | None = Field(
        default=None, description="Path of the poster, relative to TMDB's image URL"
    )
    request: TitleRequestOut | None = None


class SeasonOut(ResponseModel):
    """A season of a show."""

    number: int = Field(description="Number of the season; 0 is the specials")
    name: str | None = Field(default=None, description="Name of the season")
    episode_count: int | None = Field(default=None, description="Number of its episodes")
    air_date: date | None = Field(default=None, description="Day of its first broadcast")
    request: TitleRequestOut | None = None


class TitleDetailsOut(TitleOut):
    """The details of a film or show."""

    EXAMPLES: ClassVar[Examples] = {
        "film": {
            "mediaType": "movie",
            "tmdbId": 603,
            "title": "The Matrix",
            "year": 1999,
            "overview": "A hacker learns what his world is made of.",
            "posterPath": "/matrix.jpg",
            "genres": ["Action", "Science Fiction"],
            "runtime": 136,
            "request": {"status": "approved"},
        },
        "show": {
            "mediaType": "tv",
            "tmdbId": 1396,
            "title": "Breaking Bad",
            "year": 2008,
            "genres": ["Drama", "Crime"],
            "seasons": [
                {
                    "number": 1,
                    "name": "Season 1",
                    "episodeCount": 7,
                    "airDate": "2008-01-20",
                    "request": {"id": REQUEST_ID, "status": "pending"},
                },
                {"number": 2, "name": "Season 2", "episodeCount": 13, "airDate": "2009-03-08"},
            ],
        },
    }

    backdrop_path: str | None = Field(
        default=None, description="Path of a background image, relative to TMDB's image URL"
    )
    genres: list[str] | None = Field(default=None, description="Names of the genres")
    runtime: int | None = Field(default=None, description="Length of a film in minutes")
    seasons: list[SeasonOut] | None = Field(
        default=None, description="Seasons of a show, each with its request"
    )
