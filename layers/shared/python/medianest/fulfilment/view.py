"""The fulfilment that a request shows, derived from its items when it is read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.fulfilment.models import (
    Fulfilment,
    FulfilmentError,
    FulfilmentState,
    SeasonState,
    ServerName,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The state of a request is the first of these that one of its items has.
_ORDER: tuple[FulfilmentState, ...] = ("failed", "queued", "manual", "submitted", "downloaded")
# The reasons that concern the title. The texts of the others can name an admin's server, or be its.
_FOR_EVERYBODY = frozenset(
    {
        "TITLE_REMOVED",
        "SEASON_UNKNOWN",
        "TVDB_ID_UNKNOWN",
        "REMOVED_ON_SERVER",
        "JOB_CANCELLED",
    }
)
_NEUTRAL = "The title could not be handed over; an admin sees why."


def fulfilment(
    items: Sequence[Mapping[str, Any]] | None, admins: Mapping[str, Any] | None = None
) -> Fulfilment | None:
    """Return the fulfilment of a request, None unless it is approved.

    `items` and `admins` are the columns of `repository.ITEMS` and `repository.FOR_ADMINS`. The
    requester sees the error of a failure, without the server's words; an admin also sees why a
    title waits.
    """
    if not items:
        return None
    states = [_state(each["state"]) for each in items]
    state = next(each for each in _ORDER if each in states)
    first = next(each for each, own in zip(items, states, strict=True) if own == state)
    seasons = [
        SeasonState(each["season"], own)
        for each, own in zip(items, states, strict=True)
        if each["season"] is not None
    ]
    since = _time(first["since"])
    error = _error(first["failure"]) if state == "failed" else None
    if admins is None:
        return Fulfilment(state, since, seasons or None, _without_details(error))
    server, job = admins["server"], admins["job"]
    if state in {"queued", "submitted"}:
        error = _delay(server, job if state == "queued" else None)
    return Fulfilment(
        state,
        since,
        seasons or None,
        error,
        None if server is None else ServerName(UUID(server["id"]), server["name"]),
        _job_id(job, first["failure"]),
    )


def _state(state: str) -> FulfilmentState:
    match state:
        case "queued" | "submitted" | "downloaded" | "failed":
            return state
        case _:
            return "manual"


def _without_details(error: FulfilmentError | None) -> FulfilmentError | None:
    if error is None or error.code in _FOR_EVERYBODY:
        return error
    return error._replace(message=_NEUTRAL)


def _delay(
    server: Mapping[str, Any] | None, job: Mapping[str, Any] | None
) -> FulfilmentError | None:
    """Return why a title waits: its server is disabled, its job has failed, or its server is down.

    Another job may have found that the server is down, so the job of the title need not know. A
    server that has the title is down without a job of it.
    """
    if server is not None and not server["enabled"]:
        return FulfilmentError("SERVER_DISABLED", "The server is disabled.")
    if job is not None and job["error"] is not None:
        return _error(job["error"], _time(job["run_at"]))
    return None if server is None else _error(server["error"])


def _error(
    stored: Mapping[str, Any] | None, retry_at: datetime | None = None
) -> FulfilmentError | None:
    return None if stored is None else FulfilmentError(stored["code"], stored["message"], retry_at)


def _job_id(job: Mapping[str, Any] | None, failure: Mapping[str, Any] | None) -> UUID | None:
    """Return the job that is queued or leased, else the one that failed the item."""
    found = job["id"] if job is not None else (failure or {}).get("jobId")
    return None if found is None else UUID(found)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
