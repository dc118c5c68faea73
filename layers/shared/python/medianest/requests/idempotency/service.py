"""Idempotency keys: a retry of a creation returns the request of the first call."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError, invalid
from medianest.requests import repository as requests_repository
from medianest.requests.idempotency import repository
from medianest.requests.schemas import CreatedRequestOut

if TYPE_CHECKING:
    from psycopg import Connection

    from medianest.requests.schemas import RequestIn
    from medianest.users.models import Principal

MAX_KEY_CHARS = 200


def fingerprint(body: RequestIn) -> bytes:
    """Return the digest of a body; a retry must have the same digest."""
    return sha256(body.model_dump_json().encode()).digest()


def check_key(key: str) -> None:
    """Check the format of a key; raises VALIDATION_ERROR."""
    if not 0 < len(key) <= MAX_KEY_CHARS or not (key.isascii() and key.isprintable()):
        raise invalid(
            "header.Idempotency-Key", f"Must be 1 to {MAX_KEY_CHARS} printable ASCII characters"
        )


def lock(connection: Connection[Any], principal: Principal, key: str) -> None:
    """Lock a key until the transaction ends; raises IDEMPOTENCY_IN_PROGRESS while it is in use."""
    if not repository.lock(connection, principal.user_id, key):
        raise AppError(ErrorCode.IDEMPOTENCY_IN_PROGRESS, headers={"Retry-After": "1"})


def replay(
    connection: Connection[Any], principal: Principal, key: str, fingerprint: bytes
) -> CreatedRequestOut | None:
    """Return the current state of the request that a key created, or None for an unused key.

    Raises IDEMPOTENCY_KEY_REUSED for another body, and REQUEST_CANCELLED for a deleted request.
    """
    first_use = repository.replay(connection, principal.user_id, key)
    if first_use is None:
        return None
    if first_use.fingerprint != fingerprint:
        raise AppError(ErrorCode.IDEMPOTENCY_KEY_REUSED)
    first = CreatedRequestOut.model_validate(first_use.response)
    request = requests_repository.get_for(connection, first.id, principal.user_id)
    if request is None:
        raise AppError(ErrorCode.REQUEST_CANCELLED)
    return CreatedRequestOut.model_validate(request).model_copy(
        update={"skipped_seasons": first.skipped_seasons}
    )


def remember(
    connection: Connection[Any],
    principal: Principal,
    key: str,
    fingerprint: bytes,
    created: CreatedRequestOut,
) -> None:
    """Store the response of the first call, in the transaction that creates the request."""
    repository.remember(
        connection,
        principal.user_id,
        key,
        fingerprint=fingerprint,
        response=created.model_dump(mode="json", by_alias=True),
    )
