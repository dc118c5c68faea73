"""Rules of sessions: the row is the truth, the token names it, the cache repeats it briefly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core import tokens
from medianest.core.cache import shared_cache
from medianest.core.caller import Caller, Principal
from medianest.core.clock import now
from medianest.core.db import database
from medianest.core.errors import AppError, ErrorCode
from medianest.sessions import repository
from medianest.sessions.models import LiveSession, NewSession
from medianest.sessions.schemas import SessionOut
from medianest.settings.service import session_lifetimes
from medianest.users import repository as users
from medianest.users.models import User
from medianest.users.service import lock_admins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

# Section 5 of the contract: the cache holds a session for at most this long.
CACHE_SECONDS = 60
_ASK_THE_ROW = "ask the row"


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
    session = None if fresh else _cached(claims.session_id)
    if session is None:
        with database().transaction() as connection:
            session = repository.live(connection, claims.session_id, session_lifetimes().idle)
            if session is not None and not session.seen:
                repository.see(connection, session.id)
        # Not one just noted as seen: who has changed its user meanwhile looked for sessions that
        # were seen lately (`repository.lately_seen`), and could not see that note yet.
        if session is not None and session.seen:
            _cache(session)
    if session is None or session.user_id != claims.user_id:
        raise tokens.invalid_token()
    return Principal(session.user_id, session.id, session.role)


def refresh(principal: Principal, caller: Caller) -> SignedIn:
    """Put a new session in the old one's place; never past the absolute end of the sign-in.

    Raises JWT_INVALID when somebody else was faster with the same token.
    """
    with database().transaction() as connection:
        session = repository.replace(connection, principal.session_id, caller, session_lifetimes())
        user = users.get(connection, principal.user_id)
        if session is None or user is None:
            raise tokens.invalid_token()
        audit.record(
            connection,
            Action.SESSION_REFRESHED,
            caller,
            user_id=user.id,
            target=("session", session.id),
        )
    forget([principal.session_id])
    return _signed_in(user, session)


def own(principal: Principal) -> list[SessionOut]:
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
    with database().transaction() as connection:
        ended = repository.revoke(connection, user_id=principal.user_id, session_id=session_id)
        if not ended:
            raise AppError(ErrorCode.NOT_FOUND)
        _record_end(connection, principal.user_id, principal.user_id, len(ended), caller)
    forget(ended)


def sign_out(principal: Principal, caller: Caller, *, all_sessions: bool) -> None:
    """End the session that asks, or all of its user's."""
    user_id, session_id = principal.user_id, principal.session_id
    with database().transaction() as connection:
        if all_sessions:
            ended = repository.revoke_all(connection, user_id)
        else:
            ended = len(repository.revoke(connection, user_id=user_id, session_id=session_id))
        audit.record(
            connection,
            Action.SIGN_OUT,
            caller,
            user_id=user_id,
            target=("session", session_id),
            details={"sessions": ended},
        )
    if all_sessions:
        forget_all(user_id)
    else:
        forget([session_id])


def revoke_others(connection: Connection[Any], principal: Principal) -> int:
    """End every other session of a user within a transaction; `forget_all` when it is done."""
    return repository.revoke_all(connection, principal.user_id, except_id=principal.session_id)


def revoke_former(connection: Connection[Any], former: Principal, caller: Caller) -> list[UUID]:
    """End the session with which somebody signs in anew; `forget` it when that is done."""
    ended = repository.revoke(connection, user_id=former.user_id, session_id=former.session_id)
    if ended:
        _record_end(connection, former.user_id, former.user_id, len(ended), caller)
    return ended


def forget(session_ids: Iterable[UUID]) -> None:
    """Let nobody go by what the cache has of sessions that have ended or changed, after the commit.

    A marker and not a deletion: an environment that read the row before the commit may be about
    to cache it, and that only fills what is empty.
    """
    keys = [_key(session_id) for session_id in session_ids]
    shared_cache().set_each(keys, _ASK_THE_ROW, seconds=CACHE_SECONDS)


def forget_all(user_id: UUID) -> None:
    """Do the same for every session of a user, after the commit of what concerns them all."""
    with database().transaction() as connection:
        sessions = repository.lately_seen(connection, user_id)
    forget(sessions)


def revoke_all(user_id: UUID, admin: Principal, caller: Caller) -> None:
    """End all sessions of a user, as an admin; raises NOT_FOUND, or as `lock_admins` does."""
    with database().transaction() as connection:
        lock_admins(connection, admin)
        if users.get(connection, user_id) is None:
            raise AppError(ErrorCode.NOT_FOUND)
        ended = repository.revoke_all(connection, user_id)
        if ended:
            _record_end(connection, admin.user_id, user_id, ended, caller)
    forget_all(user_id)


def _signed_in(user: User, session: NewSession) -> SignedIn:
    token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session.id,
        issued=session.created_at,
        expires=session.expires_at,
    )
    return SignedIn(user, session.id, token, session.expires_at)


def _record_end(
    connection: Connection[Any], actor: UUID, owner: UUID, ended: int, caller: Caller
) -> None:
    audit.record(
        connection,
        Action.SESSION_REVOKED,
        caller,
        user_id=actor,
        target=("user", owner),
        details={"sessions": ended},
    )


def _cached(session_id: UUID) -> LiveSession | None:
    """Return a session as the cache has it; raises JWT_INVALID when it has expired since."""
    value = shared_cache().get(_key(session_id))
    if value is None or value == _ASK_THE_ROW:
        return None
    try:
        kept = json.loads(value)
        expires_at = datetime.fromisoformat(kept["expires_at"])
        user_id, role = UUID(kept["user_id"]), kept["role"]
    except (ValueError, KeyError, TypeError):
        return None  # another release kept something else there
    if expires_at <= now():
        raise tokens.invalid_token()
    return LiveSession(session_id, user_id, role, expires_at, seen=True)


def _cache(session: LiveSession) -> None:
    kept = {
        "user_id": str(session.user_id),
        "role": session.role,
        "expires_at": session.expires_at.isoformat(),
    }
    shared_cache().add(_key(session.id), json.dumps(kept), seconds=CACHE_SECONDS)


def _key(session_id: UUID) -> str:
    return f"session:{session_id}"
