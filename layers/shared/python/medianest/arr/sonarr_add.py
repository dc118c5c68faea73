"""A show that Sonarr does not have yet: its TVDB id, its seasons, and how it is added."""

from collections.abc import Callable
from typing import Any

from medianest.arr.client import ArrClient, RejectedError
from medianest.arr.models import ArrError, Options, ShowWanted
from medianest.arr.wire import number, objects, required_id, text


def tvdb_id_of(client: ArrClient, tmdb_id: int) -> int:
    """Return the TVDB id by which Sonarr knows a show of TMDB; raises ArrError without one."""
    for each in objects(client.get("series/lookup", term=f"tmdb:{tmdb_id}"), "series/lookup"):
        # Sonarr 3 does not know this prefix, and searches for the text.
        found = number(each.get("tvdbId"))
        if found and each.get("tmdbId") == tmdb_id:
            return found
    raise ArrError("not_yet", "TVDB_ID_UNKNOWN", "The show has no TVDB id, which Sonarr needs")


def look_up(client: ArrClient, tvdb_id: int) -> dict[str, Any]:
    """Return what Sonarr's source knows of a show; raises ArrError if it knows nothing."""
    for each in objects(client.get("series/lookup", term=f"tvdb:{tvdb_id}"), "series/lookup"):
        if each.get("tvdbId") == tvdb_id:
            return each
    raise ArrError(
        "not_yet", "TITLE_UNKNOWN", f"Sonarr does not know the show with the TVDB id {tvdb_id}"
    )


def add(
    client: ArrClient,
    known: dict[str, Any],
    title: ShowWanted,
    options: Options,
    tags: frozenset[int],
    may_change: Callable[[], bool],
) -> dict[str, Any]:
    """Add a show of `look_up`, and return it as Sonarr has it then."""
    body = {
        "tvdbId": known["tvdbId"],
        "title": text(known.get("title")) or title.title,
        "qualityProfileId": options.quality_profile_id,
        "rootFolderPath": options.root_folder_path,
        "seasonFolder": options.season_folder,
        "seriesType": options.series_type,
        "monitored": True,
        "monitorNewItems": options.monitor_new_items,
        # Seasons that are sent replace those of the source, so all of them are sent.
        "seasons": [
            {"seasonNumber": found, "monitored": found in title.seasons}
            for each in objects(known.get("seasons"), "series/lookup")
            if (found := number(each.get("seasonNumber"))) is not None
        ],
        "tags": sorted(tags),
        "addOptions": {
            "ignoreEpisodesWithFiles": True,
            "searchForMissingEpisodes": options.search,
        },
    }
    try:
        added = client.change("POST", "series", body, may_change)
    except RejectedError as error:
        if error.about("languageprofileid") is None:
            raise
        # Only Sonarr 3 needs one.
        body["languageProfileId"] = _language_profile(client)
        added = client.change("POST", "series", body, may_change)
    return added if isinstance(added, dict) else {}


def _language_profile(client: ArrClient) -> int:
    profiles = objects(client.get("languageprofile"), "languageprofile")
    return required_id(profiles[0] if profiles else {}, "languageprofile")
