"""Rotation of JWT_SECRET: every environment can verify a key before it signs.

The value is `{"sign": KEY, "verify": [KEY, …], "next": KEY}`; `next` is also in `verify`. A
rotation promotes `next`, which all environments have read since the previous rotation, to the
signing key. It adds a new `next`, and keeps the previous signing key for verification. A value
without `next`, such as a plain key, only gets a `next`.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from medianest.core.clock import now
from medianest.core.observability import logger
from medianest.core.signing_keys import MAX_JWT_KEYS, jwt_keys
from medianest.sessions.tokens import MAX_LIFETIME_SECONDS

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
KEY_BYTES = 48


class RotationError(Exception):
    """The rotation step is not possible; the message contains no key."""


def rotate(client: Any, *, step: str, secret: str, version: str) -> None:
    """Run one step of Secrets Manager's rotation of `secret` to `version`; steps are idempotent.

    Raises RotationError for a step that is not possible, and ValueError for an invalid value.
    """
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"].get(version, [])
    if CURRENT in stages:
        return  # the rotation is complete
    if PENDING not in stages:
        raise RotationError("this version is not the pending version of the secret")
    if step == "createSecret":
        _create(client, secret, version)
    elif step == "testSecret":
        # Without a value, Secrets Manager only checks that it can call this function.
        if (value := _pending(client, secret, version)) is not None:
            _check(_current(client, secret)["SecretString"], value)
    elif step == "finishSecret":
        _finish(client, secret, version)
    elif step != "setSecret":  # setSecret: no other system has the keys
        raise RotationError(f"unknown step {step!r}")
    logger.info("rotation", extra={"step": step})


def rotated(value: str, fresh: str) -> str:
    """Return the value after a rotation, with `fresh` as the next key; raises ValueError."""
    sign, *verify = jwt_keys(value)
    upcoming_key = next_key(value)
    if upcoming_key is None:
        verify = [fresh, *verify][: MAX_JWT_KEYS - 1]
    else:
        sign, verify = upcoming_key, [fresh, sign]
    return json.dumps({"sign": sign, "verify": verify, "next": fresh})


def next_key(value: str) -> str | None:
    """Return the key that signs after the next rotation, None when the value has none."""
    if not value.startswith("{"):
        return None
    parts = json.loads(value)
    key: str | None = parts.get("next")
    return key if key in parts.get("verify", []) else None


def _create(client: Any, secret: str, version: str) -> None:
    if _pending(client, secret, version) is not None:
        return
    current = _current(client, secret)
    value = current["SecretString"]
    age = (now() - current["CreatedDate"]).total_seconds()
    if next_key(value) is not None and age < MAX_LIFETIME_SECONDS:
        # Tokens of the previous key may still be valid, and a rotation would remove that key.
        raise RotationError(f"the keys are {age / 86400:.1f} days old: rotate after 30 days")
    client.put_secret_value(
        SecretId=secret,
        ClientRequestToken=version,
        SecretString=rotated(value, secrets.token_urlsafe(KEY_BYTES)),
        VersionStages=[PENDING],
    )


def _finish(client: Any, secret: str, version: str) -> None:
    current = _current(client, secret)
    value = _pending(client, secret, version)
    if value is None:
        raise RotationError("the pending version has no value")
    _check(current["SecretString"], value)
    client.update_secret_version_stage(
        SecretId=secret,
        VersionStage=CURRENT,
        MoveToVersionId=version,
        RemoveFromVersionId=current["VersionId"],
    )


def _check(value: str, pending: str) -> None:
    """Raise RotationError unless each value accepts tokens of the other.

    Environments use both values until all of them have read the new one.
    """
    current_keys, pending_keys = jwt_keys(value), jwt_keys(pending)
    if current_keys[0] not in pending_keys or pending_keys[0] not in current_keys:
        raise RotationError("one of the values rejects tokens that the other one signs")


def _current(client: Any, secret: str) -> Any:
    return client.get_secret_value(SecretId=secret, VersionStage=CURRENT)


def _pending(client: Any, secret: str, version: str) -> str | None:
    try:
        response = client.get_secret_value(SecretId=secret, VersionId=version, VersionStage=PENDING)
    except client.exceptions.ResourceNotFoundException:
        return None
    value: str = response["SecretString"]
    return value
