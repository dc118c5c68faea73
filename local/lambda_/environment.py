"""Build the environment variables of a worker: Lambda's own and those of the template."""

import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from local.template.intrinsics import REGION
from local.template.loader import TemplateError
from local.template.models import Function
from local.template.placeholders import placeholder_origin


def function_environment(
    function: Function,
    runtime: Path,
    replaced: Mapping[str, str],
    aws: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables of a function; `replaced` overrides variables of the template.

    `aws` has the addresses of emulated services, as in `AWS_ENDPOINT_URL_SQS`.
    """
    variables = {name: replaced.get(name, value) for name, value in function.environment.items()}
    for name, value in variables.items():
        if origin := placeholder_origin(value):
            raise TemplateError(f"{name} of {function.id} comes from {origin}")
    return {**lambda_environment(function, runtime), **(aws or {}), **variables}


def lambda_environment(function: Function, runtime: Path) -> dict[str, str]:
    """Return the variables that Lambda itself sets."""
    return {
        # On AWS these are of the function's role. Here they are valid nowhere, and keep boto3 from
        # reading those of the person who runs the service.
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "local",
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }
