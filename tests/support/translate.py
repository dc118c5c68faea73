"""Turn a SAM template into CloudFormation for each parameter set, as AWS does at a deployment.

A program of its own, run by the Python of .venv-sam: the translator pins an older pydantic than
the functions use. Reads {"template": …, "parameters": [{…}, …]}, writes the list of translations.
"""

import copy
import json
import logging
import sys
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def translate(template: dict[str, Any], parameters: dict[str, str]) -> Any:
    """Return one translation."""
    session = boto3.session.Session(region_name="eu-west-1")
    own = copy.deepcopy(template)
    return Translator({}, Parser(), boto_session=session).translate(own, parameters)


def main() -> None:
    """Answer one request."""
    logging.disable()
    asked = json.load(sys.stdin)
    for resource in asked["template"]["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = "s3://packages/as-sam-deploy-uploads-them"
    json.dump([translate(asked["template"], each) for each in asked["parameters"]], sys.stdout)


if __name__ == "__main__":
    main()
