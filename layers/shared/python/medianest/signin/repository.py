"""The SQL of sign-in handles and of known networks."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from medianest.core.db import fetch_one, fetch_value

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection


class PendingSignIn(NamedTuple):
    """A sign-in in progress: the PIN of its handle, and the IP address that started it."""

    plex_pin_id: int
    ip: str | None


def add(
    connection: Connection[Any], handle: str, *, plex_pin_id: int, ip: str, seconds: int
) -> datetime:
    """Store the digest of a handle, so that the table has no usable handle; return the expiry."""
    expires_at: datetime = fetch_value(
        connection,
        "INSERT INTO signin_handles (handle_hash, plex_pin_id, ip, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s)) RETURNING expires_at",
        (_digest(handle), plex_pin_id, ip, seconds),
    )
    return expires_at


def get(connection: Connection[Any], handle: str) -> PendingSignIn | None:
    """Return the sign-in of a handle, or None if the handle is unknown, used or expired."""
    return fetch_one(
        connection,
        PendingSignIn,
        "SELECT plex_pin_id, host(ip) AS ip FROM signin_handles"
        " WHERE handle_hash = %s AND expires_at > now()",
        (_digest(handle),),
    )


def consume(connection: Connection[Any], handle: str) -> bool:
    """Consume a handle; return True for only one of several concurrent calls."""
    deleted = connection.execute(
        "DELETE FROM signin_handles WHERE handle_hash = %s AND expires_at > now()",
        (_digest(handle),),
    )
    return deleted.rowcount == 1


def is_known_network(connection: Connection[Any], user_id: UUID | None, network: str) -> bool:
    """Return whether a user has signed in from a network; does the same work for no user."""
    return bool(
        fetch_value(
            connection,
            "SELECT true FROM signin_networks WHERE user_id = %s AND network = %s",
            (user_id, network),
        )
    )


def remember_network(connection: Connection[Any], user_id: UUID, network: str) -> None:
    """Record that a user has signed in from a network."""
    connection.execute(
        "INSERT INTO signin_networks (user_id, network) VALUES (%s, %s)"
        " ON CONFLICT (user_id, network) DO UPDATE SET last_at = now()",
        (user_id, network),
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete up to `limit` expired handles and networks unused for 180 days; return the number."""
    handles = connection.execute(
        "DELETE FROM signin_handles WHERE ctid = ANY (ARRAY(SELECT ctid FROM signin_handles"
        " WHERE expires_at < now() ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit,),
    ).rowcount
    networks = connection.execute(
        "DELETE FROM signin_networks WHERE ctid = ANY (ARRAY(SELECT ctid FROM signin_networks"
        " WHERE last_at < now() - interval '180 days' ORDER BY last_at LIMIT %s"
        " FOR UPDATE SKIP LOCKED))",
        (limit - handles,),
    ).rowcount
    return handles + networks


def _digest(handle: str) -> bytes:
    return sha256(handle.encode()).digest()
