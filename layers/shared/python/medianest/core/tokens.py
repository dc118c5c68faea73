"""JSON Web Tokens: signed names of sessions. What a session may do is in its row, never here."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import jwt

from medianest.core import secrets
from medianest.core.clock import now
from medianest.core.config import ConfigurationError, check_jwt_secret, settings
from medianest.core.errors import AppError, ErrorCode

ALGORITHM = "HS256"
ISSUER = "medianest"
AUDIENCE = "medianest-api"
LEEWAY_SECONDS = 5
MAX_LIFETIME_SECONDS = 30 * 24 * 3600
MAX_TOKEN_CHARS = 4096
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_CLAIMS = ["sub", "email", "role", "iat", "exp", "jti", "iss", "aud"]
_JWT = jwt.PyJWT(options={"enforce_minimum_key_length": True})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says, checked for types."""

    user_id: UUID
    session_id: UUID


def invalid_token() -> AppError:
    """Return the one answer to every bad, missing, expired or revoked credential."""
    return AppError(ErrorCode.JWT_INVALID, headers={"WWW-Authenticate": "Bearer"})


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
    return _JWT.encode(claims, signing_key(), algorithm=ALGORITHM)


def verify(token: str) -> Claims:
    """Check a token and return its claims; raises AppError JWT_INVALID for anything else."""
    # Bounds first: parsing costs time, and what cannot be a token of ours is not worth it.
    if len(token) > MAX_TOKEN_CHARS or not _SHAPE.fullmatch(token):
        raise invalid_token()
    try:
        claims = _JWT.decode(
            token,
            signing_key(),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=0,
            options={"require": _CLAIMS, "verify_iat": False},
        )
        return _checked(claims)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise invalid_token() from error


def _checked(claims: dict[str, Any]) -> Claims:
    """Check the types that PyJWT leaves open; raises ValueError."""
    for name in ("iat", "exp"):
        if type(claims[name]) is not int:
            raise ValueError(f"{name} is not an integer")
    for name in ("sub", "email", "role", "jti", "aud"):
        if not isinstance(claims[name], str):
            raise TypeError(f"{name} is not a string")
    if claims["role"] not in {"admin", "user"}:
        raise ValueError("no role of ours")
    if claims["exp"] - claims["iat"] > MAX_LIFETIME_SECONDS:
        raise ValueError("lives longer than any token of ours")
    if claims["iat"] > now().timestamp() + LEEWAY_SECONDS:
        raise ValueError("issued in the future")
    return Claims(user_id=UUID(claims["sub"]), session_id=UUID(claims["jti"]))


@cache
def signing_key() -> str:
    """Return the key that signs tokens; raises ConfigurationError when it is weak."""
    key = secrets.resolve(settings().jwt_secret, "JWT_SECRET")
    try:
        check_jwt_secret(key)
    except ValueError as error:
        raise ConfigurationError(f"JWT_SECRET {error}") from error
    return key
