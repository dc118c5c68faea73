"""Replace awslambdaric's native module of this name on systems that have none."""

import http.client
import os

_API = "/2018-06-01/runtime/invocation"
_connection: http.client.HTTPConnection
_user_agent = ""


def initialize_client(user_agent: str) -> None:
    """Connect to the Runtime API."""
    global _connection, _user_agent  # noqa: PLW0603 - the native module is global, too
    _user_agent = user_agent
    # No timeout on purpose: the next invocation may be hours away.
    # ast-grep-ignore: call-without-timeout
    _connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def next() -> tuple[bytes, dict[str, str]]:  # noqa: A001 - the native module's name
    """Wait for the next invocation and return its event and headers."""
    response, body = _call("GET", f"{_API}/next")
    return body, dict(response.getheaders())


def post_invocation_result(
    invoke_id: str, content: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Post the function's result."""
    del invocation_id  # only concurrent invocations need it, which this runtime never starts
    _call("POST", f"{_API}/{invoke_id}/response", content, {"Content-Type": content_type})


def post_error(
    invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None
) -> None:
    """Post the function's error."""
    del invocation_id, xray_fault
    headers = {"Content-Type": "application/json"}
    _call("POST", f"{_API}/{invoke_id}/error", error.encode(), headers)


def _call(
    method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    _connection.request(method, path, body, {"User-Agent": _user_agent, **(headers or {})})
    response = _connection.getresponse()
    content = response.read()
    if response.status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"The Runtime API responded with {response.status} to {method} {path}")
    return response, content
