"""Read the arguments of messages in ICU syntax."""

import re

_NAME = re.compile(r"\{\s*(\w+)\s*(?:,\s*(\w+)\s*)?")
_BRANCH = re.compile(r"[\s,]*(?:offset:\d+\s*)?(=\d+|\w+)\s*\{")
_QUOTED = re.compile(r"'\{[^']*'")
_CHOICES = {"plural", "select", "selectordinal"}


def arguments(message: str) -> set[str]:
    """Return each argument of a message with its type, such as `count:plural`."""
    found: set[str] = set()
    _text(_QUOTED.sub("", message), 0, found)
    return found


def _text(message: str, at: int, found: set[str]) -> int:
    """Read text up to its closing brace, and return the place of that brace."""
    while at < len(message) and message[at] != "}":
        at = _argument(message, at, found) if message[at] == "{" else at + 1
    return at


def _argument(message: str, at: int, found: set[str]) -> int:
    """Read one argument, and return the place after it."""
    match = _NAME.match(message, at)
    assert match, f"no argument at {at} of {message!r}"
    name, kind = match.groups()
    found.add(f"{name}:{kind or 'value'}")
    at = match.end()
    if kind in _CHOICES:
        while branch := _BRANCH.match(message, at):
            at = _text(message, branch.end(), found) + 1
    end = message.find("}", at)
    assert end >= 0, f"an open brace in {message!r}"
    return end + 1
