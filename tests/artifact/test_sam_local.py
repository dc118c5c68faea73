"""`sam local start-api` finds the routes of the template, with the parser of SAM."""

import json
import subprocess

from tests.support.api import ROUTES
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
