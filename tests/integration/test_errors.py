"""The functions return the errors of docs/errors.md: its examples and the order of checks."""

import pytest

from medianest.core.error_codes import REGISTRY, ErrorCode
from tests.support.api import Answer, call
from tests.support.openapi import SOME_ID
from tests.support.plex import begin, verify
from tools.docs.errors import EXAMPLES, Example

USER = f"/api/admin/users/{SOME_ID}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: "-".join(each.problems))
def test_example_of_the_page_gets_the_documented_details(
    people: dict[str, str], example: Example
) -> None:
    answer = call(
        example.method,
        example.path,
        query=example.query,
        raw=None if example.body is None else example.body.encode(),
        token=people["bob"],
    )
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.details == example.details


def error(answer: Answer) -> tuple[int, str]:
    assert answer.status == REGISTRY[ErrorCode(answer.code)].status
    return answer.status, answer.code


def test_call_with_several_faults_gets_the_first_error(
    people: dict[str, str], plex_url: str
) -> None:
    """Correct one fault per call, in the order of the checks; each call has all later faults."""
    too_large, not_json, invalid = b"x" * 70_000, b"x", b'{"role": "owner", "x": 1}'
    unknown = {"x": "1"}
    text = {"Content-Type": "text/plain"}
    bob = verify(begin(plex_url, "bob"), session="cookie")
    cookie = {"Cookie": bob.headers["set-cookie"].partition(";")[0], **text}
    csrf = {"X-CSRF-Token": bob.data["csrfToken"]}

    assert error(call("PATCH", USER, raw=too_large, query=unknown, headers=text)) == (
        413,
        "PAYLOAD_TOO_LARGE",
    )
    faults = {"raw": not_json, "query": unknown, "headers": text}
    assert error(call("PATCH", USER, **faults)) == (401, "JWT_INVALID")
    answer = call("PATCH", USER, **faults | {"headers": cookie})
    assert error(answer) == (403, "CSRF_TOKEN_MISMATCH")
    answer = call("PATCH", USER, **faults | {"headers": cookie | csrf})
    assert error(answer) == (403, "FORBIDDEN")

    alice = people["alice"]
    answer = call("PATCH", USER, token=alice, **faults)
    assert error(answer) == (400, "VALIDATION_ERROR")
    assert answer.details == [{"field": "query.x", "message": "Unknown parameter"}]
    answer = call("PATCH", USER, token=alice, raw=not_json, headers=text)
    assert error(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    answer = call("PATCH", USER, token=alice, raw=invalid)
    assert error(answer) == (400, "VALIDATION_ERROR")
    assert [each["field"] for each in answer.details] == ["body.role", "body.x"]
    answer = call("PATCH", USER, token=alice, body={"role": "user"})
    assert error(answer) == (404, "NOT_FOUND")
