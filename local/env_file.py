"""Read .env, and name every line that is wrong."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from medianest.core.environment import ConfigurationError

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """Values by name, the line of each, and a message for each line that is wrong."""

    values: Mapping[str, str | None]
    lines: Mapping[str, int]
    problems: list[str]


def read_env_file(path: Path) -> EnvFile:
    """Read a file; one that is missing has no values."""
    text = _read_text(path)
    lines: dict[str, int] = {}
    problems: list[str] = []
    for each in parse_stream(io.StringIO(text)):
        # The parser counts the empty lines before a line as part of it.
        source = each.original.string
        line = each.original.line + source[: len(source) - len(source.lstrip())].count("\n")
        if each.error or (each.key is not None and each.value is None):
            problems.append(f"{path.name} line {line}: expected NAME=value")
        elif each.key is not None and each.key in lines:
            problems.append(
                f"{path.name} line {line}: {each.key} is in line {lines[each.key]} already;"
                " remove one of the two"
            )
        elif each.key is not None:
            lines[each.key] = line
    return EnvFile(dotenv_values(stream=io.StringIO(text)), lines, problems)


def _read_text(path: Path) -> str:
    """Return a file's text, nothing if there is none; raises ConfigurationError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from None
    if content.startswith(_UTF_16_MARKS) or b"\0" in content:
        raise ConfigurationError(f"{path.name} is UTF-16 or no text: save it as UTF-8")
    try:
        # Windows editors begin UTF-8 with a mark, and end lines in their own way.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path.name} line {line} is not UTF-8: save it so") from None
