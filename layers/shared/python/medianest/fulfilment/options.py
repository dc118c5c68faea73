"""The options of a hand-over: those of the server, overlaid by those of the rule or the admin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from medianest.arr.models import Options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medianest.fulfilment.models import Handover, WantedItem
    from medianest.servers.models import Server

# Radarr and Sonarr take no other characters in a tag.
_NOT_IN_TAG = re.compile(r"[^a-z0-9]+")


def merged(server: Server, handover: Handover, wanted: Iterable[WantedItem]) -> Options:
    """Return the options for a title; with `tagRequester`, each requester has a tag."""
    values = {**server.options, **handover.options}
    tags = list(values.get("tags", []))
    if values.get("tagRequester"):
        tags += sorted({requester_tag(each.username) for each in wanted})
    return Options(
        quality_profile_id=values.get("qualityProfileId"),
        root_folder_path=values.get("rootFolderPath"),
        tags=tuple(tags),
        search=values.get("search", True),
        minimum_availability=values.get("minimumAvailability", "released"),
        series_type=values.get("seriesType", "standard"),
        season_folder=values.get("seasonFolder", True),
        monitor_new_items=values.get("monitorNewItems", "none"),
    )


def requester_tag(username: str) -> str:
    """Return the tag of a requester: the name with other characters replaced."""
    return f"requested-by-{_NOT_IN_TAG.sub('-', username.casefold()).strip('-') or 'user'}"
