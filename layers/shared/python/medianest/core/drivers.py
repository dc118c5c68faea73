"""The import of drivers during init, where Lambda gives more CPU and SnapStart keeps the result."""

import os
from importlib import import_module
from typing import Literal

from medianest.core.variables import NO_CACHE

_MODULES = {
    # The resolver of host names imports the codec on its first call.
    "psycopg": ("psycopg", "encodings.idna"),
    "redis": ("redis", "encodings.idna"),
    "urllib3": ("urllib3",),
}

type Driver = Literal["psycopg", "redis", "urllib3"]


def load(*drivers: Driver) -> None:
    """Import the drivers that a function's first call needs; functions call it at import.

    `core.db`, `core.cache` and `core.http` import a driver on first use, so a function without this
    call starts without it. A service without a cache needs no redis. No connection is opened
    (docs/adr/0021).
    """
    for driver in drivers:
        if driver == "redis" and os.environ.get("REDIS_URL") == NO_CACHE:
            continue
        for module in _MODULES[driver]:
            import_module(module)
