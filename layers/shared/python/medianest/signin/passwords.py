"""Passwords of local accounts: the policy for new ones, and their hashes (Argon2id).

argon2 and the word list are imported on first use: most calls of a function need neither.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH = 8
MAX_LENGTH = 128
# The length is bounded before hashing; the policy for new passwords reports all problems.
type Password = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
# OWASP's minimum for Argon2id. The library's defaults cost five times the CPU time, which Lambda
# allots by memory.
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
# The hash of a discarded random password, with the parameters above.
UNKNOWN_ACCOUNT_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$8MyNaHt5b9VHZucTfqWXpg$EEzmx+A9pt9MMCFvtLNMveQxj4FXQ0wMOuUsvB48bZw"
)
# Shorter names are part of many words.
MIN_NAME_LENGTH = 3
# The default of Django's UserAttributeSimilarityValidator.
MAX_SIMILARITY = 0.7
# Substitutions of letters by digits and signs: none, and 1 and ! for i or for l.
_READINGS: tuple[dict[int, int], ...] = (
    {},
    str.maketrans("@4830$57+1!", "aabeossttii"),
    str.maketrans("@4830$57+1!", "aabeossttll"),
)


def hash_password(password: str) -> str:
    """Return the hash of a password."""
    return _hasher().hash(_normal(password))


def verify(password: str, password_hash: str | None) -> bool:
    """Return whether a password matches its hash.

    For None (an unknown account, or one without a password) it does the same work and returns
    False, so that the response time does not reveal the account.
    """
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(password_hash or UNKNOWN_ACCOUNT_HASH, _normal(password))
    except VerifyMismatchError:
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Return whether a hash was created with other parameters than the current ones."""
    return _hasher().check_needs_rehash(password_hash)


def is_same(password: str, other: str) -> bool:
    """Return whether two passwords are equal after normalisation."""
    return _normal(password) == _normal(other)


def weaknesses(password: str, *, username: str, email: str) -> list[str]:
    """Return a message for each broken rule of the policy (section 5 of the contract)."""
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
    """Normalise a password to NFC (RFC 8265, 4.2): keyboards send é as one character or as two."""
    return unicodedata.normalize("NFC", password)


def _is_common(password: str) -> bool:
    """Return whether at least half of a password is a commonly used password.

    It uses the word list of zxcvbn, not its estimate, which takes seconds for a long password with
    many signs.
    """
    common, longest = _common_passwords()
    length = len(password)
    shortest = length // 2
    return any(
        text[start:end] in common
        for text in (password.lower().translate(reading) for reading in _READINGS)
        for start in range(length - shortest + 1)
        for end in range(start + shortest, min(start + longest, length) + 1)
    )


def _is_similar(password: str, name: str) -> bool:
    for reading in _READINGS:
        a, b = _letters(password, reading), _letters(name, reading)
        if len(b) >= MIN_NAME_LENGTH and (
            b in a or SequenceMatcher(None, a, b).ratio() >= MAX_SIMILARITY
        ):
            return True
    return False


def _letters(text: str, reading: dict[int, int]) -> str:
    return "".join(filter(str.isalnum, text.casefold().translate(reading)))


@cache
def _common_passwords() -> tuple[frozenset[str], int]:
    """Return the commonly used passwords, in lower case, and the length of the longest."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    common = frozenset(FREQUENCY_LISTS["passwords"])
    return common, max(map(len, common))


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
