"""Rules of requests (section 4 of the contract): PostgreSQL decides, whoever comes at once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.catalog import service as catalog
from medianest.catalog.models import SEARCH_PAGE_SIZE
from medianest.core.db import database
from medianest.core.envelope import PageResponse, page_of
from medianest.core.errors import AppError, ErrorCode, invalid
from medianest.core.observability import count
from medianest.requests import repository
from medianest.requests.schemas import (
    AdminRequestOut,
    AdminRequestQuery,
    CreatedRequestOut,
    RequesterOut,
    RequestOut,
    TitleOut,
    TitleRequestOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType, Title, TitleDetails
    from medianest.core.caller import Caller, Principal
    from medianest.requests.models import Decision, RequestWithRequester, TitleRequest
    from medianest.requests.schemas import RequestIn, RequestQuery, SearchQuery

MAX_KEY_CHARS = 200
_DECISIONS: dict[Decision, Action] = {
    "approved": Action.REQUEST_APPROVED,
    "declined": Action.REQUEST_DECLINED,
}


def search(query: SearchQuery, user_id: UUID) -> PageResponse[TitleOut]:
    """Return a page of titles, each with whether it is requested already."""
    found = catalog.search(query.q, query.type, query.page)
    with database().transaction() as connection:
        states = repository.of_titles(connection, user_id, found.titles)
    by_title = {(state.media_type, state.tmdb_id): state for state in states}
    items = [_title_out(title, by_title) for title in found.titles]
    return page_of(items, page=found.page, limit=SEARCH_PAGE_SIZE, total=found.total)


def create(
    body: RequestIn, principal: Principal, caller: Caller, key: str | None
) -> CreatedRequestOut:
    """Make a request; with an idempotency key the same call again gets the same answer.

    Raises AppError VALIDATION_ERROR, ALREADY_REQUESTED, CATALOG_UNAVAILABLE,
    IDEMPOTENCY_KEY_REUSED or IDEMPOTENCY_IN_PROGRESS; then nothing was written.
    """
    fingerprint = sha256(body.model_dump_json().encode()).digest()
    if key is not None:
        _check_key(key)
        # Only spares a repeated call the way to TMDB: what counts is asked again under the lock.
        with database().transaction() as connection:
            if replayed := _replayed(connection, principal, key, fingerprint):
                return replayed
    title = catalog.title_for_request(body.media_type, body.tmdb_id)
    seasons = _seasons_of(title, body)
    with database().transaction() as connection:
        if key is not None:
            if not repository.lock_key(connection, principal.user_id, key):
                raise AppError(ErrorCode.IDEMPOTENCY_IN_PROGRESS, headers={"Retry-After": "1"})
            if replayed := _replayed(connection, principal, key, fingerprint):
                return replayed
        created = _insert(connection, title, seasons, body.comment, principal)
        audit.record(
            connection,
            Action.REQUEST_CREATED,
            caller,
            user_id=principal.user_id,
            target=("request", created.id),
            details={"mediaType": title.media_type, "tmdbId": title.tmdb_id},
        )
        if key is not None:
            repository.remember_key(
                connection,
                principal.user_id,
                key,
                fingerprint=fingerprint,
                response=created.model_dump(mode="json", by_alias=True),
            )
    count("RequestCreated")
    return created


def own(query: RequestQuery, user_id: UUID) -> PageResponse[RequestOut]:
    """Return a page of a user's requests."""
    mine = AdminRequestQuery(**query.model_dump(by_alias=True), userId=user_id)
    with database().transaction() as connection:
        requests, total = repository.page(connection, mine)
    items = [RequestOut.model_validate(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def everybodys(query: AdminRequestQuery) -> PageResponse[AdminRequestOut]:
    """Return a page of all requests, with who asked."""
    with database().transaction() as connection:
        requests, total = repository.page(connection, query)
    items = [_admin_out(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def approve(request_id: UUID, note: str | None, admin: Principal, caller: Caller) -> RequestOut:
    """Approve a pending request; raises NOT_FOUND or INVALID_STATE."""
    return _decide(request_id, "approved", admin, caller, {"note": note} if note else {})


def decline(request_id: UUID, reason: str, admin: Principal, caller: Caller) -> RequestOut:
    """Decline a pending request, which frees its title; raises NOT_FOUND or INVALID_STATE."""
    return _decide(request_id, "declined", admin, caller, {"reason": reason})


def _decide(
    request_id: UUID,
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
) -> RequestOut:
    with database().transaction() as connection:
        if not repository.decide(
            connection,
            request_id,
            decision,
            admin_id=admin.user_id,
            reason=details.get("reason"),
        ):
            status = repository.status_of(connection, request_id)
            if status is None:
                raise AppError(ErrorCode.NOT_FOUND)
            raise AppError(ErrorCode.INVALID_STATE, details={"status": status})
        if decision == "declined":
            repository.release(connection, request_id)
        audit.record(
            connection,
            _DECISIONS[decision],
            caller,
            user_id=admin.user_id,
            target=("request", request_id),
            details=details,
        )
        decided = repository.get(connection, request_id)
    count("RequestDecided")
    return RequestOut.model_validate(decided)


def _insert(
    connection: Connection[Any],
    title: TitleDetails,
    seasons: list[int],
    comment: str | None,
    principal: Principal,
) -> CreatedRequestOut:
    """Insert a request and what it holds; raises ALREADY_REQUESTED when that is nothing."""
    request_id = repository.add(connection, principal.user_id, title, comment)
    skipped: list[int] = []
    if title.media_type == "movie":
        held = repository.hold_movie(connection, request_id, title.tmdb_id)
    else:
        got = repository.hold_seasons(connection, request_id, title.tmdb_id, seasons)
        skipped = sorted(set(seasons) - set(got))
        held = bool(got)
    if not held:
        own_id = repository.own_holder(
            connection, principal.user_id, title.media_type, title.tmdb_id, seasons
        )
        raise AppError(
            ErrorCode.ALREADY_REQUESTED, details={"requestId": str(own_id)} if own_id else None
        )
    created = CreatedRequestOut.model_validate(repository.get(connection, request_id))
    return created.model_copy(update={"skipped_seasons": skipped or None})


def _seasons_of(title: TitleDetails, body: RequestIn) -> list[int]:
    """Return the seasons asked for; without a word all but specials (season 0)."""
    if title.media_type == "movie":
        if body.seasons is not None:
            raise invalid("body.seasons", "A film has no seasons")
        return []
    if body.seasons is None:
        seasons = [season for season in title.seasons if season > 0]
        if not seasons:
            raise invalid("body.tmdbId", "This show has no seasons yet")
        return seasons
    unknown = sorted(set(body.seasons) - set(title.seasons))
    if unknown:
        raise invalid("body.seasons", f"This show has no season {unknown[0]}")
    return body.seasons


def _check_key(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY_CHARS or not (key.isascii() and key.isprintable()):
        raise invalid(
            "header.Idempotency-Key", f"Must be 1 to {MAX_KEY_CHARS} printable ASCII characters"
        )


def _replayed(
    connection: Connection[Any], principal: Principal, key: str, fingerprint: bytes
) -> CreatedRequestOut | None:
    replay = repository.replay(connection, principal.user_id, key)
    if replay is None:
        return None
    if replay.fingerprint != fingerprint:
        raise AppError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
    return CreatedRequestOut.model_validate(replay.response)


def _title_out(title: Title, states: dict[tuple[MediaType, int], TitleRequest]) -> TitleOut:
    state = states.get((title.media_type, title.tmdb_id))
    out = TitleOut.model_validate(title)
    if state is None:
        return out
    return out.model_copy(update={"request": TitleRequestOut.model_validate(state)})


def _admin_out(request: RequestWithRequester) -> AdminRequestOut:
    return AdminRequestOut(
        **RequestOut.model_validate(request).model_dump(),
        requester=RequesterOut(id=request.user_id, username=request.username, email=request.email),
    )
