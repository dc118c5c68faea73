"""`sam local start-api` finds the routes of the template, with SAM's own parser."""

import json
import subprocess

from tests.support.api import ROUTES
from tests.support.cloudformation import ROOT, SAM_PYTHON

# The steps of start-api before it starts a container.
READ = """
import json, logging
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
print(json.dumps([[route.path, sorted(route.methods)] for route in ApiProvider(stacks).routes]))
"""


def test_every_route_leads_to_a_function() -> None:
    done = subprocess.run(
        [SAM_PYTHON, "-c", READ], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = [
        (method, path)
        for path, methods in json.loads(done.stdout)
        for method in methods
        if method not in {"HEAD", "OPTIONS"}
    ]
    assert sorted(found) == ROUTES
