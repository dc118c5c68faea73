"""No version with a fixed vulnerability is locked."""

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.api import ROOT
from tests.support.packages import DEPENDENCIES, locked

# Older versions have vulnerabilities, or behaviour that our code does not handle.
MINIMUM_VERSIONS = {
    # Older versions accept several encodings of a signature, a JWK as a secret, `exp` as Infinity.
    "pyjwt": "2.15",
    # Routes and validation rely on the behaviour since this version.
    "fastapi": "0.165",
    # CVE-2025-62727: a Range header takes quadratic time.
    "starlette": "0.49.1",
    # CVE-2025-66471, CVE-2026-21441: decompression of a response exhausts the memory.
    "urllib3": "2.6.3",
}


@pytest.mark.parametrize("name", MINIMUM_VERSIONS)
def test_no_locked_version_has_a_known_vulnerability(name: str) -> None:
    for lock in (DEPENDENCIES / "requirements.txt", ROOT / "requirements/dev.txt"):
        assert locked(lock)[name][0] >= Version(MINIMUM_VERSIONS[name]), lock


@pytest.mark.parametrize(
    "name", sorted(MINIMUM_VERSIONS.keys() - {"starlette"})
)  # a dependency of FastAPI, not in requirements.in
def test_the_requirements_exclude_versions_with_a_known_vulnerability(name: str) -> None:
    lines = (DEPENDENCIES / "requirements.in").read_text().splitlines()
    required = {each.name: each for each in map(Requirement, lines[1:])}
    [minimum] = [each for each in required[name].specifier if each.operator == ">="]
    assert Version(minimum.version) >= Version(MINIMUM_VERSIONS[name])
