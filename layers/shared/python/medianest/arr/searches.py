"""Searches that a server lists: the answer to a command may be lost, and its effect not.

Both servers list a command until some minutes after its end.
"""

from typing import Any

from medianest.arr.client import ArrClient
from medianest.arr.wire import number, objects

_FAILED = frozenset({"failed", "aborted", "cancelled", "orphaned"})


def searched_films(client: ArrClient) -> frozenset[int]:
    """Return the ids of the films for which a Radarr searches, or has just searched."""
    listed = _bodies(client, "MoviesSearch")
    films = (body["movieIds"] for body in listed if isinstance(body.get("movieIds"), list))
    return frozenset(found for each in films for one in each if (found := number(one)))


def searched_seasons(client: ArrClient, external_id: int) -> frozenset[int]:
    """Return the seasons of a show for which a Sonarr searches, or has just searched.

    The search that follows the add of a show names no seasons, so it does not count: it may be
    older than the season.
    """
    return frozenset(
        found
        for body in _bodies(client, "SeasonSearch")
        if body.get("seriesId") == external_id
        and (found := number(body.get("seasonNumber"))) is not None
    )


def _bodies(client: ArrClient, name: str) -> list[dict[str, Any]]:
    commands = objects(client.get("command"), "command")
    return [
        body
        for each in commands
        if each.get("name") == name and each.get("status") not in _FAILED
        if isinstance(body := each.get("body"), dict)
    ]
