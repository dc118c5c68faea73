"""Secrets: the value itself, or the ARN it is kept under in AWS Secrets Manager."""

from functools import cache

from pydantic import SecretStr

from medianest.core.config import SECRET_ARN_PREFIX, ConfigurationError


@cache
def resolve(secret: SecretStr | None, name: str) -> str:
    """Return a secret's value; an ARN is looked up once per process.

    Raises ConfigurationError when the setting is absent.
    """
    if secret is None:
        raise ConfigurationError(f"{name} is required")
    value = secret.get_secret_value()
    if not value.startswith(SECRET_ARN_PREFIX):
        return value
    # boto3 costs 0.1 s of start-up and is there only on AWS, so only an ARN pays for it.
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415

    return str(parameters.get_secret(value))
