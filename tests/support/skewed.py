"""`python -m local`, but the clocks of the functions are wrong while the file SKEW_FILE exists."""

import os
import sys
from pathlib import Path
from unittest import mock

from local import __main__ as command
from local.lambda_ import environment as variables
from local.lambda_ import worker
from local.template.models import Function

lambda_environment = variables.lambda_environment


def environment(function: Function, folder: Path) -> dict[str, str]:
    """Return the variables that Lambda sets and the path of SKEW_FILE."""
    return {**lambda_environment(function, folder), "SKEW_FILE": os.environ["SKEW_FILE"]}


with (
    mock.patch.object(worker, "_BOOTSTRAP", Path(__file__).with_name("skewed_bootstrap.py")),
    mock.patch.object(variables, "lambda_environment", environment),
):
    sys.exit(command.main())
