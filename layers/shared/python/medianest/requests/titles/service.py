"""Rules of the titles of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class RequestedSeasons(NamedTuple):
    """The number of a show's requested seasons and of all its seasons, without specials."""

    requested: int
    total: int | None


def requested_seasons(
    requested: Iterable[int | None], started: Iterable[int] | None
) -> RequestedSeasons | None:
    """Return the numbers of a partly requested show, None when all its seasons are requested.

    All are those that have started, and those that were requested before their start. Without
    `started`, `total` is unknown.
    """
    regular = {number for number in requested if number}
    if started is None:
        return RequestedSeasons(len(regular), None)
    known = regular | set(started)
    return None if regular == known else RequestedSeasons(len(regular), len(known))
