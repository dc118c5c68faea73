"""Passwords of local accounts: what is good enough, and how it is kept (Argon2id).

argon2 and the word list are imported where they are used: most calls of a function need neither.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH = 8
MAX_LENGTH = 128
# The least that OWASP asks of Argon2id. The library's own defaults cost five times the CPU, which
# Lambda sells by the memory.
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
# Of a random password that nobody knows, with the parameters above.
UNKNOWN_ACCOUNT_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$8MyNaHt5b9VHZucTfqWXpg$EEzmx+A9pt9MMCFvtLNMveQxj4FXQ0wMOuUsvB48bZw"
)
# Names that are shorter are part of many a word.
MIN_NAME_LENGTH = 3
# As Django's UserAttributeSimilarityValidator has it.
MAX_SIMILARITY = 0.7
# How text reads when signs stand for letters: not at all, or with 1 and ! for either of two.
_READINGS: tuple[dict[int, int], ...] = (
    {},
    str.maketrans("@4830$57+1!", "aabeossttii"),
    str.maketrans("@4830$57+1!", "aabeossttll"),
)


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    return _hasher().hash(_normal(password))


def verify(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one that `kept` was made of.

    With None, for an account that is unknown or has no password, it does the same work and says no.
    """
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(kept or UNKNOWN_ACCOUNT_HASH, _normal(password))
    except VerifyMismatchError:
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def is_same(one: str, other: str) -> bool:
    """Tell whether two passwords as typed are one."""
    return _normal(one) == _normal(other)


def weaknesses(password: str, *, username: str, email: str) -> list[str]:
    """Return every rule of section 5 of the contract that a new password of a user breaks."""
    password = _normal(password)
    broken = {
        f"Use at least {MIN_LENGTH} characters": len(password) < MIN_LENGTH,
        f"Use at most {MAX_LENGTH} characters": len(password) > MAX_LENGTH,
        "Use an upper-case letter": not any(map(str.isupper, password)),
        "Use a lower-case letter": not any(map(str.islower, password)),
        "Use a digit": not any(map(str.isdecimal, password)),
        "Use a character that is neither a letter nor a digit": all(map(str.isalnum, password)),
        "Too close to a commonly used password": _is_common(password),
        "Too similar to the user name or e-mail address": any(
            _is_similar(password, name) for name in (username, email, email.partition("@")[0])
        ),
    }
    return [message for message, is_broken in broken.items() if is_broken]


def _normal(password: str) -> str:
    """Return one spelling of what was typed, else nothing is changed.

    Keyboards differ in how they send é, as one character or two; NFC makes it one (RFC 8265, 4.2).
    """
    return unicodedata.normalize("NFC", password)


def _is_common(password: str) -> bool:
    """Tell whether half of a password or more is one that many people use.

    By zxcvbn's list alone: its own estimate takes seconds for a long password full of signs.
    """
    listed, longest = _common_passwords()
    length = len(password)
    shortest = length // 2
    return any(
        text[start:end] in listed
        for text in (password.lower().translate(reading) for reading in _READINGS)
        for start in range(length - shortest + 1)
        for end in range(start + shortest, min(start + longest, length) + 1)
    )


def _is_similar(password: str, name: str) -> bool:
    for reading in _READINGS:
        typed, own = _letters(password, reading), _letters(name, reading)
        if len(own) >= MIN_NAME_LENGTH and (
            own in typed or SequenceMatcher(None, typed, own).ratio() >= MAX_SIMILARITY
        ):
            return True
    return False


def _letters(text: str, reading: dict[int, int]) -> str:
    return "".join(filter(str.isalnum, text.casefold().translate(reading)))


@cache
def _common_passwords() -> tuple[frozenset[str], int]:
    """Return the commonly used passwords, in lower case, and the length of the longest."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    listed = frozenset(FREQUENCY_LISTS["passwords"])
    return listed, max(map(len, listed))


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
