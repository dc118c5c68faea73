"""Rules of sessions: the row decides, the token names it, the cache holds a copy for a minute."""

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

# The longest time that the cache holds a session (section 5 of the contract).
CACHE_SECONDS = 60
# The longest time that an environment trusts cached sessions without reading the tombstones.
ENDED_POLL_SECONDS = 1.0
# Tombstones that one script writes to the cache.
_BATCH = 500
_TOMBSTONE = "ended"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a sign-in or a refresh."""

    user: User
    session_id: UUID
    token: str
    expires_at: datetime


def open_session(connection: Connection[Any], user: User, caller: Caller) -> SignedIn:
    """Add a session and sign its token, in the transaction of the sign-in."""
    return _signed_in(user, repository.add(connection, user.id, caller, session_lifetimes()))


def authenticate(token: str, *, fresh: bool) -> Principal:
    """Return the principal of a token; raises JWT_INVALID unless its session is live.

    `fresh` reads the row and not the cache, which may be CACHE_SECONDS behind.
    """
    claims = tokens.verify(token)
    session = None if fresh else _cached(claims)
    if session is not None and _tombstones().has(claims.session_id):
        session = None
    if session is None:
        with database().transaction() as connection:
            session = repository.live(connection, claims.session_id, session_lifetimes().idle)
            if session is not None and not session.seen:
                repository.touch(connection, session.id)
        # A session that this call has just touched is not cached: a concurrent revocation writes
        # tombstones only for sessions with a recent `last_seen_at`, and cannot see ours yet.
        if session is not None and session.seen:
            _cache(session)
    if session is None or session.user_id != claims.user_id:
        raise invalid_token()
    return Principal(session.user_id, session.id, session.role)


def refresh(principal: Principal, caller: Caller) -> SignedIn:
    """Replace the token of a session, within the absolute lifetime of the sign-in.

    Raises JWT_INVALID when the session is not live, or a concurrent refresh was faster.
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
    """Return the live sessions of the caller."""
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
    """Revoke a session of the caller; raises NOT_FOUND, for sessions of other users too."""
    user_id = principal.user_id
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        ended = repository.revoke(connection, user_id=user_id, session_id=session_id)
        if not ended:
            raise AppError(ErrorCode.NOT_FOUND)
        _record_end(connection, user_id, user_id, len(ended), caller)
    invalidate(user_id, ended)


def sign_out(principal: Principal, caller: Caller, *, all_sessions: bool) -> None:
    """Revoke the session of the call, or all sessions of its user.

    Raises JWT_INVALID, and revokes nothing, when the session was revoked or refreshed meanwhile.
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
    """Revoke the session that a new sign-in replaces; call `invalidate` after the commit."""
    ended = repository.revoke(connection, user_id=former.user_id, session_id=former.session_id)
    if ended:
        _record_end(connection, former.user_id, former.user_id, len(ended), caller)
    return ended


def revoke_all(user_id: UUID, admin: Principal, caller: Caller) -> None:
    """Revoke all sessions of a user as an admin; raises NOT_FOUND, or as `lock_admins` does."""
    with database().transaction() as connection:
        lock_admins(connection, admin)
        if users_repository.get(connection, user_id) is None:
            raise AppError(ErrorCode.NOT_FOUND)
        number, ended = repository.revoke_all(connection, user_id)
        if number:
            _record_end(connection, admin.user_id, user_id, number, caller)
    invalidate(user_id, ended)


def invalidate(user_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Invalidate cached sessions, after the commit of their revocation.

    The tombstone is one that a concurrent reader cannot overwrite: an environment that read the row
    before the commit adds its copy only where the cache has none. A tombstone that the cache does
    not accept stays in the database, which every environment polls (`Tombstones`).
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
            # Harmless: the cache has the tombstones, and the next poll writes them again.
            logger.warning("session_end_not_settled", extra={"cause": error.code})


class Tombstones:
    """Tombstones that the cache did not accept while it was down, hanging or full."""

    def __init__(self) -> None:
        self._looked_at = 0.0
        self._missed: frozenset[UUID] = frozenset()

    def has(self, session_id: UUID) -> bool:
        """Check whether the cache lacks the tombstone of a session, and write all it lacks.

        It polls once in ENDED_POLL_SECONDS, so a cached session outlives its revocation by no more,
        whatever the state of the cache.
        """
        # Not monotonic(), which may stop while Lambda freezes the environment.
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
    """Return a cached session, or None; raises JWT_INVALID when it has expired meanwhile."""
    value = shared_cache().get(_key(claims.user_id, claims.session_id))
    if value is None or value == _TOMBSTONE:
        return None
    try:
        kept = json.loads(value)
        expires_at = datetime.fromisoformat(kept["expires_at"])
        role = kept["role"]
    except (ValueError, KeyError, TypeError):
        return None  # the format of another release
    if expires_at <= now():
        raise invalid_token()
    return LiveSession(claims.session_id, claims.user_id, role, expires_at, seen=True)


def _cache(session: LiveSession) -> None:
    kept = {"role": session.role, "expires_at": session.expires_at.isoformat()}
    key = _key(session.user_id, session.id)
    shared_cache().add(key, json.dumps(kept), seconds=CACHE_SECONDS)


def _key(user_id: UUID, session_id: UUID) -> str:
    # The braces put all sessions of a user into one slot of a cluster, so one script can write all
    # their tombstones.
    return f"session:{{{user_id}}}:{session_id}"


@cache
def _tombstones() -> Tombstones:
    return Tombstones()
