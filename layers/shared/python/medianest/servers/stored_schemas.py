"""API models that the database stores in the same form: options of a hand-over, and conditions."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from medianest.core.envelope import Id, RequestModel
from medianest.core.examples import Examples

type MinimumAvailability = Literal["announced", "inCinemas", "released"]
type SeriesType = Literal["standard", "daily", "anime"]
type MonitorNewItems = Literal["all", "none"]
# The pattern of Radarr and Sonarr.
type TagLabel = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9-]+$")]


class HandoverOptions(RequestModel):
    """How a server takes a title; an option that is absent comes from the next source.

    The sources are the approval, the rule, the server, and the defaults of the hand-over.
    """

    EXAMPLES: ClassVar[Examples] = {
        "of a film": {
            "qualityProfileId": 4,
            "rootFolderPath": "/data/movies",
            "tags": ["medianest"],
            "search": True,
            "minimumAvailability": "released",
        }
    }

    quality_profile_id: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = Field(
        default=None, description="Id of the quality profile on the server"
    )
    root_folder_path: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Folder on the server where the title goes"
    )
    tags: Annotated[list[TagLabel], Field(max_length=20)] | None = Field(
        default=None, description="Labels of tags; the server gets those that it lacks"
    )
    search: bool | None = Field(
        default=None, description="Whether the server searches for the title at once"
    )
    tag_requester: bool | None = Field(
        default=None, description="Whether the title gets a tag with the requester's name"
    )
    minimum_availability: MinimumAvailability | None = Field(
        default=None, description="Radarr only: when a film counts as available"
    )
    series_type: SeriesType | None = Field(
        default=None, description="Sonarr only: how the episodes are numbered"
    )
    season_folder: bool | None = Field(
        default=None, description="Sonarr only: whether each season has a folder"
    )
    monitor_new_items: MonitorNewItems | None = Field(
        default=None, description="Sonarr only: whether later seasons are fetched as well"
    )

    def stored(self) -> dict[str, Any]:
        """Return the options that are set, in the form of the column and of the API."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Conditions(RequestModel):
    """Conditions on a title; a list holds if it has one of the title's values."""

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="One of these users asked for it"
    )
    genre_ids: Annotated[list[int], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="It has one of these genres of TMDB"
    )
    languages: (
        Annotated[
            list[Annotated[str, Field(pattern=r"^[a-z]{2}$")]], Field(min_length=1, max_length=50)
        ]
        | None
    ) = Field(default=None, description="Its original language is one of these (ISO 639-1)")
    keyword_ids: Annotated[list[int], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="It has one of these keywords of TMDB"
    )
    anime: bool | None = Field(default=None, description="Whether it is anime")

    def stored(self) -> dict[str, Any]:
        """Return the conditions that are set, in the form of the column and of the API."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
