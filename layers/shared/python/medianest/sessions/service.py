"""Rules of sessions: the row is the truth, the token names it, the cache repeats it briefly."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.cache import shared_cache
from medianest.core.caller import Caller
from medianest.core.clock import now
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_token
from medianest.core.observability import count, logger
from medianest.sessions import repository, tokens
from medianest.sessions.models import LiveSession, NewSession
from medianest.sessions.schemas import SessionOut
from medianest.system_config.service import session_lifetimes
from medianest.users import repository as users_repository
from medianest.users.models import Principal, User
from medianest.users.service import lock_active_user, lock_admins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

# Section 5 of the contract: the cache holds a session for at most this long.
CACHE_SECONDS = 60
# How long an environment trusts cached sessions before it looks for ends that the cache missed.
ENDED_POLL_SECONDS = 1.0
# Ends that one script writes to the cache.
_BATCH = 500
_TOMBSTONE = "ended"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in or a refresh gives."""

    user: User
    session_id: UUID
    token: str
    expires_at: datetime


def open_session(connection: Connection[Any], user: User, caller: Caller) -> SignedIn:
    """Make a session and its token, in the transaction of the sign-in."""
    return _signed_in(user, repository.add(connection, user.id, caller, session_lifetimes()))


def authenticate(token: str, *, fresh: bool) -> Principal:
    """Return who a token belongs to; raises JWT_INVALID unless its session holds now.

    `fresh` asks the row and not the cache, which may be CACHE_SECONDS behind.
    """
    claims = tokens.verify(token)
    session = None if fresh else _cached(claims)
    if session is not None and _missed_ends().has(claims.session_id):
        session = None
    if session is None:
        with database().transaction() as connection:
            session = repository.live(connection, claims.session_id, session_lifetimes().idle)
            if session is not None and not session.seen:
                repository.touch(connection, session.id)
        # Not one just noted as seen: an end at the same time reaches the cache only for sessions
        # that were seen lately (`users.repository`), and could not see that note yet.
        if session is not None and session.seen:
            _cache(session)
    if session is None or session.user_id != claims.user_id:
        raise invalid_token()
    return Principal(session.user_id, session.id, session.role)


def refresh(principal: Principal, caller: Caller) -> SignedIn:
    """Give the session a new token and end the old one; never past the absolute end of the sign-in.

    Raises JWT_INVALID when the session has ended, or another refresh was faster.
    """
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        session = repository.replace(connection, principal.session_id, caller, session_lifetimes())
        user = users_repository.get(connection, principal.user_id)
        if session is None or user is None:
            raise invalid_token()
        audit_repository.record_repeated(
            connection, Action.SESSION_REFRESHED, caller, user_id=user.id
        )
    invalidate(user.id, [principal.session_id])
    return _signed_in(user, session)


def list_mine(principal: Principal) -> list[SessionOut]:
    """Return the sessions of the user who asks."""
    with database().transaction() as connection:
        sessions = repository.of_user(connection, principal.user_id, session_lifetimes().idle)
    return [
        SessionOut(
            id=session.id,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
            ip=session.ip,
            user_agent=session.user_agent,
            current=session.id == principal.session_id,
        )
        for session in sessions
    ]


def revoke(principal: Principal, caller: Caller, session_id: UUID) -> None:
    """End one of one's own sessions; raises NOT_FOUND, also for somebody else's."""
    user_id = principal.user_id
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        ended = repository.revoke(connection, user_id=user_id, session_id=session_id)
        if not ended:
            raise AppError(ErrorCode.NOT_FOUND)
        _record_end(connection, user_id, user_id, len(ended), caller)
    invalidate(user_id, ended)


def sign_out(principal: Principal, caller: Caller, *, all_sessions: bool) -> None:
    """End the session that asks, or all of its user's.

    Raises JWT_INVALID, and ends nothing, when the session has ended or was refreshed meanwhile.
    """
    user_id, session_id = principal.user_id, principal.session_id
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        if all_sessions:
            number, ended = repository.revoke_all(connection, user_id)
        else:
            ended = repository.revoke(connection, user_id=user_id, session_id=session_id)
            number = len(ended)
        audit_repository.record(
            connection,
            Action.SIGN_OUT,
            caller,
            user_id=user_id,
            target=("session", session_id),
            details={"sessions": number},
        )
    invalidate(user_id, ended)


def revoke_previous(connection: Connection[Any], former: Principal, caller: Caller) -> list[UUID]:
    """End the session with which somebody signs in again; `invalidate` it after the commit."""
    ended = repository.revoke(connection, user_id=former.user_id, session_id=former.session_id)
    if ended:
        _record_end(connection, former.user_id, former.user_id, len(ended), caller)
    return ended


def revoke_all(user_id: UUID, admin: Principal, caller: Caller) -> None:
    """End all sessions of a user, as an admin; raises NOT_FOUND, or as `lock_admins` does."""
    with database().transaction() as connection:
        lock_admins(connection, admin)
        if users_repository.get(connection, user_id) is None:
            raise AppError(ErrorCode.NOT_FOUND)
        number, ended = repository.revoke_all(connection, user_id)
        if number:
            _record_end(connection, admin.user_id, user_id, number, caller)
    invalidate(user_id, ended)


def invalidate(user_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Make the cache refuse sessions that have ended; after the commit, which noted them.

    A tombstone and not a deletion: an environment that read the row before the commit may be about
    to cache it, and that only fills what is empty. What the cache does not take stays in the
    database, where every environment looks (`MissedEnds`).
    """
    for batch in batched(session_ids, _BATCH, strict=False):
        keys = [_key(user_id, session_id) for session_id in batch]
        if not shared_cache().set_each(keys, _TOMBSTONE, seconds=CACHE_SECONDS):
            count("SessionEndNotCached")
            continue
        try:
            with database().transaction() as connection:
                repository.settle(connection, batch)
        except AppError as error:
            # The sessions have ended, and the cache knows. The rows are only written once more.
            logger.warning("session_end_not_settled", extra={"cause": error.code})


class MissedEnds:
    """Ends of sessions that the cache missed while it was down, hung or full."""

    def __init__(self) -> None:
        self._looked_at = 0.0
        self._missed: frozenset[UUID] = frozenset()

    def has(self, session_id: UUID) -> bool:
        """Tell whether the cache missed the end of a session; bring it all that it missed.

        Looks once in ENDED_POLL_SECONDS, so a cached session outlives its end by no more than that,
        whatever the cache did.
        """
        # Not monotonic(), which may stand still while an environment is frozen.
        if abs(time.time() - self._looked_at) >= ENDED_POLL_SECONDS:
            with database().transaction() as connection:
                missed = repository.ended(connection, session_id, limit=_BATCH)
            self._looked_at = time.time()
            self._missed = frozenset(each.session_id for each in missed)
            for user_id, ended in groupby(missed, key=lambda each: each.user_id):
                invalidate(user_id, [each.session_id for each in ended])
        return session_id in self._missed


def _signed_in(user: User, session: NewSession) -> SignedIn:
    token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session.id,
        issued=session.issued_at,
        expires=session.expires_at,
    )
    return SignedIn(user, session.id, token, session.expires_at)


def _record_end(
    connection: Connection[Any], actor: UUID, owner: UUID, ended: int, caller: Caller
) -> None:
    audit_repository.record(
        connection,
        Action.SESSION_REVOKED,
        caller,
        user_id=actor,
        target=("user", owner),
        details={"sessions": ended},
    )


def _cached(claims: tokens.Claims) -> LiveSession | None:
    """Return a session as the cache has it; raises JWT_INVALID when it has expired since."""
    value = shared_cache().get(_key(claims.user_id, claims.session_id))
    if value is None or value == _TOMBSTONE:
        return None
    try:
        kept = json.loads(value)
        expires_at = datetime.fromisoformat(kept["expires_at"])
        role = kept["role"]
    except (ValueError, KeyError, TypeError):
        return None  # another release kept something else there
    if expires_at <= now():
        raise invalid_token()
    return LiveSession(claims.session_id, claims.user_id, role, expires_at, seen=True)


def _cache(session: LiveSession) -> None:
    kept = {"role": session.role, "expires_at": session.expires_at.isoformat()}
    key = _key(session.user_id, session.id)
    shared_cache().add(key, json.dumps(kept), seconds=CACHE_SECONDS)


def _key(user_id: UUID, session_id: UUID) -> str:
    # The braces put the sessions of a user into one slot of a cluster, where one script may end
    # them all.
    return f"session:{{{user_id}}}:{session_id}"


@cache
def _missed_ends() -> MissedEnds:
    return MissedEnds()
