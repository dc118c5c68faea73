"""The secrets of a stack in Parameter Store, as a custom resource of the stack.

CloudFormation creates no `SecureString`, and generates no value for one. The values have the forms
that the template gives to Secrets Manager.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from medianest.core import custom_resource
from medianest.core.observability import logger

TMDB_API_KEY = "tmdb-api-key"
ORIGIN_VERIFY = "origin-verify"
_KEY_BYTES = 48
# The member with the generated value, and the rest.
_FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "jwt-secret": ("sign", {"verify": []}),
    "encryption-key": ("current", {"keys": []}),
    ORIGIN_VERIFY: ("send", {"accept": []}),
}


def respond(event: Mapping[str, Any], seconds: float, *, ssm: Any) -> dict[str, Any]:
    """Create the secrets that do not exist, or delete them; send the result to CloudFormation.

    `ssm` is boto3's client. A generated value is never replaced, so repeating an event has the same
    result. The response contains the value of X-Origin-Verify, for the distribution. Raises only
    ResponseNotSentError.
    """
    properties = event["ResourceProperties"]
    folder = properties["Folder"]

    def work() -> dict[str, str]:
        if event["RequestType"] == "Delete":
            for name in (*_FORMS, TMDB_API_KEY):
                _delete(ssm, f"{folder}/{name}")
            return {}
        names = [each for each in properties["Generated"] if each]
        values = {name: _existing_or_new(ssm, f"{folder}/{name}", name) for name in names}
        if key := properties.get("TmdbApiKey"):
            _put(ssm, f"{folder}/{TMDB_API_KEY}", key, overwrite=True)
        if ORIGIN_VERIFY not in values:
            return {}
        return {"OriginVerify": json.loads(values[ORIGIN_VERIFY])["send"]}

    failure, data = custom_resource.attempt(work, seconds)
    return custom_resource.respond(
        event, failure=failure, resource_id=folder, data=data, is_secret=True
    )


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
    ssm.put_parameter(Name=parameter, Value=value, Type="SecureString", Overwrite=overwrite)


def _delete(ssm: Any, parameter: str) -> None:
    with suppress(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name=parameter)
        logger.info("secret_deleted", extra={"parameter": parameter})
