"""Which handler has which kind of job; functions register them at their start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medianest.jobs.models import Handler, Hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from medianest.jobs.models import Kind

_handlers: dict[Kind, Handler] = {}
_hooks: dict[Kind, Hooks] = {}
_NO_HOOKS = Hooks()
_preparations: list[Callable[[], None]] = []
_preludes: dict[str, Callable[[], None]] = {}


def prepare_with(preparation: Callable[[], None]) -> None:
    """Set what registers the handlers, which are loaded before the first lease."""
    _preparations.append(preparation)


def prepare() -> None:
    """Run the preparations that have not succeeded yet."""
    while _preparations:
        _preparations[-1]()
        _preparations.pop()


def register(kind: Kind, handler: Handler) -> None:
    """Set the handler of a kind; a worker leases only the kinds that have one."""
    _handlers[kind] = handler


def handlers() -> dict[Kind, Handler]:
    """Return the handlers of this process by kind."""
    return _handlers


def register_hooks(kind: Kind, hooks: Hooks) -> None:
    """Set what retries and cancellations of a kind change besides the job."""
    _hooks[kind] = hooks


def precede(task: str, prelude: Callable[[], None]) -> None:
    """Set what a scheduled task does before it enqueues its jobs."""
    _preludes[task] = prelude


def prelude(task: str) -> Callable[[], None]:
    """Return what precedes a task; it does nothing unless it was set."""
    return _preludes.get(task, lambda: None)


def hooks(kind: Kind) -> Hooks:
    """Return the hooks of a kind, which do nothing unless they were registered."""
    return _hooks.get(kind, _NO_HOOKS)
