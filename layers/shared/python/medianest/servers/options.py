"""Options of a hand-over: checked against a server, merged, and in the form of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.arr.models import ArrError, Options
from medianest.servers.models import Kind, Server
from medianest.servers.stored_schemas import HandoverOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ONLY_FOR: dict[str, Kind] = {
    "minimum_availability": "radarr",
    "series_type": "sonarr",
    "season_folder": "sonarr",
    "monitor_new_items": "sonarr",
}


def problems(
    options: HandoverOptions, kind: Kind, inventory: Mapping[str, Any] | None, field: str
) -> Iterator[tuple[str, str]]:
    """Yield the problems with options at a server, each a field and a message.

    Without an inventory, which is read soon after the server is added, only the kind is checked.
    """
    for name, only in _ONLY_FOR.items():
        if getattr(options, name) is not None and kind != only:
            alias = HandoverOptions.model_fields[name].alias
            yield f"{field}.{alias}", f"Only {only.capitalize()} has it"
    if inventory is None:
        return
    profiles = {each["id"] for each in inventory["profiles"]}
    if options.quality_profile_id is not None and options.quality_profile_id not in profiles:
        yield f"{field}.qualityProfileId", "The server has no such quality profile"
    folders = {each["path"] for each in inventory["rootFolders"]}
    if options.root_folder_path is not None and options.root_folder_path not in folders:
        yield f"{field}.rootFolderPath", "The server has no such root folder"


def merged(*sources: HandoverOptions) -> HandoverOptions:
    """Return the options of all sources; a later one replaces those of the earlier ones."""
    values: dict[str, Any] = {}
    for source in sources:
        values |= source.stored()
    return HandoverOptions.model_validate(values)


def of(server: Server) -> HandoverOptions:
    """Return the options of a server."""
    return HandoverOptions.model_validate(server.options)


def for_client(options: HandoverOptions) -> Options:
    """Return the options of a hand-over; raises ArrError without a profile or a folder."""
    if options.quality_profile_id is None or options.root_folder_path is None:
        raise ArrError(
            "misconfigured",
            "OPTIONS_MISSING",
            "The server's options have no quality profile or no root folder",
        )
    given: dict[str, Any] = options.model_dump(exclude_none=True)
    given["tags"] = tuple(given.get("tags", ()))
    return Options(**given)
