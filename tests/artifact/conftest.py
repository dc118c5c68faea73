"""Tests of the output of `sam build`; `make deploy-check` builds it and sets MEDIANEST_BUILDS.

pyproject.toml excludes these tests from the default run, which needs no build.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment, deployment, for_the_emulator
from tests.support.engines import database
from tests.support.rie import NATIVE_ARCHITECTURE

_BUILDS = os.environ.get("MEDIANEST_BUILDS", "")
if not _BUILDS:
    raise pytest.UsageError("MEDIANEST_BUILDS is not set: run `make deploy-check`")
if sys.platform != "linux":
    raise pytest.UsageError("Builds for Lambda run on Linux only")


@pytest.fixture(scope="session")
def builds() -> Path:
    """Return the folder with one build for each architecture."""
    return Path(_BUILDS)


@pytest.fixture(scope="module")
def database_url(engines: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of an empty database for the tests of one file."""
    with database(engines[0], request.node.path.stem) as url:
        yield url


@pytest.fixture(scope="session")
def release(builds: Path) -> Path:
    """Return the built template, for the emulator."""
    return for_the_emulator(builds / NATIVE_ARCHITECTURE / "template.yaml")


@pytest.fixture(scope="module")
def stack(
    release: Path,
    database_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """Run an emulator for the tests of one file, which depend on their order; deploy nothing."""
    with deployment(release, tmp_path_factory.mktemp("aws"), database_url, redis_url) as stack:
        yield stack
