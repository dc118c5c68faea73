"""PINs: one per sign-in attempt."""

import math
import secrets
import string
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

STRONG_LIFETIME = 1800.0
SHORT_LIFETIME = 900.0
STRONG_ALPHABET = string.ascii_lowercase + string.digits
SHORT_ALPHABET = string.ascii_uppercase + string.digits


@dataclass
class Pin:
    """A PIN: one sign-in attempt."""

    id: int
    code: str
    client_id: str
    product: str
    strong: bool
    created: float
    expires: float
    token: str | None = field(default=None, repr=False)

    @property
    def is_expired(self) -> bool:
        """Return whether the PIN has expired."""
        return time.time() >= self.expires


def random_text(alphabet: str, length: int) -> str:
    """Return random characters from a secure source."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def iso_time(seconds: float) -> str:
    """Format a time as plex.tv does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_pin(pin: Pin, request: web.Request) -> dict[str, Any]:
    """Return a PIN as plex.tv does."""
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": False,
        "qr": f"{request.url.origin()}/api/v2/pins/qr/{pin.code}",
        "clientIdentifier": pin.client_id,
        "location": {
            "code": "XX",
            "continent_code": "XX",
            "country": "Nowhere",
            "city": "Nowhere",
            "european_union_member": False,
            "time_zone": "Etc/UTC",
            "postal_code": "00000",
            "in_privacy_restricted_country": False,
            "subdivisions": "",
            "coordinates": "0, 0",
        },
        "expiresIn": max(0, math.ceil(pin.expires - time.time())),
        "createdAt": iso_time(pin.created),
        "expiresAt": iso_time(pin.expires),
        "authToken": pin.token,
        "newRegistration": None if pin.token is None else False,
    }
