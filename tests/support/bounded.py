"""`python -m local` with the concurrency limits of docs/deploy.md, for the smallest database."""

import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from local import __main__ as command
from local import service
from local.template.models import Template
from local.template.reader import read_template

LIMITS = {
    "MediaConcurrency": "40",
    "AuthConcurrency": "9",
    "PlexConcurrency": "3",
    "AdminConcurrency": "4",
    "HealthConcurrency": "2",
}


def read_with_limits(path: Path, *, opt: Path, parameters: Mapping[str, str]) -> Template:
    """Read the template with the limits, besides the parameters of `make run`."""
    return read_template(path, opt=opt, parameters={**parameters, **LIMITS})


if __name__ == "__main__":
    with mock.patch.object(service, "read_template", read_with_limits):
        sys.exit(command.main())
