"""Rules of rotating JWT_SECRET: a key is known everywhere for a rotation before it signs.

The value is `{"sign": KEY, "verify": [KEY, …], "next": KEY}`. Each rotation signs with the `next`
that every environment has known since the last one, announces a new `next`, and goes on accepting
what the former key signed. A value without a `next`, such as a plain key, gets one, and no more.
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
    """Secrets Manager wants what must not be; the message has no key in it."""


def rotate(client: Any, *, step: str, secret: str, version: str) -> None:
    """Take one step of Secrets Manager's rotation of `secret` to `version`, once or again.

    Raises RotationError for a step that does not fit, and ValueError for a value that is none.
    """
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"].get(version, [])
    if CURRENT in stages:
        return  # this rotation is over
    if PENDING not in stages:
        raise RotationError("this version is not the one that the secret is being rotated to")
    if step == "createSecret":
        _create(client, secret, version)
    elif step == "testSecret":
        # Without a value it is Secrets Manager that tries whether this function can be called.
        if (value := _pending(client, secret, version)) is not None:
            _check(_current(client, secret)["SecretString"], value)
    elif step == "finishSecret":
        _finish(client, secret, version)
    elif step != "setSecret":  # nobody else keeps the keys who would have to be told
        raise RotationError("no such step")
    logger.info("rotation", extra={"step": step})


def rotated(value: str, fresh: str) -> str:
    """Return what comes after a value, with `fresh` as the next key; raises ValueError."""
    sign, *verify = jwt_keys(value)
    announced = announced_in(value)
    if announced is None:
        verify = [fresh, *verify][: MAX_JWT_KEYS - 1]
    else:
        sign, verify = announced, [fresh, sign]
    return json.dumps({"sign": sign, "verify": verify, "next": fresh})


def announced_in(value: str) -> str | None:
    """Return the key that a value announces, None when it announces none."""
    if not value.startswith("{"):
        return None
    parts = json.loads(value)
    found: str | None = parts.get("next")
    return found if found in parts.get("verify", []) else None


def _create(client: Any, secret: str, version: str) -> None:
    if _pending(client, secret, version) is not None:
        return
    current = _current(client, secret)
    value = current["SecretString"]
    age = (now() - current["CreatedDate"]).total_seconds()
    if announced_in(value) is not None and age < MAX_LIFETIME_SECONDS:
        # What the key before the current one signed may still be in use, and would be no more.
        raise RotationError(f"the keys are {age / 86400:.1f} days old, tokens live for 30")
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
        raise RotationError("there is no value to change to")
    _check(current["SecretString"], value)
    client.update_secret_version_stage(
        SecretId=secret,
        VersionStage=CURRENT,
        MoveToVersionId=version,
        RemoveFromVersionId=current["VersionId"],
    )


def _check(value: str, pending: str) -> None:
    """Refuse a change that environments would not agree about while it spreads."""
    former, coming = jwt_keys(value), jwt_keys(pending)
    if former[0] not in coming or coming[0] not in former:
        raise RotationError("what one value signs the other would not accept")


def _current(client: Any, secret: str) -> Any:
    return client.get_secret_value(SecretId=secret, VersionStage=CURRENT)


def _pending(client: Any, secret: str, version: str) -> str | None:
    try:
        found = client.get_secret_value(SecretId=secret, VersionId=version, VersionStage=PENDING)
    except client.exceptions.ResourceNotFoundException:
        return None
    value: str = found["SecretString"]
    return value
