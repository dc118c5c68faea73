"""Print lines of the service on its terminal, which may have gone."""

import contextlib
import os
from pathlib import Path


def say(line: str) -> None:
    """Print a line at once; one that cannot be written is lost, but stops nothing."""
    try:
        print(line, flush=True)
    except BrokenPipeError:  # as in `make run | tee log`, where Ctrl-C ends tee as well
        leave()
    except OSError:
        pass  # a full disk, which may have space again for the next line


def leave() -> None:
    """Lose the standard output from now on, because its reader has gone."""
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
