"""The result of a sign-in attempt, with Plex or a password: a session, or a recorded refusal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.core.db import database
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.observability import count, logger
from medianest.sessions import service as sessions_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from psycopg import Connection

    from medianest.core.caller import Caller
    from medianest.sessions.service import SignedIn
    from medianest.users.models import Principal, User

_METRICS = {
    Action.SIGN_IN_FAILED: "SignInFailed",
    Action.PASSWORD_FAILED: "PasswordChangeFailed",
}


class RefusedError(AppError):
    """A refusal with a `reason` for the audit log and the log, which the caller does not get."""

    def __init__(
        self, code: ErrorCode, reason: str, *, user_id: UUID | None = None, **details: Any
    ) -> None:
        unauthorized = code is ErrorCode.INVALID_CREDENTIALS
        super().__init__(code, headers={"WWW-Authenticate": "Bearer"} if unauthorized else None)
        self.user_id = user_id
        self.reason = reason
        self.extra_details = details


def open_session(
    connection: Connection[Any],
    user: User,
    caller: Caller,
    previous: Principal | None,
    details: dict[str, str | None],
) -> tuple[SignedIn, list[UUID]]:
    """Open the session of a sign-in; return it, and the id of the revoked previous session."""
    revoked = sessions_service.revoke_previous(connection, previous, caller) if previous else []
    signed_in = sessions_service.open_session(connection, user, caller)
    audit_repository.record(
        connection,
        Action.SIGN_IN,
        caller,
        user_id=user.id,
        target=("session", signed_in.session_id),
        details=details,
    )
    return signed_in, revoked


@contextmanager
def record_failures(caller: Caller, action: Action, **details: Any) -> Iterator[None]:
    """Audit, count and log a RefusedError of the block, and raise it again.

    The audit row has a separate transaction, because that of the attempt is rolled back.
    """
    try:
        yield
    except RefusedError as refused:
        details |= refused.extra_details
        with database().transaction() as connection:
            audit_repository.record(
                connection,
                action,
                caller,
                user_id=refused.user_id,
                details={"reason": refused.reason, **details},
            )
        count(_METRICS[action])
        user_id = None if refused.user_id is None else str(refused.user_id)
        # The action `auth.sign_in_failed` becomes the log event `sign_in_failed`.
        event = action.rpartition(".")[2]
        logger.warning(event, extra={"user_id": user_id, "cause": refused.reason, **details})
        raise
