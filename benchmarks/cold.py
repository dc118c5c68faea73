"""Cold starts: init and first request of every function, interleaved with three references."""

import json
from collections import defaultdict
from collections.abc import Callable

from benchmarks.events import Event, event
from benchmarks.progress import Progress
from benchmarks.results import REFERENCES, Cold, Start
from benchmarks.stage import ROTATED, Service
from local.run_config import PROJECT

_BELLS = PROJECT / "events" / "worker.json"


def bells() -> Event:
    """Return a batch of bells, as Lambda passes it on from SQS."""
    batch: Event = json.loads(_BELLS.read_text(encoding="utf-8"))
    return batch


def first_calls(user: str, admin: str) -> dict[str, Callable[[], Event]]:
    """Return the first call of each function and reference."""
    return {
        **dict.fromkeys(REFERENCES, lambda: event("GET", "/hello")),
        "health": lambda: event("GET", "/api/health"),
        "auth": lambda: event("GET", "/api/auth/me", token=user),
        "plex": lambda: event("POST", "/api/auth/plex/pin", body={}),
        "media": lambda: event("GET", "/api/media/requests", token=user),
        "admin": lambda: event("GET", "/api/admin/requests", token=admin),
        "fulfilment": lambda: event("GET", "/api/admin/servers", token=admin),
        "cleanup": lambda: {"task": "sessions"},
        "worker": bells,
        "migrations": dict,
        "rotation": lambda: dict(ROTATED),
    }


async def measure_cold(
    service: Service,
    calls: dict[str, Callable[[], Event]],
    samples: int,
    progress: Progress,
) -> dict[str, Cold]:
    """Start each function `samples` times, in rounds of one start of each."""
    found: dict[str, list[Start]] = defaultdict(list)
    with progress.part("cold starts", samples * len(calls)) as step:
        for _ in range(samples):
            for name, event_of in calls.items():
                async with service.sandbox(name) as sandbox:
                    payload, first = await sandbox.call(event_of())
                    sandbox.check(payload)
                    found[name].append(Start(sandbox.init, first, sandbox.rss_megabytes))
                step(name)
    return {name: Cold(starts) for name, starts in found.items()}
