"""The scheduled task that reads the titles of requests from TMDB, for rows that do not have them.

Those are the rows of earlier releases. No row is locked while TMDB is called, and the task may run
twice at once or late: a row is filled once, and a locked one is left for the next run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

from medianest.catalog import service as catalog_service
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import logger, metrics
from medianest.requests import repository as requests_repository
from medianest.requests.titles import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from medianest.catalog.models import MediaType, TitleDetails
    from medianest.requests.models import UnreadTitle

TASK = "request-titles"
# A call of TMDB with its retry, and the transaction after it, take less.
MIN_SECONDS_LEFT = 12.0
# Rows of one transaction.
BATCH = 50
# TMDB is down after so many failures in a row; fewer may be titles that it cannot return.
MAX_FAILURES = 5
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)

# By title: the details, or None when TMDB has no such title.
type _Titles = Mapping[tuple[MediaType, int], TitleDetails | None]


class FillResult(NamedTuple):
    """The result of a run; `more` is True when rows remain for the next one."""

    task: str
    filled: int
    more: bool


def run(seconds_left: Callable[[], float]) -> FillResult:
    """Fill rows until none is left, the time runs short or TMDB is down.

    A run begins at a random id, so that titles which TMDB cannot return do not keep it from others.
    """
    filled = failures = 0

    def must_stop() -> bool:
        return failures == MAX_FAILURES or seconds_left() <= MIN_SECONDS_LEFT

    for rows in _batches(uuid4()):
        titles: dict[tuple[MediaType, int], TitleDetails | None] = {}
        for key in dict.fromkeys((row.media_type, row.tmdb_id) for row in rows):
            if must_stop():
                break
            try:
                titles[key] = catalog_service.find(*key)
                failures = 0
            except AppError as error:
                if error.code != ErrorCode.CATALOG_UNAVAILABLE:
                    raise
                failures += 1
        filled += _fill([row for row in rows if (row.media_type, row.tmdb_id) in titles], titles)
        if must_stop():
            break
    remaining = bool(_unread(after=FIRST_ID, until=LAST_ID, limit=1))
    result = FillResult(TASK, filled, remaining)
    metrics.add_dimension(name="task", value=TASK)
    metrics.add_metric(name="TitlesFilled", unit="Count", value=filled)
    metrics.add_metric(name="TitlesMore", unit="Count", value=int(remaining))
    logger.info("request_titles", extra={"filled": filled, "more": remaining})
    return result


def _batches(start: UUID) -> Iterator[list[UnreadTitle]]:
    """Yield the rows to fill, each once: those after an id, then those up to it."""
    for after, until in ((start, LAST_ID), (FIRST_ID, start)):
        last = after
        while rows := _unread(after=last, until=until, limit=BATCH):
            yield rows
            last = rows[-1].id


def _unread(*, after: UUID, until: UUID, limit: int) -> list[UnreadTitle]:
    read = partial(repository.unread, after=after, until=until, limit=limit)
    return database().read(read)


def _fill(rows: list[UnreadTitle], titles: _Titles) -> int:
    if not rows:
        return 0
    with database().transaction() as connection:
        return requests_repository.fill_titles(
            connection, [(row, titles[row.media_type, row.tmdb_id]) for row in rows]
        )
