"""The keys in JWT_SECRET: which values are accepted, and how a rotation writes them."""

import json

MIN_JWT_SECRET_BYTES = 32
# Different characters: fewer are a pattern.
MIN_JWT_SECRET_CHARACTERS = 8
MAX_JWT_KEYS = 3
# Placeholders of tutorials and samples, padded or not: whoever ships one has no secret.
KNOWN_JWT_SECRETS = (
    "secret",
    "changeme",
    "yoursecret",
    "yoursupersecret",
    "password",
)


def jwt_keys(secret: str) -> tuple[str, ...]:
    """Return the keys in a JWT_SECRET, the signing one first; raises ValueError.

    It is one key, or while keys are rotated `{"sign": KEY, "verify": [KEY, …]}`.
    """
    keys = [secret]
    if secret.startswith("{"):
        try:
            parts = json.loads(secret)
            keys = [parts["sign"], *parts.get("verify", [])]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError('must be a key or {"sign": KEY, "verify": [KEY, …]}') from error
    if len(keys) > MAX_JWT_KEYS or not all(isinstance(key, str) for key in keys):
        raise ValueError(f"must hold at most {MAX_JWT_KEYS} keys")
    for key in keys:
        check_jwt_secret(key)
    return tuple(keys)


def check_jwt_secret(value: str) -> None:
    """Refuse a signing key that could be guessed (RFC 7518, 3.2: 256 bits); raises ValueError."""
    if len(value.encode()) < MIN_JWT_SECRET_BYTES:
        raise ValueError(
            f"must be at least {MIN_JWT_SECRET_BYTES} bytes; `openssl rand -base64 48` makes one"
        )
    letters = "".join(character for character in value.lower() if character.isalpha())
    repeated = any(
        value == (value[:length] * len(value))[: len(value)]
        for length in range(1, len(value) // 2 + 1)
    )
    varied = len(set(value)) >= MIN_JWT_SECRET_CHARACTERS
    if repeated or not varied or letters.startswith(KNOWN_JWT_SECRETS):
        raise ValueError(
            "is a well-known or repetitive value; `openssl rand -base64 48` makes a random one"
        )
