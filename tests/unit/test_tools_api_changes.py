"""Changes of the API document: breaking ones are reported, compatible ones are not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medianest import VERSION
from tests.support.api import ROOT
from tests.support.openapi import DOCUMENT
from tools.api_changes import breaking_changes, may_break

type Edit = Callable[[dict[str, Any]], object]

SEARCH = "/api/media/search"
REQUEST = "/api/media/request"
# Parsing is faster than a deep copy.
TEXT = json.dumps(DOCUMENT)


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = document["components"]["schemas"][name]
    return result


def parameter(document: dict[str, Any], path: str, name: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = document["paths"][path]["get"]["parameters"]
    return next(each for each in parameters if each["name"] == name)


def breaking_after(edit: Edit) -> list[str]:
    changed = json.loads(TEXT)
    edit(changed)
    assert changed != DOCUMENT
    return breaking_changes(DOCUMENT, changed)


def test_an_unchanged_document_has_no_breaking_changes() -> None:
    assert breaking_changes(DOCUMENT, DOCUMENT) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda document: document["paths"].pop(SEARCH),
            f"GET {SEARCH}: operation was there and is absent",
        ),
        (
            lambda document: document["paths"][SEARCH]["get"].update(operationId="find"),
            f"GET {SEARCH}: operationId was search and is find",
        ),
        (
            lambda document: document["paths"][SEARCH]["get"]["parameters"].pop(),
            f"GET {SEARCH} query page: parameter was there and is absent",
        ),
        (
            lambda document: parameter(document, SEARCH, "page").update(required=True),
            f"GET {SEARCH} query page: required was false and is true",
        ),
        (
            lambda document: parameter(document, SEARCH, "page")["schema"].update(maximum=9),
            f"GET {SEARCH} query page: maximum was 1000000 and is 9",
        ),
        (
            lambda document: parameter(document, SEARCH, "type")["schema"]["enum"].remove("tv"),
            f'GET {SEARCH} query type: enum was ["all", "movie", "tv"] and is ["all", "movie"]',
        ),
        (
            lambda document: schema(document, "RequestIn")["properties"].pop("comment"),
            f"POST {REQUEST} body comment: property was there and is absent",
        ),
        (
            lambda document: schema(document, "RequestIn")["required"].append("comment"),
            f"POST {REQUEST} body comment: required was false and is true",
        ),
        (
            lambda document: schema(document, "RequestIn")["properties"]["comment"].pop("nullable"),
            f"POST {REQUEST} body comment: nullable was true and is null",
        ),
        (
            lambda document: schema(document, "Title")["properties"].pop("year"),
            f"GET {SEARCH} 200 data items year: property was there and is absent",
        ),
        (
            lambda document: schema(document, "Title")["required"].remove("title"),
            f"GET {SEARCH} 200 data items title: required was true and is false",
        ),
        (
            lambda document: schema(document, "Title")["properties"]["mediaType"]["enum"].append(
                "person"
            ),
            (
                f"GET {SEARCH} 200 data items mediaType: enum was "
                '["movie", "tv"] and is ["movie", "tv", "person"]'
            ),
        ),
        (
            lambda document: schema(document, "Title")["properties"]["tmdbId"].update(
                type="string"
            ),
            f"GET {SEARCH} 200 data items tmdbId: type was integer and is string",
        ),
        (
            lambda document: schema(document, "Title")["properties"]["year"].update(nullable=True),
            f"GET {SEARCH} 200 data items year: nullable was null and is true",
        ),
        (
            lambda document: document["paths"][SEARCH]["get"]["responses"]["200"]["headers"].pop(
                "X-Catalog-Stale"
            ),
            f"GET {SEARCH} 200 X-Catalog-Stale: header was there and is absent",
        ),
        (
            lambda document: document["paths"]["/api/health"]["get"].update(
                security=[{"bearer": []}]
            ),
            'GET /api/health: security was [] and is [{"bearer": []}]',
        ),
    ],
)
def test_a_change_that_breaks_clients_is_reported(edit: Edit, expected: str) -> None:
    assert expected in breaking_after(edit)


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document["paths"].update({"/api/new": {}}),
        lambda document: document["paths"][SEARCH]["get"]["parameters"].append(
            {"name": "year", "in": "query", "required": False, "schema": {"type": "integer"}}
        ),
        lambda document: parameter(document, SEARCH, "page")["schema"].update(maximum=2_000_000),
        lambda document: parameter(document, SEARCH, "type")["schema"]["enum"].append("person"),
        lambda document: schema(document, "RequestIn")["properties"].update(
            quality={"type": "string"}
        ),
        lambda document: schema(document, "RequestIn")["required"].remove("tmdbId"),
        lambda document: schema(document, "Title")["properties"].update(rating={"type": "number"}),
        lambda document: schema(document, "Title")["required"].append("year"),
        lambda document: schema(document, "Title").update(description="Another text"),
        lambda document: document["paths"][SEARCH]["get"]["responses"].pop("503"),
        lambda document: document["paths"][SEARCH]["get"]["responses"].update(
            {"402": document["paths"][SEARCH]["get"]["responses"]["400"]}
        ),
    ],
)
def test_a_compatible_change_is_not_reported(edit: Edit) -> None:
    assert breaking_after(edit) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0.1.0", "0.1.1", False),
        ("0.1.0", "0.2.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
        ("0.2.0", "0.1.0", False),
    ],
)
def test_only_a_new_breaking_version_may_break_clients(old: str, new: str, expected: bool) -> None:
    assert may_break(old, new) is expected


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a Git repository with one commit that contains only the document."""
    file = tmp_path / "functions/health/openapi.json"
    file.parent.mkdir(parents=True)
    file.write_text(TEXT, encoding="utf-8")
    author = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "First"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=60)
    return tmp_path


def compare(repository: Path, base: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.api_changes", base],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("edit", "status", "message"),
    [
        (lambda document: document, 0, "No breaking changes."),
        (
            lambda document: schema(document, "User")["properties"].update(
                nickname={"type": "string"}
            ),
            0,
            "No breaking changes.",
        ),
        (
            lambda document: schema(document, "User")["properties"].pop("username"),
            1,
            f"These changes break clients of {VERSION}, and {VERSION} is not a breaking version.",
        ),
    ],
)
def test_the_working_copy_is_compared_with_a_commit(
    repository: Path, edit: Edit, status: int, message: str
) -> None:
    changed = json.loads(TEXT)
    edit(changed)
    (repository / "functions/health/openapi.json").write_text(json.dumps(changed))
    completed = compare(repository, "HEAD")
    assert (completed.returncode, completed.stderr) == (status, "")
    assert completed.stdout.splitlines()[-1] == message


def test_a_commit_without_a_document_is_refused(repository: Path) -> None:
    refused = compare(repository, "nothing")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("nothing has no API document (fatal: ")
    assert refused.stderr.endswith("): name another commit, BASE=COMMIT\n")
