"""Cold starts: a function imports only the packages that it needs."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

import pytest

from tests.support.api import ROOT, TEMPLATE
from tests.unit.conftest import ENVIRONMENT

WEB = {"fastapi", "starlette", "mangum"}
DRIVERS = {"psycopg", "redis", "urllib3"}
# Powertools imports the package `botocore`, which is nearly empty without its submodules.
AWS = {"boto3", "botocore.client", "botocore.session"}
PASSWORDS = {"argon2", "zxcvbn"}
# API models that the routes of other functions need.
AUDIT_LOG, SESSION_LIST = {"medianest.audit.schemas"}, {"medianest.sessions.schemas"}
USERS, SERVERS = {"medianest.users.schemas"}, {"medianest.servers.schemas"}
FOR_ADMINS = {
    "medianest.fulfilment.admin_schemas",
    "medianest.requests.admin_schemas",
    "medianest.system_config.admin_schemas",
}
SIGN_IN, QUOTAS = {"medianest.signin.schemas"}, {"medianest.requests.quota_schemas"}
OPT = ROOT / ".venv/opt"
# The interpreter's start comes before our own code, which stops the collector, and may run it.
IMPORT = """
import gc, importlib, json, sys, medianest
def runs(): return sum(each["collections"] for each in gc.get_stats())
before = runs()
importlib.import_module(sys.argv[1])
after = runs()
enabled = gc.isenabled()
excluded, threshold = gc.get_freeze_count(), gc.get_threshold()[0]
print(json.dumps([[*sys.modules], before, after, excluded, threshold, enabled]))
"""
FUNCTIONS = [
    f"functions.{path.parent.name}.app"
    for path in sorted(Path(__file__).parents[2].glob("functions/*/app.py"))
]


class Imported(NamedTuple):
    """The state of a new process after an import.

    `collections` are the runs of the collector of garbage before the import and after it.
    """

    modules: frozenset[str]
    collections: tuple[int, int]
    excluded: int
    threshold: int
    is_enabled: bool


@cache
def after_import(module: str) -> Imported:
    """Import a module in a new process."""
    completed = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT, module],
        env=ENVIRONMENT | {"POWERTOOLS_SERVICE_NAME": "tests"},
        cwd=gettempdir(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    names, before, after, excluded, threshold, is_enabled = json.loads(completed.stdout)
    return Imported(frozenset(names), (before, after), excluded, threshold, is_enabled)


def imported_by(module: str) -> frozenset[str]:
    """Return the modules that an import loads, in a new process."""
    names = after_import(module).modules
    assert module in names
    return names


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("medianest.api.app", AWS),
        (
            "functions.cleanup.app",
            WEB | AWS | {"medianest.core.envelope", "medianest.users.models"},
        ),
        ("functions.migrations.app", WEB | AWS),
        ("functions.worker.app", WEB | AWS | {"medianest.core.envelope", "medianest.jobs.schemas"}),
        ("functions.rotation.app", WEB | AWS),
        ("functions.health.app", AWS | {"medianest.sessions.service"}),
        ("functions.auth.app", AWS | PASSWORDS | AUDIT_LOG | FOR_ADMINS),
        ("functions.plex.app", AWS | PASSWORDS | FOR_ADMINS),
        ("functions.media.app", AWS | AUDIT_LOG | SESSION_LIST | USERS | SERVERS | FOR_ADMINS),
        ("functions.admin.app", AWS | PASSWORDS | SESSION_LIST | SERVERS | SIGN_IN | QUOTAS),
        ("functions.fulfilment.app", AWS | PASSWORDS | SESSION_LIST | USERS | FOR_ADMINS),
    ],
)
def test_an_import_loads_no_module_that_a_cold_start_does_not_need(
    module: str, forbidden: set[str]
) -> None:
    assert imported_by(module) & forbidden == set()


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
        ("functions.fulfilment.app", {"psycopg", "redis"}),
    ],
)
def test_an_import_loads_the_drivers_that_every_first_call_needs(
    module: str, drivers: set[str]
) -> None:
    assert imported_by(module) & DRIVERS == drivers


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
def test_an_import_of_a_heavy_module_is_detected(module: str, expected: str) -> None:
    assert expected in imported_by(module)


@pytest.mark.parametrize("module", FUNCTIONS)
def test_an_init_collects_no_garbage_and_its_objects_are_excluded_later(module: str) -> None:
    process = after_import(module)
    before, after = process.collections
    assert before == after
    assert process.excluded > 10_000


@pytest.mark.parametrize("module", FUNCTIONS)
def test_garbage_is_collected_again_after_an_init(module: str) -> None:
    process = after_import(module)
    assert process.is_enabled
    assert process.threshold == 10_000


# PyJWT imports cryptography wherever it finds it, which takes longer than everything else of it.
def test_only_the_functions_that_encrypt_have_the_layer_of_cryptography(tmp_path: Path) -> None:
    with_layer = {
        function.id
        for function in TEMPLATE.functions.values()
        if "EncryptionLayer" in {layer.id for layer in function.layers}
    }
    with_key = {
        function.id
        for function in TEMPLATE.functions.values()
        if "ENCRYPTION_KEY" in function.environment
    }
    assert with_layer == with_key > set()
    layers = TEMPLATE.functions["AdminFunction"].layers
    code = "import jwt, sys; print('cryptography' in sys.modules)"
    for extra, expected in ((), "False"), ((OPT / "EncryptionLayer/python",), "True"):
        path = ":".join(str(each) for each in (*(layer.python for layer in layers), *extra))
        # -S: without the packages of the virtual environment, as on Lambda.
        printed = subprocess.run(
            [sys.executable, "-S", "-P", "-c", code],
            env={"PYTHONPATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert printed.stdout.strip() == expected
