"""CSRF tokens: signed double submit, bound to the session, checked without any store.

The scheme is OWASP's "signed double-submit cookie": HMAC(key, session id and a random value).
"""

import hmac
import secrets
from functools import cache
from hashlib import sha256
from uuid import UUID

from medianest.core.tokens import signing_key

_RANDOM_HEX = 32


def issue(session_id: UUID) -> str:
    """Return a fresh token for a cookie session."""
    value = secrets.token_hex(_RANDOM_HEX // 2)
    return f"{_signature(session_id, value)}.{value}"


def matches(session_id: UUID, token: str) -> bool:
    """Tell whether a token was issued for this session."""
    signature, _, value = token.partition(".")
    if len(value) != _RANDOM_HEX or not token.isascii():
        return False
    return hmac.compare_digest(signature, _signature(session_id, value))


def _signature(session_id: UUID, value: str) -> str:
    return hmac.new(_key(), f"{session_id}|{value}".encode(), sha256).hexdigest()


@cache
def _key() -> bytes:
    """Derive a key of this purpose's own, so that a CSRF token can never pass for a JWT."""
    return hmac.new(signing_key().encode(), b"medianest csrf v1", sha256).digest()
