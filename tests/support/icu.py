"""Read the arguments and the words of messages in ICU syntax."""

import re
from math import ceil

_NAME = re.compile(r"\{\s*(\w+)\s*(?:,\s*(\w+)\s*)?")
_BRANCH = re.compile(r"[\s,]*(?:offset:\d+\s*)?(=\d+|\w+)\s*\{")
_QUOTED = re.compile(r"'\{[^']*'")
_CHOICES = {"plural", "select", "selectordinal"}
_WORD = re.compile(r"[^\W\d_]{2,}")


class _Found:
    """The arguments of a message, and the places of its literal characters."""

    def __init__(self) -> None:
        self.arguments: set[str] = set()
        self.literals: list[int] = []


def arguments(message: str) -> set[str]:
    """Return each argument of a message with its type, such as `count:plural`."""
    found = _Found()
    _text(_QUOTED.sub("", message), 0, found)
    return found.arguments


def stretched(message: str) -> str:
    """Return the message with longer words, as other languages have them."""
    found = _Found()
    _text(message, 0, found)
    literals = set(found.literals)

    def longer(match: re.Match[str]) -> str:
        word = match[0]
        is_text = match.start() in literals
        return f"{word[:-1]}{'ø' * ceil(0.5 * len(word))}{word[-1]}" if is_text else word

    return _WORD.sub(longer, message)


def _text(message: str, at: int, found: _Found) -> int:
    """Read text up to its closing brace, and return the place of that brace."""
    while at < len(message) and message[at] != "}":
        if message[at] == "{":
            at = _argument(message, at, found)
        else:
            found.literals.append(at)
            at += 1
    return at


def _argument(message: str, at: int, found: _Found) -> int:
    """Read one argument, and return the place after it."""
    match = _NAME.match(message, at)
    assert match, f"no argument at {at} of {message!r}"
    name, kind = match.groups()
    found.arguments.add(f"{name}:{kind or 'value'}")
    at = match.end()
    if kind in _CHOICES:
        while branch := _BRANCH.match(message, at):
            at = _text(message, branch.end(), found) + 1
    end = message.find("}", at)
    assert end >= 0, f"an open brace in {message!r}"
    return end + 1
