"""`sam local` finds every route, and starts the functions as docs/sam-local.md says."""

import json
import re
import secrets
import subprocess
from typing import Any

import pytest

from medianest.core.environment import load
from tests.support.api import ROUTES, TEMPLATE
from tests.support.cloudformation import ROOT

SAM_PYTHON = ROOT / ".venv-sam/bin/python"
# The steps of start-api before it starts a container.
READ_ROUTES = """
import json, logging
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
print(json.dumps([[route.path, sorted(route.methods)] for route in ApiProvider(stacks).routes]))
"""
# The environment that invoke and start-api give each function, with the variables of a file.
READ_ENVIRONMENT = """
import json, sys
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
provider = SamFunctionProvider(SamLocalStackProvider.get_stacks("template.yaml")[0])
runner = LocalLambdaRunner(None, provider, ".", ".", env_vars_values=json.load(sys.stdin))
runner.get_aws_creds = lambda: {}
print(json.dumps({each.name: runner._make_env_vars(each).resolve() for each in provider.get_all()}))
"""
# Functions that sam-local.md leaves out: they need AWS.
NEED_AWS = {"PageFunction", "RotationFunction", "SecretStoreFunction"}


def test_sam_finds_every_route() -> None:
    completed = subprocess.run(
        [SAM_PYTHON, "-c", READ_ROUTES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    routes = [
        (method, path)
        for path, methods in json.loads(completed.stdout)
        for method in methods
        if method not in {"HEAD", "OPTIONS"}
    ]
    assert sorted(routes) == ROUTES


@pytest.fixture(scope="module")
def environments() -> dict[str, dict[str, str]]:
    """Return the environment of each function with the printed variables, and keys of random."""
    page = (ROOT / "docs/sam-local.md").read_text()
    printed = re.search(r"\.env\.sam\.json <<'END'\n(.*?)\n    END\n", page, re.DOTALL)
    assert printed is not None
    variables: dict[str, Any] = json.loads(printed[1])
    for name, value in variables["Parameters"].items():
        if value == "AT_LEAST_32_RANDOM_BYTES":
            variables["Parameters"][name] = secrets.token_urlsafe(48)
    completed = subprocess.run(
        [SAM_PYTHON, "-c", READ_ENVIRONMENT],
        cwd=ROOT,
        input=json.dumps(variables),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, str]] = json.loads(completed.stdout)
    return found


@pytest.mark.parametrize("function", sorted(TEMPLATE.functions.keys() - NEED_AWS))
def test_each_function_starts_with_the_variables_of_the_page(
    environments: dict[str, dict[str, str]], function: str
) -> None:
    source = (TEMPLATE.functions[function].code / "app.py").read_text()
    declaration = re.search(r"(?:create_app|require)\((.*?)\)", source, re.DOTALL)
    assert declaration is not None
    required = re.findall(r'"([A-Z_]+)"', declaration[1])
    environment = load(environments[function], *required)
    assert environment.database_url is not None
    assert environment.bell_queue_url is None
