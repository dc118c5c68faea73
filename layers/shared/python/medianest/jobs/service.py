"""Enqueue jobs, in the transaction of their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medianest.jobs import protocol, repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from psycopg import Connection

    from medianest.jobs.models import Kind


def enqueue(
    connection: Connection[Any],
    kind: Kind,
    payload: Mapping[str, Any],
    *,
    server_id: UUID | None = None,
    by_person: bool = False,
) -> UUID:
    """Have a job run after this transaction, and return its id; ring the bell after the commit.

    A `handover` has the payload `{"mediaType", "tmdbId"}`; the others have an empty one, and a
    server. A person's retry makes a waiting job due and resets its attempts.
    """
    if kind == "handover":
        key = f"handover:{payload['mediaType']}:{payload['tmdbId']}"
    elif server_id is None:
        raise ValueError(f"a job {kind} needs a server")
    else:
        key = f"{kind}:{server_id}"
    return protocol.enqueue(
        connection, kind, key, dict(payload), server_id=server_id, by_person=by_person
    )


def enqueue_checks(connection: Connection[Any]) -> int:
    """Have each server asked for files of the titles that it was given; return their number."""
    return _enqueue_each(connection, "check", repository.servers_with_submitted_titles)


def enqueue_inventories(connection: Connection[Any]) -> int:
    """Have the inventory of each enabled server read again; return their number."""
    return _enqueue_each(connection, "inventory", repository.servers_to_read)


def _enqueue_each(
    connection: Connection[Any], kind: Kind, servers: Callable[[Connection[Any]], list[UUID]]
) -> int:
    # A server that is found must still be there when its job is added.
    repository.lock_server_changes(connection)
    found = servers(connection)
    for server_id in found:
        enqueue(connection, kind, {}, server_id=server_id)
    return len(found)
