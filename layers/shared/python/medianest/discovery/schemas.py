"""Search and details on the wire."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from medianest.catalog.models import MediaType, SearchType
from medianest.core.envelope import TYPED, PageNumber, QueryParams, ResponseModel, documented
from medianest.requests.models import RequestStatus


class SearchQuery(QueryParams):
    """A search; a page has TMDB's 20 items."""

    q: Annotated[
        str,
        TYPED,
        Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
        documented(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"),
    ]
    type: SearchType = "all"
    page: PageNumber = 1


class TitleRequestOut(ResponseModel):
    """That a title is requested already; `id` only where the request is the caller's own."""

    id: UUID | None = None
    status: RequestStatus


class TitleOut(ResponseModel):
    """A film or show that a search found."""

    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None = None
    overview: str | None = None
    poster_path: str | None = None
    request: TitleRequestOut | None = None


class SeasonOut(ResponseModel):
    """A season of a show; number 0 has the specials."""

    number: int
    name: str | None = None
    episode_count: int | None = None
    air_date: date | None = None
    request: TitleRequestOut | None = None


class TitleDetailsOut(TitleOut):
    """A film or show in full: a film has a `runtime`, in minutes, and a show `seasons`."""

    backdrop_path: str | None = None
    genres: list[str] | None = None
    runtime: int | None = None
    seasons: list[SeasonOut] | None = None
