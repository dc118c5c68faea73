"""Read .env, and report every invalid line."""

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
    """Values and line numbers by name, and a message for each invalid line."""

    values: Mapping[str, str | None]
    lines: Mapping[str, int]
    problems: list[str]


def read_env_file(path: Path) -> EnvFile:
    """Parse a file; a missing one has no values."""
    text = _read_text(path)
    lines: dict[str, int] = {}
    problems: list[str] = []
    for each in parse_stream(io.StringIO(text)):
        # The parser counts preceding empty lines as part of a line.
        source = each.original.string
        line = each.original.line + source[: len(source) - len(source.lstrip())].count("\n")
        if each.error or (each.key is not None and each.value is None):
            problems.append(f"{path.name} line {line}: expected NAME=value")
        elif each.key is not None and each.key in lines:
            problems.append(
                f"{path.name} line {line}: {each.key} is already set in line {lines[each.key]};"
                " remove one of the two lines"
            )
        elif each.key is not None:
            lines[each.key] = line
    return EnvFile(dotenv_values(stream=io.StringIO(text)), lines, problems)


def _read_text(path: Path) -> str:
    """Return a file's text, empty if it is missing; raises ConfigurationError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from None
    if content.startswith(_UTF_16_MARKS) or b"\0" in content:
        raise ConfigurationError(f"{path.name} is UTF-16 or binary: save it as UTF-8 text")
    try:
        # Windows editors write a byte order mark and CRLF line endings.
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"{path.name} line {line} is not UTF-8: save the file as UTF-8"
        raise ConfigurationError(problem) from None
