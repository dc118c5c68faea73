"""Show how far a run is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LINE_SECONDS = 5.0  # between lines, where the output is no terminal
_REDRAW_SECONDS = 0.1
_WIDTH = 79


class Progress:
    """Prints one line for each part of a run, which a terminal shows as it grows."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stdout.isatty()

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            print(text, flush=True)

    @contextmanager
    def part(self, title: str, steps: int) -> Iterator[Callable[[str], None]]:
        """Yield a function to call after each step, with the name of what was measured."""
        started = shown = time.monotonic()
        done = 0

        def step(name: str) -> None:
            nonlocal done, shown
            done += 1
            pause = _REDRAW_SECONDS if self._is_terminal else _LINE_SECONDS
            if time.monotonic() < shown + pause and done < steps:
                return
            shown = time.monotonic()
            line = f"  {title}: {done}/{steps} {name}"[:_WIDTH]
            if self._is_terminal and not self._quiet:
                print(f"\r{line:{_WIDTH}}", end="", flush=True)
            elif done < steps:
                self.say(line)

        yield step
        end = "\r" if self._is_terminal else ""
        self.say(f"{end}{f'  {title} ({time.monotonic() - started:.0f} s)':{_WIDTH}}".rstrip(" "))
