"""The end of the init of a function."""

import gc

# By default (2000 new objects) the collector would run in almost every request.
_NEW_OBJECTS = 10_000


def init_done() -> None:
    """Exclude all objects of the init from garbage collection; functions call it last.

    They stay as long as the process does, so each search of them would be in vain (docs/adr/0021).
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
