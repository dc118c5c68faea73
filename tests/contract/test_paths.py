"""The pages for contributors name files, folders and make targets that exist."""

import re
from pathlib import Path

import pytest

from tests.support.api import ROOT

MEDIANEST = ROOT / "layers/shared/python/medianest"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# Where a name may start: the project, the import path, the package, local/ or a domain.
ROOTS = (
    ROOT,
    MEDIANEST.parent,
    MEDIANEST,
    ROOT / "local",
    *(each for each in MEDIANEST.iterdir() if each.is_dir()),
)
PAGES = ["CONTRIBUTING.md", "docs/architecture.md"]


def names(text: str) -> set[str]:
    """Return what stands in code and looks like a path: it has a slash, or ends as a file does."""
    code = re.findall(r"`([^`\n]+)`", text)
    pattern = r"[\w.<>…*/-]*(?:/|\.(?:py|md|sql|yaml|toml|json|svg))[\w.<>…*/-]*"
    # A dot begins what is made on this machine, or is hidden; a slash, a path of the API.
    return {each for each in code if re.fullmatch(pattern, each) and each[0] not in "/."}


def is_there(name: str) -> bool:
    """Tell whether a file or folder exists; a chosen part of its name stands for any."""
    pattern = re.sub(r"NNNN_(pre|post)_<what>|<[\w-]+>|…|NNNN", "*", name).rstrip("/")
    return any(any(root.glob(pattern)) for root in ROOTS)


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_are_named_exist(page: str) -> None:
    found = names((ROOT / page).read_text())
    assert len(found) > 5
    gone = sorted(name for name in found if not is_there(name))
    assert gone == [], f"{page} names what is not there"


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_targets_that_are_named_exist(page: str) -> None:
    used = set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text()))
    assert used <= TARGETS, f"{page} names targets that the Makefile does not have"


def test_a_name_of_nothing_is_seen(tmp_path: Path) -> None:
    assert names("`functions/health/app.py`, `a b`, `/api/x`") == {"functions/health/app.py"}
    assert is_there("functions/<group>/app.py")
    assert not is_there("functions/<group>/nothing.py")
