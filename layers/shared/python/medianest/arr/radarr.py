"""The hand-over of a film to Radarr, as a reconciliation: whatever happened before, it ends right.

Nothing is ever deleted or unset on the server. A PUT replaces the whole object, so it is made only
with the object as read just before, and only if it changes something.
"""

from collections.abc import Callable
from typing import Any

from medianest.arr.client import ArrClient, RejectedError
from medianest.arr.models import ArrError, Found, MovieWanted, Options, labels
from medianest.arr.searches import searched_films
from medianest.arr.tags import tag_ids
from medianest.arr.wire import ids, objects, required_id, text


def hand_over(
    client: ArrClient,
    title: MovieWanted,
    options: Options,
    *,
    may_change: Callable[[], bool],
    search_again: bool,
) -> Found:
    """Make Radarr have and monitor a film; one with a file is left as it is.

    `search_again` also searches for a film that was monitored already, unless the server lists such
    a search: pass True for every attempt but the first, since a lost response may have hidden that
    the search was not started. Raises ArrError, or LeaseShortError before a change that
    `may_change` does not allow.
    """
    wanted = labels(options, title.requesters)
    movie = _read(client, title.tmdb_id)
    if movie is None:
        tags = tag_ids(client, wanted, may_change)
        try:
            added = _add(client, title, options, tags, may_change)
        except RejectedError as error:
            movie = _read_after(client, title.tmdb_id, error)
        else:
            return _found(added)
    if movie.get("hasFile") is True:
        return _found(movie)
    tags = tag_ids(client, wanted, may_change)
    was_monitored = _monitor(client, movie, tags, may_change)
    film = required_id(movie, "movie")
    if options.search and (
        not was_monitored or (search_again and film not in searched_films(client))
    ):
        command = {"name": "MoviesSearch", "movieIds": [film]}
        client.change("POST", "command", command, may_change)
    return _found(movie)._replace(is_monitored=True)


def check(client: ArrClient, tmdb_id: int) -> Found | None:
    """Return a film as Radarr has it, None when it has none."""
    movie = _read(client, tmdb_id)
    return None if movie is None else _found(movie)


def _read(client: ArrClient, tmdb_id: int) -> dict[str, Any] | None:
    # A proxy that drops the query would return every film.
    return next(
        (
            each
            for each in objects(client.get("movie", tmdbId=tmdb_id), "movie")
            if each.get("tmdbId") == tmdb_id
        ),
        None,
    )


def _add(
    client: ArrClient,
    title: MovieWanted,
    options: Options,
    tags: frozenset[int],
    may_change: Callable[[], bool],
) -> dict[str, Any]:
    body = {
        "tmdbId": title.tmdb_id,
        "title": title.title,
        "qualityProfileId": options.quality_profile_id,
        "rootFolderPath": options.root_folder_path,
        "minimumAvailability": options.minimum_availability,
        "monitored": True,
        "tags": sorted(tags),
        "addOptions": {"searchForMovie": options.search},
    }
    added = client.change("POST", "movie", body, may_change)
    return added if isinstance(added, dict) else {}


def _read_after(client: ArrClient, tmdb_id: int, error: RejectedError) -> dict[str, Any]:
    """Return the film that another caller added meanwhile; raises ArrError if there is none."""
    problem = error.about("tmdbid")
    if problem is None:
        raise error
    movie = _read(client, tmdb_id)
    if movie is not None:
        return movie
    if problem.code is None:
        # No validator: Radarr did not find the film in its own source.
        raise ArrError("not_yet", "TITLE_UNKNOWN", error.message) from error
    raise error


def _monitor(
    client: ArrClient, movie: dict[str, Any], tags: frozenset[int], may_change: Callable[[], bool]
) -> bool:
    """Monitor a film and add its tags; returns whether it was monitored before."""
    was_monitored = movie.get("monitored") is True
    current = ids(movie.get("tags"), "movie")
    if not was_monitored or not tags <= set(current):
        changed = {**movie, "monitored": True, "tags": sorted({*current, *tags})}
        client.change("PUT", f"movie/{required_id(movie, 'movie')}", changed, may_change)
    return was_monitored


def _found(movie: dict[str, Any]) -> Found:
    return Found(
        required_id(movie, "movie"),
        text(movie.get("titleSlug")),
        has_file=movie.get("hasFile") is True,
        is_monitored=movie.get("monitored") is True,
    )
