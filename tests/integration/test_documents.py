"""The API document and the documentation page."""

import re

import pytest

from medianest.api.headers import SECURITY_HEADERS
from tests.support.api import ROOT, call
from tests.support.openapi import DOCUMENT

PAGE = ROOT / "functions/health/page.html"
# The response limit of Lambda; the script of Swagger UI is the largest response.
MAX_RESPONSE_BYTES = 6 * 1024 * 1024


def links_of(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]*)"', page)


def test_document_is_served_without_an_envelope(db: object, keys: object) -> None:
    answer = call("GET", "/api/openapi.json")
    assert answer.status == 200
    assert answer.json == DOCUMENT
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_page_has_no_inline_or_external_resources(db: object, keys: object) -> None:
    answer = call("GET", "/api/docs")
    assert answer.status == 200
    assert re.sub(r"\?v=[0-9a-f]{16}", "", answer.text) == PAGE.read_text()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert answer.headers["content-security-policy"] == policy
    # The policy allows neither inline scripts and styles nor those of other hosts.
    assert not re.search(r"<style|<script(?! src=)| style=| on\w+=", answer.text)
    assert all(not re.match(r"\w*:|/", address) for address in links_of(answer.text))


def test_all_links_of_the_page_are_served(db: object, keys: object) -> None:
    addresses = links_of(call("GET", "/api/docs").text)
    responses = {}
    for address in addresses:
        name, _, version = address.partition("?v=")
        responses[name] = call("GET", f"/api/{name}", query={"v": version})
        if version:
            assert responses[name].headers["etag"] == f'"{version}"'
    assert {address: response.status for address, response in responses.items()} == {
        "docs/page.css": 200,
        "docs/page.js": 200,
        "docs/swagger-ui.css": 200,
        "docs/swagger-ui.js": 200,
        "openapi.json": 200,
    }
    for address, response in responses.items():
        assert 0 < len(response.text.encode()) < MAX_RESPONSE_BYTES
        if address.startswith("docs/"):
            kind = {"css": "text/css", "js": "text/javascript"}[address.rpartition(".")[2]]
            assert response.headers["content-type"] == f"{kind}; charset=utf-8"
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "SwaggerUIBundle" in responses["docs/swagger-ui.js"].text
    assert "SwaggerUIBundle" in responses["docs/page.js"].text


@pytest.mark.parametrize(
    "path", ["/api/openapi.json", "/api/docs", "/api/docs/swagger-ui.js", "/api/docs/page.css"]
)
def test_unchanged_document_gets_304(keys: object, path: str) -> None:
    first = call("GET", path)
    tag = first.headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}'):
        unchanged = call("GET", path, headers={"If-None-Match": header})
        assert (unchanged.status, unchanged.text) == (304, "")
        assert unchanged.headers["etag"] == tag
        assert unchanged.headers["cache-control"] == first.headers["cache-control"]
    for other in ('"other"', "", "*x"):
        assert call("GET", path, headers={"If-None-Match": other}).text == first.text


def test_documents_are_rate_limited_by_address(keys: object) -> None:
    for _ in range(60):
        assert call("HEAD", "/api/docs").status == 200
    refused = call("GET", "/api/docs/swagger-ui.js")
    assert (refused.status, refused.code) == (429, "RATE_LIMITED")
    assert refused.details["policy"] == "docs"
    assert call("GET", "/api/docs", ip="203.0.113.8").status == 200
    assert call("GET", "/api/health").status == 200


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "openapi.json",
        "page.html",
        "PAGE.JS",
        "LICENSE",
        "..",
        "%2e%2e",
        "..%2Fapp.py",
        "~",
    ],
)
def test_other_files_are_not_served(keys: object, name: str) -> None:
    answer = call("GET", f"/api/docs/{name}")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/api/openapi.json", "/api/docs", "/api/docs/page.js", "/api/health"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_unknown_query_parameters_are_ignored(keys: object, method: str, path: str) -> None:
    for query in ({"_": "1767225600"}, {"v": ["1", "2"]}, {b"\xff": b"\xff"}, {"": ""}):
        assert call(method, path, query=query).status == 200


def test_swagger_ui_has_its_own_folder_with_its_licence() -> None:
    folder = ROOT / "functions/health"
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert files == {"app.py", "openapi.json", "page.css", "page.html", "page.js"}
    copied = {path.name for path in (folder / "swagger-ui").iterdir()}
    assert copied == {"LICENSE", "VERSION", "swagger-ui-bundle.js", "swagger-ui.css"}
    assert "Apache License, Version 2.0" in (folder / "swagger-ui/LICENSE").read_text()
