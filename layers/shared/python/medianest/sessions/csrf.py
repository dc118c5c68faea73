"""CSRF tokens: signed double submit, bound to the session, verified without a store.

The scheme is OWASP's "signed double-submit cookie": HMAC(key, session id and a random value).
"""

import hmac
import secrets
from hashlib import sha256
from uuid import UUID

from medianest.sessions import tokens

_RANDOM_HEX = 32


def issue(session_id: UUID) -> str:
    """Return a fresh token for a cookie session."""
    value = secrets.token_hex(_RANDOM_HEX // 2)
    return f"{_signature(tokens.live_keys()[0], session_id, value)}.{value}"


def matches(session_id: UUID, token: str) -> bool:
    """Return whether a token was issued for this session with any live key."""
    signature, _, value = token.partition(".")
    if len(value) != _RANDOM_HEX or not token.isascii():
        return False
    return any(
        hmac.compare_digest(signature, _signature(key, session_id, value))
        for key in tokens.live_keys()
    )


def _signature(key: str, session_id: UUID, value: str) -> str:
    # A separate key, derived from the signing key, so that no CSRF token is a valid JWT signature.
    csrf_key = hmac.digest(key.encode(), b"medianest csrf v1", sha256)
    return hmac.digest(csrf_key, f"{session_id}|{value}".encode(), sha256).hex()
