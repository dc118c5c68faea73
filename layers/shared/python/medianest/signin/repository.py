"""The SQL of sign-in handles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from medianest.core.db import fetch_one, fetch_value

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """What a handle stands for."""

    plex_pin_id: int
    ip: str | None


def add(
    connection: Connection[Any], handle: str, *, plex_pin_id: int, ip: str, seconds: int
) -> datetime:
    """Keep a handle (as its digest: whoever reads the table cannot use it); return when it ends."""
    expires_at: datetime = fetch_value(
        connection,
        "INSERT INTO signin_handles (handle_hash, plex_pin_id, ip, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s)) RETURNING expires_at",
        (_digest(handle), plex_pin_id, ip, seconds),
    )
    return expires_at


def get(connection: Connection[Any], handle: str) -> BegunSignIn | None:
    """Return what a live handle stands for."""
    return fetch_one(
        connection,
        BegunSignIn,
        "SELECT plex_pin_id, host(ip) AS ip FROM signin_handles"
        " WHERE handle_hash = %s AND expires_at > now()",
        (_digest(handle),),
    )


def use(connection: Connection[Any], handle: str) -> bool:
    """Use a handle up; True for exactly one of all who try, once its transaction commits."""
    deleted = connection.execute(
        "DELETE FROM signin_handles WHERE handle_hash = %s AND expires_at > now()",
        (_digest(handle),),
    )
    return deleted.rowcount == 1


def is_known_network(connection: Connection[Any], user_id: UUID | None, network: str) -> bool:
    """Tell whether a user has signed in from a network before; the same work for no user."""
    return bool(
        fetch_value(
            connection,
            "SELECT true FROM signin_networks WHERE user_id = %s AND network = %s",
            (user_id, network),
        )
    )


def remember_network(connection: Connection[Any], user_id: UUID, network: str) -> None:
    """Note that a user has signed in from a network."""
    connection.execute(
        "INSERT INTO signin_networks (user_id, network) VALUES (%s, %s)"
        " ON CONFLICT (user_id, network) DO UPDATE SET last_at = now()",
        (user_id, network),
    )


def delete_expired(connection: Connection[Any], limit: int) -> int:
    """Delete handles that have expired, and networks that were not used for half a year."""
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
