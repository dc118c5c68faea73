"""What `sam build` made: `make deploy-check` builds it and says where it is.

Not collected with the other tests (pyproject.toml), which need no build.
"""

import os
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

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
def database_url(engines: tuple[str, str], request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database for the tests of one file."""
    url, _ = engines
    name = request.node.path.stem
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.rpartition("/")[0] + f"/{name}"
