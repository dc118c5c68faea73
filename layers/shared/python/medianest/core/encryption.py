"""Encryption of secrets that the database stores: AES-256-GCM, bound to the row.

A token is `v1.<key id>.<nonce>.<text>`. ENCRYPTION_KEY is one key, or during a rotation
`{"current": KEY, "keys": [KEY, …]}`: the first one encrypts, all of them decrypt. The key of AES is
derived by HKDF, and so is its id, which therefore needs no bookkeeping. Table, column and id of the
row are authenticated, so a token that is copied to another row does not decrypt.

Only functions with the layer `EncryptionLayer` can call this module: `cryptography` is imported on
first use.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from secrets import token_bytes
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from medianest.core import secrets
from medianest.core.environment import environment
from medianest.core.signing_keys import encryption_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_KEY_BYTES = 32
_ID_BYTES = 6
# NIST SP 800-38D: a random nonce has 96 bits.
_NONCE_BYTES = 12


class DecryptionError(Exception):
    """A token does not decrypt; the message has no part of it but the id of its key."""


class _Key(NamedTuple):
    id: str
    cipher: AESGCM


def encrypt(text: str, *, table: str, column: str, row: UUID) -> str:
    """Return the token of a text, for one column of one row."""
    key = _keys()[0]
    nonce = token_bytes(_NONCE_BYTES)
    sealed = key.cipher.encrypt(nonce, text.encode(), _place(table, column, row))
    return f"{_VERSION}.{key.id}.{_encode(nonce)}.{_encode(sealed)}"


def decrypt(token: str, *, table: str, column: str, row: UUID) -> str:
    """Return the text of a token of this column and row; raises DecryptionError."""
    from cryptography.exceptions import InvalidTag

    version, _, rest = token.partition(".")
    key_id, _, rest = rest.partition(".")
    nonce, _, sealed = rest.partition(".")
    if version != _VERSION:
        raise DecryptionError("the stored text is not encrypted in a known format")
    key = next((each for each in _keys() if each.id == key_id), None)
    if key is None:
        raise DecryptionError(f"ENCRYPTION_KEY has no key with the id {key_id[:12]}")
    try:
        plain = key.cipher.decrypt(_decode(nonce), _decode(sealed), _place(table, column, row))
    # ValueError: the nonce or the text was cut.
    except (InvalidTag, ValueError):
        raise DecryptionError("the stored text was changed, or belongs to another row") from None
    return plain.decode()


def is_current(token: str) -> bool:
    """Return whether the key that encrypts now made a token."""
    return token.startswith(f"{_VERSION}.{_keys()[0].id}.")


def _keys() -> tuple[_Key, ...]:
    """Return the keys, the current one first; raises ConfigurationError."""
    return _derived(secrets.resolve(environment().encryption_key, "ENCRYPTION_KEY"))


@cache
def _derived(secret: str) -> tuple[_Key, ...]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return tuple(
        _Key(_hkdf(key, b"id", _ID_BYTES).hex(), AESGCM(_hkdf(key, b"key", _KEY_BYTES)))
        for key in encryption_keys(secret)
    )


def _hkdf(key: str, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b"medianest encryption v1 " + purpose
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key.encode())


def _place(table: str, column: str, row: UUID) -> bytes:
    return f"{table}.{column}.{row}".encode()


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))
