"""What `sam build` made: `make deploy-check` builds it and says where it is.

Not collected with the other tests (pyproject.toml), which need no build.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import database

_GIVEN = os.environ.get("MEDIANEST_BUILDS", "")
if not _GIVEN:
    raise pytest.UsageError("MEDIANEST_BUILDS names no builds: run `make deploy-check`")
if sys.platform != "linux":
    raise pytest.UsageError("What is built for Lambda runs on Linux only")


@pytest.fixture(scope="session")
def builds() -> Path:
    """Return the folder of the builds, one for each architecture."""
    return Path(_GIVEN)


@pytest.fixture(scope="module")
def database_url(engines: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of an empty database for the tests of one file."""
    with database(engines[0], request.node.path.stem) as url:
        yield url
