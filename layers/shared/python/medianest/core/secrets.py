"""Secrets: a value, or the ARN of one in Secrets Manager or Parameter Store."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from medianest.core import http
from medianest.core.addresses import SECRET_ARN_PREFIX
from medianest.core.environment import ConfigurationError, environment, load
from medianest.core.observability import count, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters.base import BaseProvider

# The age at which a value is read again: by then a rotated one is in use everywhere.
MAX_AGE_SECONDS = 300.0
# A stale value serves this long while it cannot be read again, with this pause between attempts.
MAX_STALE_SECONDS = 3600.0
STALE_PAUSE_SECONDS = 30.0
# The greatest age of a value that a caller asks for as fresh.
FRESH_SECONDS = 5.0
EXTENSION_SECONDS = 2.0
_EXTENSION_PORT = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"


class SecretUnreadableError(ConfigurationError):
    """A secret cannot be read at the moment."""


class _UnreadableError(Exception):
    """The same inside this module; the message has no part of the value."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    read_at: float
    good_until: float


_kept: dict[tuple[str, str], _Kept] = {}


def resolve(secret: SecretStr | None, name: str, *, fresh: bool = False) -> str:
    """Return the value of the setting `name`; cheap enough to call on every use.

    The value behind an ARN is read once in MAX_AGE_SECONDS, or now when `fresh`. Raises
    ConfigurationError when the setting is absent, is unreadable (SecretUnreadableError), or has an
    invalid value.
    """
    if secret is None:
        raise ConfigurationError(f"{name} is required")
    text = secret.get_secret_value()
    if not text.startswith(SECRET_ARN_PREFIX):
        return text
    kept = _kept.get((name, text))
    # Wall clock: the monotonic clock may stand still while the environment is frozen.
    now = time.time()
    if kept is not None and now < (kept.read_at + FRESH_SECONDS if fresh else kept.good_until):
        return kept.value
    try:
        value = _read(text, fresh=fresh)
    except _UnreadableError as error:
        count("SecretUnreadable")
        if kept is None or now > kept.read_at + MAX_STALE_SECONDS:
            raise SecretUnreadableError(f"{name} cannot be read: {error}") from error
        logger.warning("secret not read again", extra={"setting": name, "reason": str(error)})
        # Pause for all secrets: each would cost a request a time-out.
        for key, each in list(_kept.items()):
            _kept[key] = _Kept(
                each.value, each.read_at, max(each.good_until, now + STALE_PAUSE_SECONDS)
            )
        return kept.value
    value = _checked(name, value)
    _kept[name, text] = _Kept(value, now, now + MAX_AGE_SECONDS)
    return value


def _checked(name: str, value: str) -> str:
    """Return the validated value of a setting; raises ConfigurationError."""
    if value.startswith(SECRET_ARN_PREFIX):
        raise ConfigurationError(f"{name} is kept as another ARN")
    own = environment()
    hosts = {"DATABASE_HOST": own.database_host or "", "REDIS_HOST": own.redis_host or ""}
    known = load({"NODE_ENV": own.node_env, **hosts, name: value}, name)
    secret: SecretStr = getattr(known, name.lower())
    return secret.get_secret_value()


def _read(arn: str, *, fresh: bool) -> str:
    """Read the value behind an ARN; raises _UnreadableError."""
    # The extension's own cache cannot be emptied, so it is no source of fresh values.
    if not fresh and (port := os.environ.get(_EXTENSION_PORT)):
        try:
            return _from_extension(arn, port)
        except _UnreadableError as error:
            # The extension is an optimisation; fall back to the SDK, which also explains refusals.
            logger.warning("secrets extension failed", extra={"reason": str(error)})
    return _from_aws(arn)


def _from_extension(arn: str, port: str) -> str:
    """Ask the AWS Parameters and Secrets Lambda extension, which spares the import of boto3."""
    if _service(arn) == "ssm":
        path, query = "systemsmanager/parameters", {"name": arn, "withDecryption": "true"}
    else:
        path, query = "secretsmanager", {"secretId": arn}
    try:
        status, body = http.request_json(
            "GET",
            f"http://localhost:{port}/{path}/get",
            headers={"X-Aws-Parameters-Secrets-Token": os.environ.get("AWS_SESSION_TOKEN", "")},
            query=query,
            total_seconds=EXTENSION_SECONDS,
        )
    except http.UpstreamError as error:
        raise _UnreadableError(str(error)) from error
    try:
        value = body["Parameter"]["Value"] if _service(arn) == "ssm" else body["SecretString"]
    except (KeyError, TypeError):
        raise _UnreadableError(f"the extension answered {status} without a value") from None
    return _text(value)


def _from_aws(arn: str) -> str:
    from aws_lambda_powertools.utilities.parameters.exceptions import (
        GetParameterError,
    )

    try:
        # No cache in Powertools: one is enough.
        if _service(arn) == "ssm":
            value = _provider("ssm").get(arn, force_fetch=True, max_age=0, decrypt=True)
        else:
            value = _provider("secretsmanager").get(arn, force_fetch=True, max_age=0)
    except GetParameterError as error:
        # AWS's own text names principals and resources, so only the type of the error is used.
        raise _UnreadableError(f"AWS refuses it: {type(error.__context__).__name__}") from error
    return _text(value)


@cache
def _provider(service: str) -> BaseProvider:
    # boto3 takes 0.1 s to import and exists only on AWS, so it is imported for ARNs only.
    from aws_lambda_powertools.utilities.parameters import (
        SecretsProvider,
        SSMProvider,
    )
    from botocore.config import Config

    # boto3's default time-outs are minutes, longer than any request.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    provider = SSMProvider if service == "ssm" else SecretsProvider
    return provider(boto_config=config)


def _service(arn: str) -> str:
    return arn.split(":")[2]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _UnreadableError("what is kept there is not text")
    return value
