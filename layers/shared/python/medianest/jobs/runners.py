"""Which handler has which kind of job; functions register them at their start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.jobs.models import Handler

if TYPE_CHECKING:
    from medianest.jobs.models import Kind

_handlers: dict[Kind, Handler] = {}


def register(kind: Kind, handler: Handler) -> None:
    """Set the handler of a kind; a worker leases only the kinds that have one."""
    _handlers[kind] = handler


def handlers() -> dict[Kind, Handler]:
    """Return the handlers of this process by kind."""
    return _handlers
