"""Rules of sessions: a token names a row, which decides; the cache has a copy for a minute."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from functools import cache
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.cache import shared_cache
from medianest.core.caller import Caller
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid_token
from medianest.core.observability import count, logger
from medianest.rate_limits import service as rate_limits_service
from medianest.sessions import repository, tokens
from medianest.sessions.models import LiveSession, NewSession
from medianest.system_config.service import session_lifetimes
from medianest.users import repository as users_repository
from medianest.users.models import Principal, Role, User
from medianest.users.service import lock_active_user, lock_admins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection

    from medianest.rate_limits.policies import PolicyName
    from medianest.rate_limits.sliding_window import Charge
    from medianest.sessions.schemas import SessionOut

# The maximum time that a session is cached (section 5 of the contract).
CACHE_SECONDS = 60
# The maximum time that an environment trusts cached sessions without reading the tombstones.
TOMBSTONE_POLL_SECONDS = 1.0
# The maximum number of tombstones that one script writes to the cache.
_BATCH = 500
_TOMBSTONE = "ended"
# A cached session: its expiry in milliseconds, and the role of its user.
_ENTRY = re.compile(r"(?P<expires>\d{1,14}) (?P<role>admin|user)", re.ASCII)

# Reads a key of the cache, which belongs to the user; also returns whether the value is live: it
# begins with a time that has not passed.
type ReadCache = Callable[[str, UUID], tuple[str | None, bool]]


class SignedIn(NamedTuple):
    """The result of a sign-in or a refresh."""

    user: User
    session_id: UUID
    token: str
    expires_at: datetime


def open_session(connection: Connection[Any], user: User, caller: Caller) -> SignedIn:
    """Add a session and sign its token, in the transaction of the sign-in."""
    return _signed_in(user, repository.add(connection, user.id, caller, session_lifetimes()))


def authenticate(
    token: str, read_cache: ReadCache | None = None, *, fresh_for: Role | None = None
) -> Principal:
    """Return the user and session of a token; raises JWT_INVALID unless the session is live.

    Without `read_cache`, and for a user with the role `fresh_for`, it reads the row. The cache may
    be CACHE_SECONDS old.
    """
    claims = tokens.verify(token)
    cached: Principal | None = None
    # A route that needs a role refuses all others, so it needs no tombstones: the row decides.
    if read_cache is not None and (fresh_for or not _tombstones().has(claims.session_id)):
        cached = _cached_principal(claims, read_cache)
        if cached is not None and cached.role != fresh_for:
            return cached
    idle = session_lifetimes().idle
    session = database().read(
        lambda connection: repository.live(connection, claims.session_id, idle)
    )
    if session is None or session.user_id != claims.user_id:
        raise invalid_token()
    # A session that this call touches is not cached. A concurrent revocation writes tombstones
    # only for sessions with a recent `last_seen_at`, and may not see the new value.
    if not _touched(session) and read_cache is not None and cached is None:
        _cache(session)
    return _principal(session)


def authenticate_and_charge(
    token: str, policy: PolicyName, caller: Caller
) -> tuple[Principal, Charge]:
    """Return the user and session of a token, and charge the call, in one statement.

    For a service without a cache. Raises JWT_INVALID, and charges none, unless the session is live.
    """
    claims = tokens.verify(token)
    idle = session_lifetimes().idle
    found = rate_limits_service.charge_in_statement(
        (policy, claims.user_id),
        caller,
        claims.user_id,
        lambda bucket: database().read(
            lambda connection: repository.live_and_charge(
                connection, claims.user_id, claims.session_id, idle, bucket
            )
        ),
    )
    if found is None:
        raise invalid_token()
    session, charge = found
    _touched(session)
    return _principal(session), charge


def refresh(principal: Principal, caller: Caller) -> SignedIn:
    """Replace the token of a session, within the absolute lifetime of the sign-in.

    Raises JWT_INVALID when the session is not live or a concurrent refresh has replaced it.
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
    # Imported on first use: every function with sessions imports this module, but only one lists.
    from medianest.sessions.schemas import SessionOut

    idle = session_lifetimes().idle
    sessions = database().read(
        lambda connection: repository.of_user(connection, principal.user_id, idle)
    )
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
    """Revoke a session of the caller; raises NOT_FOUND, also for sessions of other users."""
    user_id = principal.user_id
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        revoked = repository.revoke(connection, user_id=user_id, session_id=session_id)
        if not revoked:
            raise AppError(ErrorCode.NOT_FOUND)
        _record_revocation(connection, user_id, user_id, len(revoked), caller)
    invalidate(user_id, revoked)


def sign_out(principal: Principal, caller: Caller, *, all_sessions: bool) -> None:
    """Revoke the session of the call, or all sessions of its user.

    Raises JWT_INVALID, and revokes nothing, when the session was revoked or refreshed after
    authentication.
    """
    user_id, session_id = principal.user_id, principal.session_id
    with database().transaction() as connection:
        lock_active_user(connection, principal)
        if all_sessions:
            number, revoked = repository.revoke_all(connection, user_id)
        else:
            revoked = repository.revoke(connection, user_id=user_id, session_id=session_id)
            number = len(revoked)
        audit_repository.record(
            connection,
            Action.SIGN_OUT,
            caller,
            user_id=user_id,
            target=("session", session_id),
            details={"sessions": number},
        )
    invalidate(user_id, revoked)


def revoke_previous(connection: Connection[Any], previous: Principal, caller: Caller) -> list[UUID]:
    """Revoke the session that a new sign-in replaces; call `invalidate` after the commit."""
    revoked = repository.revoke(
        connection, user_id=previous.user_id, session_id=previous.session_id
    )
    if revoked:
        _record_revocation(connection, previous.user_id, previous.user_id, len(revoked), caller)
    return revoked


def revoke_all(user_id: UUID, admin: Principal, caller: Caller) -> None:
    """Revoke all sessions of a user as an admin; raises NOT_FOUND, or as `lock_admins` does."""
    with database().transaction() as connection:
        lock_admins(connection, admin)
        if users_repository.get(connection, user_id) is None:
            raise AppError(ErrorCode.NOT_FOUND)
        number, revoked = repository.revoke_all(connection, user_id)
        if number:
            _record_revocation(connection, admin.user_id, user_id, number, caller)
    invalidate(user_id, revoked)


def invalidate(user_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Invalidate cached sessions with tombstones, after the commit of their revocation.

    A concurrent reader cannot overwrite a tombstone: an environment that read the row before the
    commit adds its copy only if the key does not exist. A tombstone that the cache does not store
    stays in the database, which every environment polls (`Tombstones`).
    """
    if not shared_cache().exists:
        return  # the cleanup deletes the tombstones
    for batch in batched(session_ids, _BATCH, strict=False):
        keys = [_key(user_id, session_id) for session_id in batch]
        if not shared_cache().set_each(keys, _TOMBSTONE, seconds=CACHE_SECONDS):
            count("SessionEndNotCached")
            continue
        try:
            with database().transaction() as connection:
                repository.delete_tombstones(connection, batch)
        except AppError as error:
            # Harmless: the cache has the tombstones, and the next poll writes and deletes them.
            logger.warning("tombstone_not_deleted", extra={"cause": error.code})


class Tombstones:
    """Tombstones that the cache lacks, because it was down, hanging or full."""

    def __init__(self) -> None:
        self._polled_at = 0.0
        self._pending: frozenset[UUID] = frozenset()

    def has(self, session_id: UUID) -> bool:
        """Return whether the cache lacks the tombstone of a session; write those that it lacks.

        It reads the database every TOMBSTONE_POLL_SECONDS. A cached session is therefore accepted
        for at most that time after its revocation, whatever the state of the cache.
        """
        # Wall clock: the monotonic clock may stop while the environment is frozen.
        if abs(time.time() - self._polled_at) >= TOMBSTONE_POLL_SECONDS:
            pending = database().read(
                lambda connection: repository.pending_tombstones(
                    connection, session_id, limit=_BATCH
                )
            )
            self._polled_at = time.time()
            self._pending = frozenset(each.session_id for each in pending)
            for user_id, tombstones in groupby(pending, key=lambda each: each.user_id):
                invalidate(user_id, [each.session_id for each in tombstones])
        return session_id in self._pending


def _touched(session: LiveSession) -> bool:
    """Set the time of the last use unless it is recent; return whether it was set."""
    if session.recently_used:
        return False
    with database().transaction() as connection:
        repository.touch(connection, session.id)
    return True


def _principal(session: LiveSession) -> Principal:
    return Principal(session.user_id, session.id, session.role, session.expires_at)


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


def _record_revocation(
    connection: Connection[Any], actor: UUID, owner: UUID, number: int, caller: Caller
) -> None:
    audit_repository.record(
        connection,
        Action.SESSION_REVOKED,
        caller,
        user_id=actor,
        target=("user", owner),
        details={"sessions": number},
    )


def _cached_principal(claims: tokens.Claims, read_cache: ReadCache) -> Principal | None:
    """Return the user of a cached session, or None when the row has to be read.

    Raises JWT_INVALID when the cached session has expired.
    """
    value, is_live = read_cache(_key(claims.user_id, claims.session_id), claims.user_id)
    entry = None if value is None else _ENTRY.fullmatch(value)
    if entry is None:
        return None  # absent, a tombstone, or the format of another release
    if not is_live:
        raise invalid_token()
    expires_at = datetime.fromtimestamp(int(entry["expires"]) / 1000, UTC)
    return Principal(claims.user_id, claims.session_id, cast("Role", entry["role"]), expires_at)


def _cache(session: LiveSession) -> None:
    milliseconds = int(session.expires_at.timestamp() * 1000)
    key = _key(session.user_id, session.id)
    shared_cache().add(key, f"{milliseconds} {session.role}", seconds=CACHE_SECONDS)


def _key(user_id: UUID, session_id: UUID) -> str:
    # The hash tag puts all sessions of a user into one hash slot, so that one script can write all
    # of their tombstones.
    return f"session:{{{user_id}}}:{session_id}"


@cache
def _tombstones() -> Tombstones:
    return Tombstones()
