"""Keys in secrets: the format of each, and the minimum strength of our own."""

import json
import re

MIN_JWT_SECRET_BYTES = 32
# Different characters: fewer are a pattern.
MIN_JWT_SECRET_CHARACTERS = 8
MAX_JWT_KEYS = 3
# Placeholders from tutorials and samples, which everyone can guess.
KNOWN_JWT_SECRETS = (
    "secret",
    "changeme",
    "yoursecret",
    "yoursupersecret",
    "password",
)


def jwt_keys(secret: str) -> tuple[str, ...]:
    """Return the keys in a JWT_SECRET, the signing key first; raises ValueError.

    The value is one key, or during a rotation `{"sign": KEY, "verify": [KEY, …]}`.
    """
    return _keys(secret, "sign", "verify")


def encryption_keys(secret: str) -> tuple[str, ...]:
    """Return the keys in an ENCRYPTION_KEY, the current one first; raises ValueError.

    The value is one key, or during a rotation `{"current": KEY, "keys": [KEY, …]}`.
    """
    return _keys(secret, "current", "keys")


def check_header_value(value: str) -> None:
    """Raise ValueError for the key of another service that cannot be sent in a header."""
    if not re.fullmatch("[!-~]+", value):
        raise ValueError("must be visible ASCII characters, without spaces and line breaks")


def _keys(secret: str, first: str, others: str) -> tuple[str, ...]:
    keys = [secret]
    if secret.startswith("{"):
        try:
            parts = json.loads(secret)
            keys = [parts[first], *parts.get(others, [])]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'must be a key or {{"{first}": KEY, "{others}": [KEY, …]}}'
            ) from error
    if len(keys) > MAX_JWT_KEYS or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"must have at most {MAX_JWT_KEYS} keys, each of them text")
    for key in keys:
        check_jwt_secret(key)
    return tuple(keys)


def check_jwt_secret(value: str) -> None:
    """Raise ValueError for a weak signing key; RFC 7518, section 3.2, requires 256 bits."""
    if len(value.encode()) < MIN_JWT_SECRET_BYTES:
        raise ValueError(
            f"must be at least {MIN_JWT_SECRET_BYTES} bytes;"
            " `openssl rand -base64 48` generates one"
        )
    letters = "".join(character for character in value.lower() if character.isalpha())
    is_repetitive = any(
        value == (value[:length] * len(value))[: len(value)]
        for length in range(1, len(value) // 2 + 1)
    )
    is_varied = len(set(value)) >= MIN_JWT_SECRET_CHARACTERS
    if is_repetitive or not is_varied or letters.startswith(KNOWN_JWT_SECRETS):
        raise ValueError(
            "is a well-known or repetitive value; `openssl rand -base64 48` generates a random one"
        )
