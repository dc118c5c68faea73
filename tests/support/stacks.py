"""The deployment variants for which the template is tested: profiles, modes and options."""

import functools
import inspect
from collections.abc import Callable
from itertools import product
from typing import Any

from tests.support import cloudformation
from tests.support.bounded import LIMITS
from tests.support.cloudformation import ACCOUNT, REGION, Stack

CANARY = "canary-of-a-key"  # marks where the value of a parameter appears
KNOWN = {"TmdbApiKey": CANARY}  # the only parameter without a default


def secret_arn(name: str) -> str:
    """Return the ARN of an existing secret."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-Ab12Cd"


_DATABASE = {"DatabaseMode": "external", "DatabaseUrlSecretArn": secret_arn("database")}
_CACHE = {"CacheMode": "external", "RedisUrlSecretArn": secret_arn("cache")}
_DOMAIN = {
    "DomainName": "api.media.example",
    "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/"
    "5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11",
}
EXTERNAL = _DATABASE | _CACHE

_DATABASES = {"rds": {"DatabaseMode": "rds"}, "aurora": {"DatabaseMode": "aurora"}}
_DATABASES["external"] = _DATABASE
_CACHES = {"serverless": {"CacheMode": "serverless"}, "node": {"CacheMode": "node"}}
_CACHES["external"] = _CACHE
_CACHES["no cache"] = {"CacheMode": "none"}
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/5a0c1f0e-7d3b-4c8e-9a51-2f6f0a3f9d11"
_PARAMETER_STORE = {"SecretStore": "parameterstore"}
_EGRESS = ("nat-instance", "nat-gateway")

MODES = {
    f"{database}, {cache}, {egress}": _DATABASES[database] | _CACHES[cache] | {"EgressMode": egress}
    for database, cache, egress in product(_DATABASES, _CACHES, _EGRESS)
    if database != "external" or cache not in {"external", "no cache"}
}
# Options that are added to the hobby profile, one at a time.
_HOBBY_OPTIONS = {
    "a custom domain": _DOMAIN,
    "a domain and its zone": _DOMAIN | {"HostedZoneId": "Z0123456789ABCDEFGHIJ"},
    "SnapStart": {"SnapStart": "true"},
    "tracing": {"Tracing": "true"},
    "a firewall": {"Waf": "true"},
    "a customer KMS key": {"KmsKeyArn": KEY_ARN},
    "rotation": {"JwtRotationDays": "31"},
    "a proxy": {"DatabaseProxy": "true"},
    "two zones": {"DatabaseMultiAz": "true", "CacheMode": "node", "CacheMultiAz": "true"},
    "a NAT for each zone": {"NatPerAz": "true", "NatInstanceType": "t4g.small"},
    "zones": {"ZoneA": "us-east-1d", "ZoneB": "us-east-1f"},
    "AWS's free plan": {"NatInstanceType": "t4g.micro", "DatabaseBackupDays": "1"},
    "an Aurora reader": {"DatabaseMode": "aurora", "DatabaseMultiAz": "true"},
    "Aurora that does not pause": {
        "DatabaseMode": "aurora",
        "AuroraMinCapacity": "0.5",
        "DatabaseProxy": "true",
    },
    "flow logs": {"FlowLogs": "true"},
    "no dashboard": {"Dashboard": "false"},
    "alarms by mail": {"AlarmEmail": "admin@media.example", "Alarms": "all"},
    "few alarms by mail": {"AlarmEmail": "admin@media.example"},
    "a budget": {"AlarmEmail": "admin@media.example", "MonthlyBudgetUsd": "30"},
    "a protected database": {"DatabaseDeletionProtection": "true"},
    "concurrency limits": LIMITS,
    "one concurrency limit": {"MediaConcurrency": "30"},
    "the secrets extension": {
        "SecretsExtensionLayerArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:secrets:1"
    },
    "an existing log role": {"AccessLogRole": "existing"},
    "existing secrets": {
        "JwtSecretArn": secret_arn("jwt"),
        "TmdbApiKey": "",
        "TmdbApiKeySecretArn": secret_arn("tmdb"),
        "PlexClientId": "6f0a3f9d-8f1e-4c8e-9a51-5a0c1f0e7d3b",
    },
    "CORS origins": {"CorsOrigin": "https://web.example,http://localhost:5173"},
    "x86_64": {"Architecture": "x86_64"},
}
# Parameter Store neither rotates nor uses a customer's key, so these are no options of `scale`.
_STORE_OPTIONS = {
    "secrets in Parameter Store": _PARAMETER_STORE,
    "existing secrets, the others in Parameter Store": {
        **_PARAMETER_STORE,
        "JwtSecretArn": secret_arn("jwt"),
        "TmdbApiKey": "",
        "TmdbApiKeySecretArn": secret_arn("tmdb"),
    },
}
EXTERNAL_VARIANTS = {
    "external": EXTERNAL,
    "external, no cache": _DATABASE | {"CacheMode": "none"},
    "external, no cache, secrets in Parameter Store": _DATABASE
    | _PARAMETER_STORE
    | {"CacheMode": "none"},
    "external, no cache, two database users": _DATABASE
    | {"CacheMode": "none", "MigrationsDatabaseUrlSecretArn": secret_arn("owner")},
    "external, two database users": EXTERNAL
    | {"MigrationsDatabaseUrlSecretArn": secret_arn("owner")},
    "external, all options": {
        **EXTERNAL,
        **_DOMAIN,
        "SnapStart": "true",
        "Tracing": "true",
        "JwtRotationDays": "90",
    },
}

_NO_PAGE = {"WebPage": "false"}
# The API alone, at API Gateway.
_NO_PAGE_VARIANTS = {
    "hobby without the page": _NO_PAGE,
    "hobby without the page, secrets in Parameter Store": _NO_PAGE | _PARAMETER_STORE,
    "hobby without the page, with a firewall and a domain and its zone": {
        **_NO_PAGE,
        **_DOMAIN,
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "Waf": "true",
    },
}
PAGE_FIREWALL = "hobby and a firewall in us-east-1"
# Only in this region a stack can have a firewall in front of its distribution.
_REGIONS = {PAGE_FIREWALL: "us-east-1"}


@functools.cache
def parameter_sets() -> dict[str, dict[str, str]]:
    """Return the parameters of each variant, by its name."""
    hobby, scale = cloudformation.profile("hobby"), cloudformation.profile("scale")
    sets = {"no profile": {}, "hobby": hobby, "scale": scale}
    sets |= {name: hobby | overrides for name, overrides in MODES.items()}
    sets |= {
        f"hobby and {name}": hobby | overrides
        for name, overrides in (_HOBBY_OPTIONS | _STORE_OPTIONS).items()
    }
    sets |= {name: hobby | overrides for name, overrides in _NO_PAGE_VARIANTS.items()}
    sets |= {PAGE_FIREWALL: hobby | _HOBBY_OPTIONS["a firewall"]}
    sets |= EXTERNAL_VARIANTS
    sets |= {
        f"hobby on {each}": hobby | {"DatabaseInstanceClass": each}
        for each in cloudformation.template()["Parameters"]["DatabaseInstanceClass"][
            "AllowedValues"
        ]
    }
    secret_options = _HOBBY_OPTIONS["existing secrets"]
    sets["scale with all options"] = {
        name: value
        for option in [*_HOBBY_OPTIONS.values(), scale]
        for name, value in option.items()
        if option is not secret_options
    }
    return {name: KNOWN | overrides for name, overrides in sets.items()}


@functools.cache
def all_stacks() -> dict[str, Stack]:
    """Return the resolved stack of each variant, by its name."""
    return cloudformation.stacks(parameter_sets(), _REGIONS)


def for_every_variant(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test of a `stack` for each variant; a failure names the variant.

    With pytest parameters there would be thousands of tests, which take half a minute.
    """

    @functools.wraps(test)
    def run(*arguments: Any, **keywords: Any) -> None:
        for name, stack in all_stacks().items():
            try:
                test(*arguments, **keywords, stack=stack)
            except Exception as error:
                error.add_note(f"Deployment variant: {name}")
                raise

    signature = inspect.signature(test)
    parameters = [each for name, each in signature.parameters.items() if name != "stack"]
    vars(run)["__signature__"] = signature.replace(parameters=parameters)
    return run
