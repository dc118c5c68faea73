"""Cold starts: a function imports only the packages that it needs."""

import subprocess
import sys
from pathlib import Path

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
USERS = {"medianest.users.schemas"}
OPT = ROOT / ".venv/opt"
FUNCTIONS = [
    f"functions.{path.parent.name}.app"
    for path in sorted(Path(__file__).parents[2].glob("functions/*/app.py"))
]


def after_import(module: str, expression: str, cwd: Path) -> str:
    """Return what an expression prints after an import, in a new process."""
    completed = subprocess.run(
        [sys.executable, "-c", f"import gc, sys, {module}; print({expression})"],
        env=ENVIRONMENT | {"POWERTOOLS_SERVICE_NAME": "tests"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def imported_by(module: str, cwd: Path) -> set[str]:
    """Return the modules that an import loads, in a new process."""
    names = set(after_import(module, "*sys.modules, sep='\\n'", cwd).split())
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
        ("functions.auth.app", AWS | PASSWORDS | AUDIT_LOG),
        ("functions.plex.app", AWS | PASSWORDS),
        ("functions.media.app", AWS | AUDIT_LOG | SESSION_LIST | USERS),
        ("functions.admin.app", AWS | PASSWORDS | SESSION_LIST),
        ("functions.fulfilment.app", AWS | PASSWORDS | SESSION_LIST | USERS),
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
        ("functions.fulfilment.app", {"psycopg", "redis"}),
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


@pytest.mark.parametrize("module", FUNCTIONS)
def test_an_init_collects_no_garbage_and_its_objects_are_excluded_later(
    tmp_path: Path, module: str
) -> None:
    runs = "sum(each['collections'] for each in gc.get_stats())"
    expression = f"{runs}, __import__('{module}') and {runs}, gc.get_freeze_count(), gc.isenabled()"
    # The interpreter's start comes before ours and may collect garbage.
    before, after, excluded, is_enabled = after_import("medianest", expression, tmp_path).split()
    assert before == after
    assert int(excluded) > 10_000
    assert is_enabled == "True"


def test_garbage_is_collected_again_after_an_init(tmp_path: Path) -> None:
    threshold = after_import("functions.health.app", "gc.get_threshold()[0]", tmp_path)
    assert int(threshold) == 10_000


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
