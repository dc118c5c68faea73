"""The secrets of a stack in Parameter Store, as a custom resource of the stack.

CloudFormation creates no `SecureString`, and generates no value for one. The values have the forms
that the template gives to Secrets Manager.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from medianest.core import custom_resource
from medianest.core.observability import logger

TMDB_API_KEY = "tmdb-api-key"
ORIGIN_VERIFY = "origin-verify"
# A new value of these harms people: their sessions end, and stored API keys become unreadable.
PERMANENT = ("jwt-secret", "encryption-key")
_KEY_BYTES = 48
# The member with the generated value, and the rest.
_FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "jwt-secret": ("sign", {"verify": []}),
    "encryption-key": ("current", {"keys": []}),
    ORIGIN_VERIFY: ("send", {"accept": []}),
}


class NewKeysError(Exception):
    """A stack with data would get new keys; the message names no value."""


def respond(
    event: Mapping[str, Any], seconds: float, *, ssm: Any, cloudformation: Any
) -> dict[str, Any]:
    """Create the secrets that do not exist, or delete them; send the result to CloudFormation.

    `ssm` and `cloudformation` are boto3's clients. A generated value is never replaced, so
    repeating an event has the same result. Only a new stack gets keys, and only a deleted one loses
    them: new keys end all sessions and make the encrypted API keys of servers unreadable. The
    response contains the value of X-Origin-Verify, for the distribution. Raises only
    ResponseNotSentError.
    """
    properties = event["ResourceProperties"]
    folder = properties["Folder"]

    def work() -> dict[str, str]:
        is_update = _is_update(cloudformation, event["StackId"])
        if event["RequestType"] == "Delete":
            if is_update:  # another store, or none: the way back needs the values
                logger.info("secrets_kept", extra={"folder": folder})
                return {}
            for name in (*_FORMS, TMDB_API_KEY):
                _delete(ssm, f"{folder}/{name}")
            return {}
        names = [each for each in properties["Generated"] if each]
        before = event.get("OldResourceProperties", {})
        if is_update:
            _require(ssm, folder, {*names} & {*before.get("Generated", PERMANENT)})
        values = {name: _existing_or_new(ssm, f"{folder}/{name}", name) for name in names}
        key = properties.get("TmdbApiKey", "")
        # An operator may have changed the value since; another update must not revert that.
        if key and key != before.get("TmdbApiKey"):
            _put(ssm, f"{folder}/{TMDB_API_KEY}", key, overwrite=True)
        if ORIGIN_VERIFY not in values:
            return {}
        return {"OriginVerify": json.loads(values[ORIGIN_VERIFY])["send"]}

    failure, data = custom_resource.attempt(work, seconds, NewKeysError)
    return custom_resource.respond(
        event, failure=failure, resource_id=folder, data=data, is_secret=True
    )


def _is_update(cloudformation: Any, stack: str) -> bool:
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    status: str = described["StackStatus"]
    return status.startswith("UPDATE_")


def _require(ssm: Any, folder: str, names: Iterable[str]) -> None:
    """Raise NewKeysError unless all parameters exist."""
    for name in sorted(names):
        try:
            ssm.get_parameter(Name=f"{folder}/{name}")
        except ssm.exceptions.ParameterNotFound:
            raise NewKeysError(
                f"The parameter {folder}/{name} does not exist. SecretStore can be chosen only in"
                " the first deployment of a stack: new keys would end all sessions and make the"
                " stored API keys of servers unreadable"
            ) from None


def _existing_or_new(ssm: Any, parameter: str, name: str) -> str:
    member, rest = _FORMS[name]
    try:
        _put(ssm, parameter, json.dumps({member: secrets.token_urlsafe(_KEY_BYTES), **rest}))
    except ssm.exceptions.ParameterAlreadyExists:
        logger.info("secret_kept", extra={"parameter": parameter})
    else:
        logger.info("secret_created", extra={"parameter": parameter})
    value: str = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    return value


def _put(ssm: Any, parameter: str, value: str, *, overwrite: bool = False) -> None:
    ssm.put_parameter(
        Name=parameter, Value=value, Type="SecureString", Tier="Standard", Overwrite=overwrite
    )


def _delete(ssm: Any, parameter: str) -> None:
    with suppress(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name=parameter)
        logger.info("secret_deleted", extra={"parameter": parameter})
