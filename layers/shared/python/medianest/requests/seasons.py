"""The seasons of a show that a request names, and their validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.core.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medianest.catalog.models import TitleDetails
    from medianest.requests.schemas import RequestIn


def seasons_of(title: TitleDetails, body: RequestIn) -> list[int]:
    """Return the requested seasons; by default all that have started, without specials (season 0).

    A request may name any season that TMDB lists, also one that has not started. Raises
    VALIDATION_ERROR.
    """
    if title.media_type == "movie":
        if body.seasons is not None:
            raise invalid("body.seasons", "A film has no seasons: leave this out")
        return []
    problem = season_problem(title, body)
    if problem is not None:
        raise invalid(*problem)
    return (title.started_seasons or []) if body.seasons is None else body.seasons


def season_problem(title: TitleDetails, body: RequestIn) -> tuple[str, str] | None:
    """Return the field and message of the problem with the requested seasons, or None."""
    if title.media_type == "movie":
        return None
    available = [season.number for season in title.seasons]
    requested = body.seasons or title.started_seasons or []
    unknown = sorted(set(requested) - set(available))
    if requested and not unknown:
        return None
    field = "body.tmdbId" if body.seasons is None else "body.seasons"
    if not available:
        return field, "This show has no seasons that can be requested yet"
    if unknown:
        return field, (
            f"This show has no {_season_list(unknown)}. It has {_season_list(available)}."
        )
    if available == [0]:
        return field, "Only season 0 (specials) can be requested: name it in seasons"
    return field, (
        "No season of this show has an episode or an air date yet."
        f" Name in seasons what to request: it has {_season_list(available)}."
    )


def _season_list(numbers: Sequence[int]) -> str:
    """Return ascending season numbers as text, as in `seasons 0 to 5, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"season{'s' if len(numbers) > 1 else ''} {', '.join(texts)}"
