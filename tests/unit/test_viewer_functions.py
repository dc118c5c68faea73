"""The CloudFront functions of template.yaml, and their counterparts of `make run` in Python."""

import json
from typing import Any

import pytest
import quickjs

from local.distribution.viewer_functions import VIEWER_FUNCTIONS
from local.template.loader import load
from tests.support.api import ROOT

FUNCTIONS = {
    name: resource["Properties"]["FunctionCode"]
    for name, resource in load(ROOT / "template.yaml")["Resources"].items()
    if resource["Type"] == "AWS::CloudFront::Function"
}
HEADERS = {
    "host": {"value": "media.example"},
    "x-medianest-viewer-address": {"value": "198.51.100.7"},
    "x-medianest-public-url": {"value": "https://evil.example"},
}
# The path of a request, and the one that the origin gets; None is a 404 of the function itself.
CASES: dict[str, dict[str, str | None]] = {
    "PageRouting": {
        "/": "/index.html",
        "/search": "/index.html",
        "/movie/603": "/index.html",
        "/movie/603/": "/index.html",
        "/v1.2/search": "/index.html",
        "/api": "/index.html",
        "/index.html": "/index.html",
        "/favicon.ico": "/favicon.ico",
        "/.well-known": "/.well-known",
        "/movie/6.3": "/movie/6.3",
        "/%2e": "/index.html",
    },
    "ImageRouting": {
        **{
            f"/images/t/p/w{width}/a-B_9.jpg": f"/t/p/w{width}/a-B_9.jpg"
            for width in (92, 154, 185, 342, 500, 780, 1280)
        },
        "/images/t/p/w92/a.png": "/t/p/w92/a.png",
        "/images/t/p/w92/movie-603-poster.svg": "/t/p/w92/movie-603-poster.svg",
        "/images/t/p/w300/a.jpg": None,
        "/images/t/p/w1920/a.jpg": None,
        "/images/t/p/original/a.jpg": None,
        "/images/t/p/w92/": None,
        "/images/t/p/w92/a": None,
        "/images/t/p/w92/a.html": None,
        "/images/t/p/w92/../a.jpg": None,
        "/images/t/p/w92/%2e%2e.jpg": None,
        "/images/t/p/w92/b/a.jpg": None,
        "/images/t/p/w92/a.jpg\n": None,
        "/images/t/p/w92/é.jpg": None,
        "/images/": None,
        "/images/w92/a.jpg": None,
        "/t/p/w92/a.jpg": None,
    },
    "ApiRouting": {"/api/auth/me": "/api/auth/me", "/api/": "/api/"},
}
ALL_CASES = [(name, *case) for name, cases in CASES.items() for case in cases.items()]


def run(function: str, path: str) -> dict[str, Any]:
    """Return the result of a function in a JavaScript engine."""
    event = {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "203.0.113.9"},
        "request": {"method": "GET", "uri": path, "headers": HEADERS},
    }
    context = quickjs.Context()
    context.set_time_limit(1)
    context.eval(FUNCTIONS[function])
    context.set("text", json.dumps(event))
    result: dict[str, Any] = json.loads(context.eval("JSON.stringify(handler(JSON.parse(text)))"))
    return result


def test_every_function_has_cases_and_a_counterpart() -> None:
    assert FUNCTIONS.keys() == CASES.keys() == VIEWER_FUNCTIONS.keys()


@pytest.mark.parametrize(("function", "path", "expected"), ALL_CASES)
def test_function_and_counterpart_send_the_same_path_to_the_origin(
    function: str, path: str, expected: str | None
) -> None:
    result = run(function, path)
    assert result.get("uri") == expected
    assert (expected is None) == (result.get("statusCode") == 404)
    assert VIEWER_FUNCTIONS[function](path) == expected


def test_api_gets_the_address_of_the_caller_and_of_the_page_whatever_the_caller_sent() -> None:
    assert run("ApiRouting", "/api/auth/me")["headers"] == {
        "host": {"value": "media.example"},
        "x-medianest-viewer-address": {"value": "203.0.113.9"},
        "x-medianest-public-url": {"value": "https://media.example"},
    }


def test_other_functions_change_no_header() -> None:
    for function, path in (("PageRouting", "/"), ("ImageRouting", "/images/t/p/w92/a.jpg")):
        assert run(function, path)["headers"] == HEADERS


def test_functions_keep_within_the_size_that_cloudfront_accepts() -> None:
    for code in FUNCTIONS.values():
        assert len(code.encode()) < 10_000
