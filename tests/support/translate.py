"""Turn a SAM template into CloudFormation for each parameter set, as AWS does at a deployment.

A separate program in .venv-translator, because the translator pins an older pydantic.
Reads {"template": …, "parameters": [{…}, …]}, writes the list of translations.
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
    """Return the CloudFormation template for one parameter set."""
    session = boto3.session.Session(region_name="eu-west-1")
    untranslated = copy.deepcopy(template)
    return Translator({}, Parser(), boto_session=session).translate(untranslated, parameters)


def main() -> None:
    """Read the input, translate and write the output."""
    logging.disable()
    request = json.load(sys.stdin)
    for resource in request["template"]["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][name] = "s3://packages/as-sam-deploy-uploads-them"
    json.dump([translate(request["template"], each) for each in request["parameters"]], sys.stdout)


if __name__ == "__main__":
    main()
