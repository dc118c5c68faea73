"""Secrets: a value, or the ARN of a value in Secrets Manager or Parameter Store."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydantic import SecretStr

from medianest.core import http
from medianest.core.addresses import SECRET_ARN_PREFIX
from medianest.core.environment import ConfigurationError, environment, load
from medianest.core.observability import count, logger
from medianest.core.variables import NO_CACHE

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters.base import BaseProvider

# The age at which a value is read again. It bounds the time until a rotated secret is in use.
MAX_AGE_SECONDS = 300.0
# While reading fails, a stale value is used for this long, with this pause between attempts.
MAX_STALE_SECONDS = 3600.0
STALE_PAUSE_SECONDS = 30.0
# The maximum age of a cached value for a call with `fresh`.
FRESH_SECONDS = 5.0
EXTENSION_SECONDS = 2.0
_EXTENSION_PORT = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"


class SecretUnreadableError(ConfigurationError):
    """A secret cannot be read at the moment; the call can be retried."""


class _UnreadableError(Exception):
    """The cause of a SecretUnreadableError; the message has no part of the value."""


class _CacheEntry(NamedTuple):
    value: str
    read_at: float
    fresh_until: float


_cached: dict[tuple[str, str], _CacheEntry] = {}


def resolve(secret: SecretStr | None, name: str, *, fresh: bool = False) -> str:
    """Return the value of the variable `name`; values are cached, so call it on every use.

    The value of an ARN is cached for MAX_AGE_SECONDS, with `fresh` for FRESH_SECONDS. Raises
    ConfigurationError when the variable is missing or its value is invalid, and
    SecretUnreadableError when it cannot be read.
    """
    if secret is None:
        raise ConfigurationError(f"{name} is required")
    arn_or_value = secret.get_secret_value()
    if not arn_or_value.startswith(SECRET_ARN_PREFIX):
        return arn_or_value
    entry = _cached.get((name, arn_or_value))
    # Wall clock: the monotonic clock may stop while the environment is frozen.
    now = time.time()
    if entry is not None and now < (entry.read_at + FRESH_SECONDS if fresh else entry.fresh_until):
        return entry.value
    try:
        value = _read(arn_or_value, fresh=fresh)
    except _UnreadableError as error:
        count("SecretUnreadable")
        if entry is None or now > entry.read_at + MAX_STALE_SECONDS:
            raise SecretUnreadableError(f"{name} cannot be read: {error}") from error
        logger.warning("secret_refresh_failed", extra={"variable": name, "cause": str(error)})
        # Pause for all secrets, so that a request waits for at most one timeout.
        for key, other in list(_cached.items()):
            _cached[key] = _CacheEntry(
                other.value, other.read_at, max(other.fresh_until, now + STALE_PAUSE_SECONDS)
            )
        return entry.value
    value = _checked(name, value)
    _cached[name, arn_or_value] = _CacheEntry(value, now, now + MAX_AGE_SECONDS)
    return value


def _checked(name: str, value: str) -> str:
    """Return the value as the variable's validator returns it; raises ConfigurationError."""
    if value.startswith(SECRET_ARN_PREFIX):
        raise ConfigurationError(f"{name} is an ARN whose value is another ARN")
    if value == NO_CACHE:
        raise ConfigurationError(f"{name} is an ARN whose value is {NO_CACHE}: set the variable")
    current = environment()
    hosts = {"DATABASE_HOST": current.database_host or "", "REDIS_HOST": current.redis_host or ""}
    validated = load({"NODE_ENV": current.node_env, **hosts, name: value}, name)
    secret: SecretStr = getattr(validated, name.lower())
    return secret.get_secret_value()


def _read(arn: str, *, fresh: bool) -> str:
    """Read the value behind an ARN; raises _UnreadableError."""
    # The extension's cache cannot be bypassed, so it cannot return fresh values.
    if not fresh and (port := os.environ.get(_EXTENSION_PORT)):
        try:
            return _from_extension(arn, port)
        except _UnreadableError as error:
            # The extension is an optimisation; fall back to the SDK, whose errors are also clearer.
            logger.warning("secrets_extension_failed", extra={"cause": str(error)})
    return _from_aws(arn)


def _from_extension(arn: str, port: str) -> str:
    """Read a value from the AWS Parameters and Secrets Lambda extension, without boto3."""
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
        raise _UnreadableError(f"the extension returned {status} without a value") from None
    return _text(value)


def _from_aws(arn: str) -> str:
    from aws_lambda_powertools.utilities.parameters.exceptions import (
        GetParameterError,
    )

    try:
        # No cache in Powertools, because this module has one.
        if _service(arn) == "ssm":
            value = _provider("ssm").get(arn, force_fetch=True, max_age=0, decrypt=True)
        else:
            value = _provider("secretsmanager").get(arn, force_fetch=True, max_age=0)
    except GetParameterError as error:
        # The message of AWS contains principals and resources, so only the type is logged.
        raise _UnreadableError(f"AWS returned {type(error.__context__).__name__}") from error
    return _text(value)


@cache
def _provider(service: str) -> BaseProvider:
    # boto3 takes 0.1 s to import and is installed only on AWS, so only ARNs import it.
    from aws_lambda_powertools.utilities.parameters import (
        SecretsProvider,
        SSMProvider,
    )
    from botocore.config import Config

    # boto3's default timeouts of 60 seconds are longer than any request.
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    provider = SSMProvider if service == "ssm" else SecretsProvider
    return provider(boto_config=config)


def _service(arn: str) -> str:
    return arn.split(":")[2]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _UnreadableError("the stored value is empty or not text")
    return value
