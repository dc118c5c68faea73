"""The pages for contributors name files, folders and make targets that exist."""

import re

import pytest

from tests.support.api import ROOT

MEDIANEST = ROOT / "layers/shared/python/medianest"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# Folders to which a path may be relative: the project, the import path, the package, a domain.
ROOTS = (
    ROOT,
    MEDIANEST.parent,
    MEDIANEST,
    ROOT / "local",
    *(each for each in MEDIANEST.iterdir() if each.is_dir()),
)
PAGES = ["CONTRIBUTING.md", "docs/architecture.md"]


def names(text: str) -> set[str]:
    """Return the code spans that look like a path: with a slash or a file extension."""
    code = re.findall(r"`([^`\n]+)`", text)
    pattern = r"[\w.<>…*/-]*(?:/|\.(?:py|md|sql|yaml|toml|json|svg))[\w.<>…*/-]*"
    # A leading dot marks a generated or hidden file, a leading slash a path of the API.
    return {each for each in code if re.fullmatch(pattern, each) and each[0] not in "/."}


def exists(name: str) -> bool:
    """Return whether a file or folder exists; a placeholder in its name matches anything."""
    pattern = re.sub(r"NNNN_(pre|post)_<what>|<[\w-]+>|…|NNNN", "*", name).rstrip("/")
    return any(any(root.glob(pattern)) for root in ROOTS)


@pytest.mark.parametrize("page", PAGES)
def test_named_paths_exist(page: str) -> None:
    paths = names((ROOT / page).read_text())
    assert len(paths) > 5
    missing = sorted(name for name in paths if not exists(name))
    assert missing == [], f"{page} names files or folders that do not exist"


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_named_make_targets_exist(page: str) -> None:
    used = set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text()))
    assert used <= TARGETS, f"{page} names make targets that do not exist"


def test_a_missing_path_is_detected() -> None:
    assert names("`functions/health/app.py`, `a b`, `/api/x`") == {"functions/health/app.py"}
    assert exists("functions/<group>/app.py")
    assert not exists("functions/<group>/nothing.py")
