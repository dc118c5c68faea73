"""The hand-over of seasons to Sonarr, as a reconciliation: whatever happened before, it ends right.

Nothing is ever deleted or unset on the server. A PUT replaces the whole object, so it is made only
with the object as read just before, and only if it changes something.
"""

from collections.abc import Callable
from typing import Any

from medianest.arr.client import ArrClient, RejectedError
from medianest.arr.models import ArrError, FoundShow, Options, ShowWanted, labels
from medianest.arr.searches import searched_seasons
from medianest.arr.sonarr_add import add, look_up, tvdb_id_of
from medianest.arr.tags import tag_ids
from medianest.arr.wire import ids, number, objects, required_id, text


def hand_over(
    client: ArrClient,
    title: ShowWanted,
    options: Options,
    *,
    may_change: Callable[[], bool],
    search_again: frozenset[int],
) -> FoundShow:
    """Make Sonarr have a show and monitor its wanted seasons; the others stay as they are.

    A wanted season that Sonarr does not know is `missing`; without any known one, and for an
    unknown show, the error is of the class `not_yet`.

    Seasons in `search_again` are searched for even if they were monitored already, unless the
    server lists such a search: pass the unfinished ones for every attempt but the first, since a
    lost response may have hidden that the search was not started. Raises ArrError, or
    LeaseShortError before a change that `may_change` does not allow.
    """
    wanted = labels(options, title.requesters)
    tvdb_id = title.tvdb_id or tvdb_id_of(client, title.tmdb_id)
    series = _read(client, tvdb_id)
    if series is None:
        known = look_up(client, tvdb_id)
        _require_known(title.seasons, known)
        tags = tag_ids(client, wanted, may_change)
        try:
            added = add(client, known, title, options, tags, may_change)
        except RejectedError as error:
            series = _read_after(client, tvdb_id, error)
        else:
            return _found(added, tvdb_id, title.seasons)
    _require_known(title.seasons, series)
    tags = tag_ids(client, wanted, may_change)
    changed = _monitor(client, series, title.seasons, tags, may_change)
    if options.search:
        external_id = required_id(series, "series")
        again = _incomplete(series, title.seasons & search_again) - changed
        if again:
            again -= searched_seasons(client, external_id)
        for season in sorted(changed | again):
            command = {
                "name": "SeasonSearch",
                "seriesId": external_id,
                "seasonNumber": season,
            }
            client.change("POST", "command", command, may_change)
    return _found(series, tvdb_id, title.seasons)


def check(client: ArrClient, tvdb_id: int, seasons: frozenset[int]) -> FoundShow | None:
    """Return seasons as Sonarr has them, None when it does not have the show."""
    series = _read(client, tvdb_id)
    if series is None:
        return None
    found = _found(series, tvdb_id, seasons)
    # Sonarr fetches nothing of a show that is not monitored, whatever its seasons say.
    fetched = frozenset() if series.get("monitored") is False else _monitored(series)
    unmonitored = found.submitted - fetched
    return found._replace(
        submitted=found.submitted - unmonitored, missing=found.missing | unmonitored
    )


def _read(client: ArrClient, tvdb_id: int) -> dict[str, Any] | None:
    # A proxy that drops the query would return every show.
    return next(
        (
            each
            for each in objects(client.get("series", tvdbId=tvdb_id), "series")
            if each.get("tvdbId") == tvdb_id
        ),
        None,
    )


def _read_after(client: ArrClient, tvdb_id: int, error: RejectedError) -> dict[str, Any]:
    """Return the show that another caller added meanwhile; raises ArrError if there is none."""
    problem = error.about("tvdbid")
    if problem is None:
        raise error
    series = _read(client, tvdb_id)
    if series is not None:
        return series
    if problem.code is None:
        # No validator: Sonarr did not find the show in its own source.
        raise ArrError("not_yet", "TITLE_UNKNOWN", error.message) from error
    raise error


def _require_known(wanted: frozenset[int], series: dict[str, Any]) -> None:
    if not wanted & set(_seasons(series)):
        numbers = ", ".join(map(str, sorted(wanted)))
        raise ArrError("not_yet", "SEASON_UNKNOWN", f"Sonarr does not know the seasons: {numbers}")


def _monitor(
    client: ArrClient,
    series: dict[str, Any],
    wanted: frozenset[int],
    tags: frozenset[int],
    may_change: Callable[[], bool],
) -> frozenset[int]:
    """Monitor seasons and add tags; returns the seasons for which that changed something."""
    external_id = required_id(series, "series")
    before = _monitored(series)
    known = wanted & set(_seasons(series))
    current = ids(series.get("tags"), "series")
    was_monitored = series.get("monitored") is True
    if not was_monitored or not known <= before or not tags <= set(current):
        body = {
            **series,
            "monitored": True,
            "tags": sorted({*current, *tags}),
            "seasons": [
                {**each, "monitored": True} if each.get("seasonNumber") in known else each
                for each in series["seasons"]
            ],
        }
        client.change("PUT", f"series/{external_id}", body, may_change)
    # Sonarr monitors the episodes of a season only when the season's own flag changes.
    already = _incomplete(series, known & before)
    filled = {each for each in already if _monitor_episodes(client, external_id, each, may_change)}
    # Without a monitored show, Sonarr has searched for none of its seasons.
    return (known - before) | (filled if was_monitored else already)


def _monitor_episodes(
    client: ArrClient, external_id: int, season: int, may_change: Callable[[], bool]
) -> bool:
    """Monitor the episodes of a season that have no file; returns whether one was not."""
    episodes = objects(client.get("episode", seriesId=external_id, seasonNumber=season), "episode")
    found = [
        required_id(each, "episode")
        for each in episodes
        if each.get("seasonNumber") == season
        and each.get("hasFile") is not True
        and each.get("monitored") is not True
    ]
    if found:
        body = {"episodeIds": found, "monitored": True}
        client.change("PUT", "episode/monitor", body, may_change)
    return bool(found)


def _seasons(series: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {
        found: each
        for each in objects(series.get("seasons"), "series")
        if (found := number(each.get("seasonNumber"))) is not None
    }


def _monitored(series: dict[str, Any]) -> frozenset[int]:
    seasons = _seasons(series).items()
    return frozenset(found for found, each in seasons if each.get("monitored") is True)


def _incomplete(series: dict[str, Any], seasons: frozenset[int]) -> frozenset[int]:
    """Return those seasons of the show that lack a file of an episode."""
    known = _seasons(series)
    return frozenset(each for each in seasons & set(known) if not _is_complete(known[each]))


def _is_complete(season: dict[str, Any]) -> bool:
    """Return whether every episode of a season has a file, also those that are still to come."""
    statistics = season.get("statistics")
    fields = statistics if isinstance(statistics, dict) else {}
    files, episodes = (
        number(fields.get(f"{each}Count")) for each in ("episodeFile", "totalEpisode")
    )
    return bool(episodes) and files is not None and files >= (episodes or 0)


def _found(series: dict[str, Any], tvdb_id: int, wanted: frozenset[int]) -> FoundShow:
    known = wanted & set(_seasons(series))
    submitted = _incomplete(series, known)
    return FoundShow(
        required_id(series, "series"),
        tvdb_id,
        text(series.get("titleSlug")),
        submitted,
        known - submitted,
        wanted - known,
    )
