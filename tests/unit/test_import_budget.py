"""Cold starts: a function imports only the packages that it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.conftest import ENVIRONMENT

WEB = {"fastapi", "starlette", "mangum"}
DRIVERS = {"psycopg", "redis", "urllib3"}
# Powertools imports the package `botocore`, which is nearly empty without its submodules.
AWS = {"boto3", "botocore.client", "botocore.session"}
PASSWORDS = {"argon2", "zxcvbn"}


def imported_by(module: str, cwd: Path) -> set[str]:
    """Return the modules that an import loads, in a new process."""
    completed = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules, sep='\\n')"],
        env=ENVIRONMENT | {"POWERTOOLS_SERVICE_NAME": "tests"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    names = set(completed.stdout.split())
    assert module in names
    return names


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("medianest.api.app", AWS),
        ("functions.cleanup.app", WEB | AWS),
        ("functions.migrations.app", WEB | AWS),
        ("functions.rotation.app", WEB | AWS),
        ("functions.health.app", AWS),
        ("functions.auth.app", AWS | PASSWORDS),
        ("functions.plex.app", AWS | PASSWORDS),
        ("functions.media.app", AWS),
        ("functions.admin.app", AWS | PASSWORDS),
    ],
)
def test_an_import_loads_no_module_that_a_cold_start_does_not_need(
    tmp_path: Path, module: str, forbidden: set[str]
) -> None:
    assert imported_by(module, tmp_path) & forbidden == set()


# A function imports during init what every first call needs (docs/adr/0021).
@pytest.mark.parametrize(
    ("module", "drivers"),
    [
        ("medianest.api.app", set()),
        ("functions.cleanup.app", {"psycopg"}),
        ("functions.migrations.app", set()),
        ("functions.rotation.app", set()),
        ("functions.health.app", set()),
        ("functions.auth.app", {"psycopg", "redis"}),
        ("functions.plex.app", {"psycopg", "redis", "urllib3"}),
        ("functions.media.app", {"psycopg", "redis"}),
        ("functions.admin.app", {"psycopg", "redis"}),
    ],
)
def test_an_import_loads_the_drivers_that_every_first_call_needs(
    tmp_path: Path, module: str, drivers: set[str]
) -> None:
    assert imported_by(module, tmp_path) & DRIVERS == drivers


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("medianest.api.app", "fastapi"),
        ("psycopg", "psycopg"),
        ("urllib3", "urllib3"),
        ("argon2", "argon2"),
        ("zxcvbn.frequency_lists", "zxcvbn"),
        ("boto3", "botocore.session"),
    ],
)
def test_an_import_of_a_heavy_module_is_detected(
    tmp_path: Path, module: str, expected: str
) -> None:
    assert expected in imported_by(module, tmp_path)
