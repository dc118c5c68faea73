"""Rules of requests (section 4 of the contract): PostgreSQL decides, whoever comes at once.

Lock order, which prevents deadlocks. Every transaction that writes locks in this order:

1. the row of the user who acts (`users.service.lock_active_user`), and no other user's: all that a
   transaction writes refers, where it is new, to that one user, so no foreign key makes it wait for
   a user later;
2. requests, in the order of their ids;
3. what they hold, in the order of seasons, where the unique indexes make one wait for another.

So who waits for a user holds nothing that others could wait for (of an idempotency key it is only
asked whether it is free), and who holds something waits only for what comes later in the order.
Who changes or deletes a user, or ends their sessions, locks the admins by id
(`users.service.lock_admins`) and then that one, before a deletion goes on to requests and what they
hold: the same order. Settings and sessions come after users, too. Only who signs in may lock two
users, in any order: `FOR NO KEY UPDATE` their own and `FOR KEY SHARE` that of the former session,
which let each other pass.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.catalog import service as catalog
from medianest.catalog.models import SEARCH_PAGE_SIZE, CachedValue
from medianest.core.db import database
from medianest.core.envelope import ApiError, PageResponse, page_of
from medianest.core.errors import AppError, ErrorCode, invalid
from medianest.core.observability import count
from medianest.requests import quotas, repository
from medianest.requests.schemas import (
    AdminRequestOut,
    CreatedRequestOut,
    DecisionOut,
    RequesterOut,
    RequestOut,
    SeasonOut,
    TitleDetailsOut,
    TitleOut,
    TitleRequestOut,
)
from medianest.system_config import service as system_config
from medianest.users.service import lock_active_user, lock_admin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from medianest.catalog.models import MediaType, Title, TitleDetails
    from medianest.core.caller import Caller, Principal
    from medianest.requests.models import (
        Decision,
        MediaRequest,
        RequestStatus,
        RequestWithRequester,
        TitleRequest,
    )
    from medianest.requests.schemas import (
        AdminRequestQuery,
        DecisionsIn,
        RequestIn,
        RequestQuery,
        SearchQuery,
    )
    from medianest.users.models import Actor

MAX_KEY_CHARS = 200
_DECISIONS: dict[Decision, Action] = {
    "approved": Action.REQUEST_APPROVED,
    "declined": Action.REQUEST_DECLINED,
}


def search(query: SearchQuery, user_id: UUID) -> CachedValue[PageResponse[TitleOut]]:
    """Return a page of titles, each with whether it is requested already."""
    found = catalog.search(query.q, query.type, query.page)
    page = found.value
    with database().transaction() as connection:
        states = repository.of_titles(connection, user_id, page.titles)
    by_title = {(state.media_type, state.tmdb_id): state for state in states}
    items = [_title_out(title, by_title) for title in page.titles]
    return CachedValue(
        page_of(items, page=page.page, limit=SEARCH_PAGE_SIZE, total=page.total),
        found.stale_seconds,
    )


def details(media_type: MediaType, tmdb_id: int, user_id: UUID) -> CachedValue[TitleDetailsOut]:
    """Return a title, and of a show each season, with whether it is requested already.

    Raises AppError NOT_FOUND or CATALOG_UNAVAILABLE.
    """
    found = catalog.details(media_type, tmdb_id)
    title = found.value
    with database().transaction() as connection:
        held = repository.of_title(connection, user_id, title)
    states = {item.season: TitleRequestOut.model_validate(item) for item in held}
    seasons = [
        SeasonOut.model_validate(season).model_copy(update={"request": states.get(season.number)})
        for season in title.seasons
    ]
    out = TitleDetailsOut.model_validate(title).model_copy(
        update={
            "genres": list(title.genres) or None,
            "seasons": seasons if media_type == "tv" else None,
            "request": states[held[0].season] if held else None,
        }
    )
    return CachedValue(out, found.stale_seconds)


def create(
    body: RequestIn, principal: Principal, caller: Caller, key: str | None
) -> CreatedRequestOut:
    """Make a request; with an idempotency key a repeated call gets the same request, as it is now.

    Raises AppError VALIDATION_ERROR, ALREADY_REQUESTED, QUOTA_EXCEEDED, CATALOG_UNAVAILABLE,
    IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or REQUEST_CANCELLED, and JWT_INVALID for a
    user who was deleted or suspended since the call was authenticated; then nothing was written.
    """
    fingerprint = sha256(body.model_dump_json().encode()).digest()
    if key is not None:
        _check_key(key)
        # Only spares a repeated call the way to TMDB: what counts is asked again under the lock.
        with database().transaction() as connection:
            if replayed := _replayed(connection, principal, key, fingerprint):
                return replayed
    title = catalog.title_for_request(
        body.media_type, body.tmdb_id, lambda title: _season_problem(title, body) is None
    )
    seasons = _seasons_of(title, body)
    with database().transaction() as connection:
        if key is not None:
            if not repository.lock_key(connection, principal.user_id, key):
                raise AppError(ErrorCode.IDEMPOTENCY_IN_PROGRESS, headers={"Retry-After": "1"})
            if replayed := _replayed(connection, principal, key, fingerprint):
                return replayed
        actor = lock_active_user(connection, principal)
        request = _insert(connection, title, seasons, body.comment, actor, principal.user_id)
        quotas.check(connection, actor, request)
        _record_creation(connection, request, caller)
        skipped = sorted(set(seasons) - set(request.seasons or []))
        created = CreatedRequestOut.model_validate(request).model_copy(
            update={"skipped_seasons": skipped or None}
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
    if created.status != "pending":
        count("RequestDecided")
    return created


def get(request_id: UUID, viewer_id: UUID) -> RequestOut:
    """Return a request to its owner or an admin; raises NOT_FOUND for anybody else."""
    with database().transaction() as connection:
        request = repository.get_for(connection, request_id, viewer_id)
    if request is None:
        raise AppError(ErrorCode.NOT_FOUND)
    return RequestOut.model_validate(request)


def cancel(request_id: UUID, principal: Principal, caller: Caller) -> None:
    """Remove a pending request, which frees its title; one's own, or any as an admin.

    Raises NOT_FOUND, also for somebody else's, or INVALID_STATE.
    """
    with database().transaction() as connection:
        actor = lock_active_user(connection, principal)
        owner_id = None if actor.role == "admin" else principal.user_id
        request = repository.delete_pending(connection, request_id, owner_id=owner_id)
        if request is None:
            raise _refusal(repository.status_of(connection, request_id, owner_id=owner_id))
        details = _described(request)
        if request.user_id != principal.user_id:
            details["ownerId"] = str(request.user_id)
        audit.record(
            connection,
            Action.REQUEST_CANCELLED,
            caller,
            user_id=principal.user_id,
            target=("request", request_id),
            details=details,
        )
    count("RequestCancelled")


def list_mine(query: RequestQuery, user_id: UUID) -> PageResponse[RequestOut]:
    """Return a page of a user's requests."""
    with database().transaction() as connection:
        requests, total = repository.page(connection, query, user_id)
    items = [RequestOut.model_validate(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def list_all(query: AdminRequestQuery) -> PageResponse[AdminRequestOut]:
    """Return a page of all requests, with who asked."""
    with database().transaction() as connection:
        requests, total = repository.page(connection, query, query.user_id)
    items = [_admin_out(request) for request in requests]
    return page_of(items, page=query.page, limit=query.limit, total=total)


def approve(request_id: UUID, note: str | None, admin: Principal, caller: Caller) -> RequestOut:
    """Approve a pending request; raises NOT_FOUND or INVALID_STATE."""
    return _decide_one(request_id, "approved", admin, caller, {"note": note} if note else {})


def decline(request_id: UUID, reason: str, admin: Principal, caller: Caller) -> RequestOut:
    """Decline a pending request, which frees its title; raises NOT_FOUND or INVALID_STATE."""
    return _decide_one(request_id, "declined", admin, caller, {"reason": reason})


def decide(body: DecisionsIn, admin: Principal, caller: Caller) -> list[DecisionOut]:
    """Decide those of many requests that are pending, and say of each what became of it."""
    decision: Decision
    if body.decision == "approve":
        if body.reason is not None:
            raise invalid("body.reason", "Only for a decision to decline")
        decision, details = "approved", {"note": body.note} if body.note else {}
    else:
        if body.note is not None:
            raise invalid("body.note", "Only for a decision to approve")
        if body.reason is None:
            raise invalid("body.reason", "Required to decline")
        decision, details = "declined", {"reason": body.reason}
    with database().transaction() as connection:
        found = _decide(connection, body.ids, decision, admin, caller, details)
    decided = list(found.values()).count("pending")
    if decided:
        count("RequestDecided", decided)
    return [_decision_out(each, decision, found.get(each)) for each in body.ids]


def _decide_one(
    request_id: UUID,
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
) -> RequestOut:
    with database().transaction() as connection:
        found = _decide(connection, [request_id], decision, admin, caller, details)
        if found.get(request_id) != "pending":
            raise _refusal(found.get(request_id))
        decided = repository.get(connection, request_id)
    count("RequestDecided")
    return RequestOut.model_validate(decided)


def _decide(
    connection: Connection[Any],
    request_ids: Sequence[UUID],
    decision: Decision,
    admin: Principal,
    caller: Caller,
    details: dict[str, str],
) -> dict[UUID, RequestStatus]:
    """Decide those requests that are pending; return the status of each as it was found."""
    lock_admin(connection, admin)
    found = repository.lock(connection, request_ids)
    pending = [each for each in request_ids if found.get(each) == "pending"]
    repository.decide(
        connection, pending, decision, admin_id=admin.user_id, reason=details.get("reason")
    )
    if decision == "declined":
        repository.release(connection, pending)
    audit.record_each(
        connection,
        _DECISIONS[decision],
        caller,
        user_id=admin.user_id,
        target_type="request",
        target_ids=pending,
        details=details,
    )
    return found


def _refusal(status: RequestStatus | None) -> AppError:
    """Return why a request that is not pending cannot be decided or cancelled."""
    if status is None:
        return AppError(ErrorCode.NOT_FOUND)
    return AppError(ErrorCode.INVALID_STATE, details={"status": status})


def _decision_out(request_id: UUID, decision: Decision, found: RequestStatus | None) -> DecisionOut:
    if found == "pending":
        return DecisionOut(id=request_id, status=decision)
    error = _refusal(found)
    return DecisionOut(
        id=request_id,
        error=ApiError(code=error.code, message=error.message, details=error.details),
    )


def _insert(
    connection: Connection[Any],
    title: TitleDetails,
    seasons: list[int],
    comment: str | None,
    actor: Actor,
    user_id: UUID,
) -> MediaRequest:
    """Insert a request and what it holds; raises ALREADY_REQUESTED when that is nothing."""
    approved = system_config.auto_approval(actor.role)
    request_id = repository.add(
        connection,
        user_id,
        title,
        comment,
        approved=approved.movie if title.media_type == "movie" else approved.tv,
    )
    if title.media_type == "movie":
        held = repository.hold_movie(connection, request_id, title.tmdb_id)
    else:
        held = bool(repository.hold_seasons(connection, request_id, title.tmdb_id, seasons))
    if not held:
        own_id = repository.own_holder(
            connection, user_id, title.media_type, title.tmdb_id, seasons
        )
        raise AppError(
            ErrorCode.ALREADY_REQUESTED, details={"requestId": str(own_id)} if own_id else None
        )
    return repository.get(connection, request_id)


def _record_creation(connection: Connection[Any], request: MediaRequest, caller: Caller) -> None:
    """Audit a new request, and its approval where it needed no decision."""
    rows = [(Action.REQUEST_CREATED, _described(request))]
    if request.status == "approved":
        rows.append((Action.REQUEST_APPROVED, {"auto": True}))
    for action, details in rows:
        audit.record(
            connection,
            action,
            caller,
            user_id=request.user_id,
            target=("request", request.id),
            details=details,
        )


def _described(request: MediaRequest) -> dict[str, Any]:
    """Return what the audit log says of what a request is for."""
    details: dict[str, Any] = {
        "mediaType": request.media_type,
        "tmdbId": request.tmdb_id,
        "title": request.title,
    }
    if request.seasons is not None:
        details["seasons"] = request.seasons
    return details


def _seasons_of(title: TitleDetails, body: RequestIn) -> list[int]:
    """Return the seasons asked for; without a word all that have begun but specials (season 0).

    A named season may be any that TMDB lists, also one that is announced only. Raises
    VALIDATION_ERROR.
    """
    if title.media_type == "movie":
        if body.seasons is not None:
            raise invalid("body.seasons", "A film has no seasons: leave this out")
        return []
    problem = _season_problem(title, body)
    if problem is not None:
        raise invalid(*problem)
    return _begun(title) if body.seasons is None else body.seasons


def _season_problem(title: TitleDetails, body: RequestIn) -> tuple[str, str] | None:
    """Return the field and message of a request for seasons that a show has not."""
    if title.media_type == "movie":
        return None
    listed = [season.number for season in title.seasons]
    wanted = body.seasons or _begun(title)
    unknown = sorted(set(wanted) - set(listed))
    if wanted and not unknown:
        return None
    field = "body.tmdbId" if body.seasons is None else "body.seasons"
    if not listed:
        return field, "This show has no seasons that can be requested yet"
    if unknown:
        has = f"It has {_numbered(listed)}."
        return field, f"This show has no {_numbered(unknown)}. {has}"
    if listed == [0]:
        return field, "Only season 0 (specials) can be requested: name it in seasons"
    return field, (
        "No season of this show has an episode or an air date yet."
        f" Name in seasons what to request: it has {_numbered(listed)}."
    )


def _begun(title: TitleDetails) -> list[int]:
    return [
        season.number for season in title.seasons if season.has_begun and not season.is_specials
    ]


def _numbered(numbers: Sequence[int]) -> str:
    """Return ascending season numbers for people, as in `seasons 0 to 5, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"season{'s' if len(numbers) > 1 else ''} {', '.join(texts)}"


def _check_key(key: str) -> None:
    if not 0 < len(key) <= MAX_KEY_CHARS or not (key.isascii() and key.isprintable()):
        raise invalid(
            "header.Idempotency-Key", f"Must be 1 to {MAX_KEY_CHARS} printable ASCII characters"
        )


def _replayed(
    connection: Connection[Any], principal: Principal, key: str, fingerprint: bytes
) -> CreatedRequestOut | None:
    """Return the request that an idempotency key made, as it is now; None for an unused key.

    Raises IDEMPOTENCY_KEY_REUSED, and REQUEST_CANCELLED when the request is gone.
    """
    replay = repository.replay(connection, principal.user_id, key)
    if replay is None:
        return None
    if replay.fingerprint != fingerprint:
        raise AppError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
    first = CreatedRequestOut.model_validate(replay.response)
    request = repository.get_for(connection, first.id, principal.user_id)
    if request is None:
        raise AppError(ErrorCode.REQUEST_CANCELLED)
    return CreatedRequestOut.model_validate(request).model_copy(
        update={"skipped_seasons": first.skipped_seasons}
    )


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
