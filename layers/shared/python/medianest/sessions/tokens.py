"""JSON Web Tokens that name a session. Permissions come from the session's row, not the token.

JWT_SECRET is one key, or during a rotation `{"sign": KEY, "verify": [KEY, …]}`: the first key signs
tokens, and any key verifies them. The `kid` of a token is derived from its key, so keys need no
names, and a plain key keeps its `kid` when it moves into such an object.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import jwt

from medianest.core import secrets
from medianest.core.clock import now
from medianest.core.environment import ConfigurationError, environment
from medianest.core.errors import invalid_token
from medianest.core.signing_keys import jwt_keys

ALGORITHM = "HS256"
ISSUER = "medianest"
AUDIENCE = "medianest-api"
LEEWAY_SECONDS = 5
MAX_LIFETIME_SECONDS = 30 * 24 * 3600
MAX_TOKEN_CHARS = 4096
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_CLAIMS = ["sub", "email", "role", "iat", "exp", "jti", "iss", "aud"]
_JWT = jwt.PyJWT(options={"enforce_minimum_key_length": True})


class Claims(NamedTuple):
    """The claims of a verified token that the service uses."""

    user_id: UUID
    session_id: UUID


def sign(
    *, user_id: UUID, email: str, role: str, session_id: UUID, issued: datetime, expires: datetime
) -> str:
    """Return the token of a session."""
    claims = {
        "sub": str(user_id),
        "email": email,
        "role": role,
        "iat": int(issued.timestamp()),
        "exp": int(expires.timestamp()),
        "jti": str(session_id),
        "iss": ISSUER,
        "aud": AUDIENCE,
    }
    key = live_keys()[0]
    return _JWT.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key)})


def verify(token: str) -> Claims:
    """Check a token and return its claims; raises AppError JWT_INVALID for anything else."""
    # Length and shape first, because parsing a forged token costs time.
    if len(token) > MAX_TOKEN_CHARS or not _SHAPE.fullmatch(token):
        raise invalid_token()
    try:
        keys = live_keys()
        # With one key, the header is parsed once: below.
        key = keys[0] if len(keys) == 1 else _key_of(token, keys)
        decoded = _JWT.decode_complete(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=0,
            options={"require": _CLAIMS, "verify_iat": False},
        )
        return _checked(decoded["payload"], decoded["header"], key)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise invalid_token() from error


def _key_of(token: str, keys: Sequence[str]) -> str:
    """Return the live key that the `kid` of a token names; raises ValueError if there is none."""
    named = jwt.get_unverified_header(token).get("kid")
    for key in keys:
        if named == key_id(key):
            return key
    raise ValueError("unknown kid")


def _checked(claims: dict[str, Any], header: dict[str, Any], key: str) -> Claims:
    """Check what PyJWT does not: `kid`, types, role, lifetime, `iat`.

    Raises ValueError or TypeError.
    """
    if header.get("kid") != key_id(key):
        raise ValueError("unknown kid")
    for name in ("iat", "exp"):
        if type(claims[name]) is not int:
            raise ValueError(f"{name} is not an integer")
    for name in ("sub", "email", "role", "jti", "aud"):
        if not isinstance(claims[name], str):
            raise TypeError(f"{name} is not a string")
    if claims["role"] not in {"admin", "user"}:
        raise ValueError("unknown role")
    if claims["exp"] - claims["iat"] > MAX_LIFETIME_SECONDS:
        raise ValueError("lifetime is too long")
    if claims["iat"] > now().timestamp() + LEEWAY_SECONDS:
        raise ValueError("issued in the future")
    return Claims(user_id=UUID(claims["sub"]), session_id=UUID(claims["jti"]))


def live_keys() -> tuple[str, ...]:
    """Return the live keys, the signing one first; raises ConfigurationError for a weak one."""
    return _keys_in(secrets.resolve(environment().jwt_secret, "JWT_SECRET"))


@cache
def key_id(key: str) -> str:
    """Return the `kid` of a key: a digest that is too short to reveal the key."""
    return sha256(b"medianest kid " + key.encode()).hexdigest()[:8]


@cache
def _keys_in(secret: str) -> tuple[str, ...]:
    try:
        return jwt_keys(secret)
    except ValueError as error:
        raise ConfigurationError(f"JWT_SECRET {error}") from error
