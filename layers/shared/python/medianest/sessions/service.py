"""Rules of sessions: the row is the truth, the token only names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medianest.audit import repository as audit
from medianest.audit.models import Action
from medianest.core import tokens
from medianest.core.caller import Caller, Principal
from medianest.core.db import database
from medianest.sessions import repository
from medianest.users.models import User

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

# Section 5 of the contract: a token lives 30 days.
LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives."""

    user: User
    session_id: UUID
    token: str
    expires_at: datetime


def open_session(connection: Connection[Any], user: User, caller: Caller) -> SignedIn:
    """Make a session and its token, in the transaction of the sign-in."""
    session = repository.add(connection, user.id, caller, LIFETIME)
    token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session.id,
        issued=session.created_at,
        expires=session.expires_at,
    )
    return SignedIn(user, session.id, token, session.expires_at)


def authenticate(token: str) -> Principal:
    """Return who a token belongs to; raises JWT_INVALID unless its session holds now."""
    claims = tokens.verify(token)
    with database().transaction() as connection:
        session = repository.live(connection, claims.session_id)
    if session is None or session.user_id != claims.user_id:
        raise tokens.invalid_token()
    return Principal(session.user_id, session.id, session.role, session.expires_at)


def sign_out(principal: Principal, caller: Caller, *, all_sessions: bool) -> None:
    """Revoke the session that asks, or all of its user's."""
    with database().transaction() as connection:
        revoked = repository.revoke(
            connection,
            user_id=principal.user_id,
            session_id=None if all_sessions else principal.session_id,
        )
        audit.record(
            connection,
            Action.SIGN_OUT,
            caller,
            user_id=principal.user_id,
            target=("session", principal.session_id),
            details={"sessions": revoked},
        )
