"""The local gateway behaves as API Gateway: events, responses, mocks, throttles and limits."""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web

from local.gateway.server import Gateway
from local.lambda_.runtime import Runtime
from local.run_config import PROJECT
from local.template.models import Function, GatewayResponse, Mock, Route, Template, Throttle

MEGABYTE = 1024 * 1024
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
# The function returns the body of the call, or executes the command in it.
RESPONDER = """
import json, os, time
def handler(event, context):
    body = json.loads(event["body"])
    if body == "crash":
        os._exit(1)
    if body == "raise":
        raise ValueError
    if isinstance(body, dict) and "wait" in body:
        while not os.path.exists(body["wait"]):
            time.sleep(0.01)
        return {"statusCode": 200}
    return body
"""
HEADERS = {
    "X-Frame-Options": "'DENY'",
    "X-Quoted": "'default-src 'self''",
    "X-Request-Id": "context.requestId",
    "X-Echo": "method.request.header.X-Sent",
}
REFUSED = Mock(
    frozenset({"application/json"}), 405, {**HEADERS, "Allow": "'GET, OPTIONS'"}, '{"no":"method"}'
)
PREFLIGHT = Mock(
    frozenset({"application/json"}), 204, {"Access-Control-Allow-Methods": "'GET'"}, ""
)
TEMPLATE = Template(
    compressed_from=100,
    stage="live",
    functions={},
    routes=(
        Route("/api/echo", "GET", "Echo"),
        Route("/api/echo", "POST", "Echo"),
        Route("/api/echo", "OPTIONS", PREFLIGHT),
        Route("/api/echo", "ANY", REFUSED),
        Route("/api/things/{id}/parts/{part}", "GET", "Echo"),
        Route("/api/things/first/parts/{part}", "GET", "Echo"),
        Route("/api/answer", "POST", "Answer"),
    ),
    stage_throttle=None,
    method_throttles={},
    gateway_responses={},
    schedules={},
)


def run[T](work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(work, loop_factory=asyncio.new_event_loop)


@asynccontextmanager
async def serving(
    folder: Path, template: Template = TEMPLATE, *, concurrency: int = 4, **options: Any
) -> AsyncIterator[tuple[Gateway, aiohttp.ClientSession]]:
    functions = {}
    for name, code in (("Echo", ECHO), ("Answer", RESPONDER)):
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(code)
        functions[name] = Function(
            name, folder / name, "app.handler", 10.0, 128, concurrency, (), {}
        )
    awslambdaric = PROJECT / ".venv" / "var" / "runtime"
    async with (
        Runtime(functions, runtime=awslambdaric, pycache=folder.parent / "pycache") as runtime,
        Gateway(template, runtime, **options) as gateway,
        aiohttp.ClientSession(gateway.url) as client,
    ):
        yield gateway, client


def event_of(folder: Path, path: str, method: str = "GET", **request: Any) -> dict[str, Any]:
    async def call() -> dict[str, Any]:
        async with (
            serving(folder, source_ip=lambda _: "203.0.113.9") as (_, client),
            client.request(method, path, **request) as response,
        ):
            event: dict[str, Any] = await response.json()
            return event

    return run(call())


def test_event_has_the_form_of_api_gateway(tmp_path: Path) -> None:
    sent_headers = [
        ("X-Two", "1"),
        ("X-Two", "2"),
        ("X-Forwarded-For", "198.51.100.1"),
        ("TE", "trailers"),
    ]

    event = event_of(tmp_path, "/api/echo?a=1&a=2&b=x%20y&c", headers=sent_headers)
    headers, context = event["headers"], event["requestContext"]
    assert (event["resource"], event["path"], event["httpMethod"]) == (
        *("/api/echo", "/api/echo"),
        "GET",
    )
    assert event["queryStringParameters"] == {"a": "2", "b": "x y", "c": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x y"], "c": [""]}
    assert headers["X-Two"] == "2"
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert headers["X-Forwarded-For"] == "198.51.100.1, 203.0.113.9"
    assert headers["X-Forwarded-Proto"] == "http"
    assert "TE" not in headers
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert (event["pathParameters"], event["stageVariables"], event["body"]) == (None, None, None)
    assert event["isBase64Encoded"] is False
    assert (context["path"], context["resourcePath"]) == ("/live/api/echo", "/api/echo")
    assert (context["stage"], context["httpMethod"]) == ("live", "GET")
    assert UUID(context["requestId"]).version == 4
    assert abs(context["requestTimeEpoch"] / 1000 - time.time()) < 60
    identity = context["identity"]
    assert identity.pop("sourceIp") == "203.0.113.9"
    assert identity.pop("userAgent") == headers["User-Agent"]
    assert set(identity.values()) == {None}


async def send_raw(gateway: Gateway, head: bytes) -> Any:
    """Send the bytes of a request unchanged, and return the event of the function."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(head.replace(b"\n", b"\r\n") + b"Connection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_event_has_headers_with_undecodable_bytes_replaced(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path, source_ip=lambda _: "test-invoke-source-ip") as (gateway, _):
            event = await send_raw(
                gateway,
                b"GET /api/echo?q=Am%E9lie HTTP/1.1\nHost: a:b:c\n"
                b"X-Odd: caf\xe9\nX-Utf: caf\xc3\xa9\n"
                b"X-Forwarded-Port: 443\nX-Forwarded-Proto: https\nX-Amzn-Trace-Id: \xe9\n",
            )
            headers = event["headers"]
            assert headers["X-Odd"] == "caf\ufffd"
            assert headers["X-Utf"] == "café"
            assert headers["X-Forwarded-Port"].startswith("443, ")
            assert headers["X-Forwarded-Proto"] == "https, http"
            assert headers["Host"] == "a:b:c"
            assert event["queryStringParameters"] == {"q": "Am\ufffdlie"}
            assert event["requestContext"]["identity"]["sourceIp"] == "test-invoke-source-ip"

    run(call())


def test_base_path_of_a_custom_domain_is_removed_for_routing(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path, base_path="/base") as (_, client):
            async with client.get("/base/api/things/a%2Fb/parts/c") as response:
                event = await response.json()
                assert event["path"] == "/base/api/things/a%2Fb/parts/c"
                assert event["requestContext"]["path"] == event["path"]
                assert event["resource"] == "/api/things/{id}/parts/{part}"
                assert event["pathParameters"] == {"id": "a/b", "part": "c"}
            for path in ("/api/echo", "/base", "/baseapi/echo", "/other/api/echo"):
                async with client.get(path) as response:
                    assert response.status == 403

    run(call())


def test_event_has_decoded_path_parameters(tmp_path: Path) -> None:
    event = event_of(tmp_path, "/api/things/a%2Fb/parts/c%20d")

    assert event["pathParameters"] == {"id": "a/b", "part": "c d"}
    assert event["resource"] == "/api/things/{id}/parts/{part}"
    assert event["path"] == "/api/things/a%2Fb/parts/c%20d"


def test_event_has_the_body_as_text(tmp_path: Path) -> None:
    event = event_of(tmp_path, "/api/echo", "POST", data='{"é": 1}'.encode())

    assert event["body"] == '{"é": 1}'
    assert event["queryStringParameters"] is None


def test_compressed_body_is_decompressed_unless_its_coding_is_unknown(tmp_path: Path) -> None:
    too_large = gzip.compress(b"x" * (10 * MEGABYTE + 1))
    cases = [
        ("gzip", gzip.compress(b"abc"), 200),
        ("GZIP", gzip.compress(b"abc"), 200),
        ("deflate", zlib.compress(b"abc"), 200),
        ("identity", b"abc", 200),
        ("br", b"abc", 415),
        ("gzip", b"abc", 415),
        ("gzip", gzip.compress(b"abc")[:-9], 415),
        ("gzip", too_large, 413),
    ]

    async def call() -> None:
        async with serving(tmp_path) as (_, client):
            for coding, data, status in cases:
                headers = {"Content-Encoding": coding}
                async with client.post("/api/echo", data=data, headers=headers) as response:
                    assert response.status == status, (coding, data[:20])
                    if status == 200:
                        assert (await response.json())["body"] == "abc"

    run(call())


def test_source_ip_is_the_peer_despite_forwarded_headers(tmp_path: Path) -> None:
    async def call() -> None:
        headers = {"X-Forwarded-For": "203.0.113.1", "X-Real-IP": "203.0.113.1"}
        async with (
            serving(tmp_path) as (_, client),
            client.get("/api/echo", headers=headers) as response,
        ):
            event = await response.json()
            assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"

    run(call())


@pytest.mark.parametrize(
    ("result", "status", "body", "headers"),
    [
        ({"statusCode": 201, "body": "x"}, 201, b"x", {"Content-Type": ["application/json"]}),
        ({"statusCode": "202"}, 202, b"", {}),
        ({"statusCode": 204, "headers": {"Content-Type": "a/b"}}, 204, b"", {"Content-Type": []}),
        # Without binary media types the client gets the text as it is.
        ({"statusCode": 200, "body": "AAE=", "isBase64Encoded": True}, 200, b"AAE=", {}),
        (
            {
                "statusCode": 200,
                "headers": {"X-A": "0", "X-B": 1, "X-C": True, "Connection": "close"},
                "multiValueHeaders": {"x-a": ["1", "2"], "Set-Cookie": ["a=1", "b=2"]},
            },
            *(200, b""),
            {
                "X-A": ["1", "2"],
                "X-B": ["1"],
                "X-C": ["true"],
                "Set-Cookie": ["a=1", "b=2"],
                "Connection": [],
                "Server": [],
            },
        ),
        ({"statusCode": 200, "headers": None, "body": None}, 200, b"", {}),
    ],
)
def test_valid_result_of_a_function_becomes_the_response(
    tmp_path: Path, result: Any, status: int, body: bytes, headers: dict[str, list[str]]
) -> None:
    async def call() -> None:
        async with (
            serving(tmp_path) as (_, client),
            client.post("/api/answer", json=result) as response,
        ):
            assert response.status == status
            assert await response.read() == body
            for name, values in headers.items():
                assert response.headers.getall(name, []) == values

    run(call())


@pytest.mark.parametrize(
    "result",
    [
        "crash",
        "raise",
        None,
        [],
        {},
        {"statusCode": 99},
        {"statusCode": "ok"},
        {"statusCode": True},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "extra": 1},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"X": ["1"]}},
        {"statusCode": 200, "headers": {"X": "1\r\nY: 2"}},
        {"statusCode": 200, "multiValueHeaders": {"X": 1}},
    ],
)
def test_invalid_result_of_a_function_gets_502(tmp_path: Path, result: object) -> None:
    async def call() -> None:
        async with (
            serving(tmp_path) as (_, client),
            client.post("/api/answer", json=result) as response,
        ):
            assert response.status == 502
            assert await response.json() == {"message": "Internal server error"}

    run(call())


def test_unknown_path_gets_403_and_literal_segments_win(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path) as (_, client):
            for path in (
                "/",
                "/api",
                "/API/echo",
                "/api/echo/",
                "/api/things//parts/x",
                "/api/{x}",
            ):
                async with client.get(path) as response:
                    assert response.status == 403
                    error_type = response.headers["x-amzn-ErrorType"]
                    assert error_type == "MissingAuthenticationTokenException"
                    assert await response.json() == {"message": "Missing Authentication Token"}
            for path, resource in (
                ("/api/things/first/parts/x", "/api/things/first/parts/{part}"),
                ("/api/things/other/parts/x", "/api/things/{id}/parts/{part}"),
            ):
                async with client.get(path) as response:
                    assert (await response.json())["resource"] == resource

    run(call())


def test_mock_integrations_respond_to_preflights_and_unsupported_methods(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path) as (_, client):
            async with client.options("/api/echo") as response:
                assert (response.status, await response.read()) == (204, b"")
                assert response.headers["Access-Control-Allow-Methods"] == "GET"
                assert "Content-Type" not in response.headers
            async with client.delete("/api/echo", headers={"X-Sent": "back"}) as response:
                assert response.status == 405
                assert await response.read() == b'{"no":"method"}'
                assert response.headers["Allow"] == "GET, OPTIONS"
                assert response.headers["X-Quoted"] == "default-src 'self'"
                assert response.headers["X-Echo"] == "back"
                assert UUID(response.headers["X-Request-Id"]).version == 4
                assert "Server" not in response.headers
            async with client.head("/api/echo") as response:
                assert (response.status, await response.read()) == (405, b"")
            headers = {"Content-Type": "text/plain"}
            async with client.put("/api/echo", headers=headers) as response:
                assert response.status == 415

    run(call())


def test_gateway_responses_come_from_the_template(tmp_path: Path) -> None:
    not_found = GatewayResponse(
        404, HEADERS, '{"at":"$context.path","why":$context.error.messageString}'
    )
    template = replace(
        TEMPLATE,
        gateway_responses={
            "MISSING_AUTHENTICATION_TOKEN": not_found,
            "DEFAULT_4XX": GatewayResponse(None, {}, '{"kind":"$context.error.responseType"}'),
            "DEFAULT_5XX": GatewayResponse(500, {}, None),
        },
    )

    async def call() -> None:
        async with serving(tmp_path, template) as (_, client):
            async with client.get("/nowhere", headers={"X-Sent": "back"}) as response:
                assert response.status == 404
                assert await response.json() == {
                    "at": "/live/nowhere",
                    "why": "Missing Authentication Token",
                }
                assert response.headers["X-Frame-Options"] == "DENY"
                assert response.headers["X-Echo"] == "back"
                assert "Server" not in response.headers
            headers = {"Content-Type": "text/plain"}
            async with client.put("/api/echo", headers=headers) as response:
                assert response.status == 415
                assert await response.json() == {"kind": "UNSUPPORTED_MEDIA_TYPE"}
            async with client.post("/api/answer", json="raise") as response:
                assert response.status == 500
                assert await response.json() == {"message": "Internal server error"}

    run(call())


async def statuses(client: aiohttp.ClientSession, path: str, count: int) -> list[int]:
    codes = []
    for _ in range(count):
        async with client.get(path) as response:
            codes.append(response.status)
    return codes


def test_throttles_of_method_and_stage_both_apply(tmp_path: Path) -> None:
    slow = 1 / 3600
    template = replace(
        TEMPLATE,
        stage_throttle=Throttle(slow, 5),
        method_throttles={("/api/echo", "GET"): Throttle(slow, 2)},
    )

    async def call() -> None:
        async with serving(tmp_path, template) as (_, client):
            assert await statuses(client, "/api/echo", 4) == [200, 200, 429, 429]
            # Calls that the method's throttle refuses do not count towards the stage's throttle.
            assert await statuses(client, "/api/things/1/parts/2", 4) == [200, 200, 200, 429]
            assert await statuses(client, "/api/nowhere", 1) == [403]

    run(call())


def test_throttled_method_is_served_again_after_a_refill(tmp_path: Path) -> None:
    template = replace(TEMPLATE, method_throttles={("/api/echo", "GET"): Throttle(20, 1)})

    async def call() -> None:
        async with serving(tmp_path, template) as (_, client):
            assert await statuses(client, "/api/echo", 1) == [200]
            async with asyncio.timeout(20):
                while await statuses(client, "/api/echo", 1) != [200]:
                    await asyncio.sleep(0.01)

    run(call())


def test_throttles_can_be_disabled(tmp_path: Path) -> None:
    template = replace(TEMPLATE, stage_throttle=Throttle(1 / 3600, 1))

    async def call() -> None:
        async with serving(tmp_path, template, throttles=False) as (_, client):
            assert await statuses(client, "/api/echo", 5) == [200] * 5

    run(call())


def test_too_large_bodies_and_headers_are_refused(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path) as (_, client):
            # Lambda refuses events over 6 MB, and API Gateway bodies over 10 MB.
            for size in (7 * MEGABYTE, 11 * MEGABYTE):
                async with client.post("/api/echo", data=BytesIO(b"x" * size)) as response:
                    assert response.status == 413
                    assert await response.json() == {"message": "Request Too Long"}
            headers = {"X-Large": "x" * 11_000}
            async with client.get("/api/echo", headers=headers) as response:
                assert response.status == 400
            async with client.get("/api/echo", headers={"X-Large": "x" * 9_000}) as response:
                assert response.status == 200

    run(call())


def test_chunked_body_over_the_limit_gets_413(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * MEGABYTE

    async def call() -> None:
        async with (
            serving(tmp_path) as (_, client),
            client.post("/api/echo", data=chunks()) as response,
        ):
            assert response.status == 413

    run(call())


def test_expect_100_continue_is_supported(tmp_path: Path) -> None:
    async def call() -> None:
        async with (
            serving(tmp_path) as (_, client),
            client.post("/api/echo", data=b"abc", expect100=True) as response,
        ):
            assert (await response.json())["body"] == "abc"

    run(call())


def test_slow_function_gets_504_and_continues_to_run(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def call() -> None:
        async with serving(tmp_path, concurrency=1, integration_timeout=0.2) as (_, client):
            wait = {"wait": str(gate)}
            async with client.post("/api/answer", json=wait) as response:
                assert response.status == 504
                assert await response.json() == {"message": "Endpoint request timed out"}
            # The first call still runs and uses the only environment.
            async with client.post("/api/answer", json={"statusCode": 200}) as response:
                assert response.status == 504
                assert await response.json() == {"message": "Internal server error"}
            gate.touch()
            async with asyncio.timeout(20):
                status = 504
                while status != 200:
                    async with client.post("/api/answer", json={"statusCode": 200}) as response:
                        status = response.status
                    await asyncio.sleep(0.01)

    run(call())


def test_access_log_has_no_query_or_token(tmp_path: Path) -> None:
    lines: list[str] = []

    async def call() -> None:
        async with serving(tmp_path, log=lines.append) as (_, client):
            headers = {"Authorization": "Bearer hush"}
            for path in ("/api/echo?token=hush", "/api/echo?token=hush", "/no?token=hush"):
                async with client.get(path, headers=headers) as response:
                    await response.read()

    run(call())
    assert not any("hush" in line for line in lines)
    assert " GET /api/echo 200 " in lines[0]
    assert [line.rpartition(" ms ")[2] for line in lines] == [
        "Echo (cold start)",
        "Echo",
        "gateway",
    ]


@pytest.mark.parametrize(
    "text", [b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n"]
)
def test_invalid_http_gets_400_without_a_server_header(tmp_path: Path, text: bytes) -> None:
    async def call() -> bytes:
        async with serving(tmp_path) as (gateway, _):
            port = int(gateway.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            answer = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            await writer.wait_closed()
            return answer

    answer = run(call())
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"Server:" not in answer
    assert answer.endswith(b"\r\n\r\n")


def test_port_in_use_is_an_error(tmp_path: Path) -> None:
    async def call() -> None:
        async with serving(tmp_path) as (gateway, _):
            port = int(gateway.url.rpartition(":")[2])
            async with Runtime({}, runtime=tmp_path, pycache=tmp_path) as runtime:
                with pytest.raises(OSError, match="in use"):
                    async with Gateway(TEMPLATE, runtime, port=port):
                        pass

    run(call())


def test_source_ip_can_be_set_for_tests(tmp_path: Path) -> None:
    def from_header(request: web.BaseRequest) -> str:
        return request.headers["X-Test-Caller"]

    async def call() -> None:
        async with serving(tmp_path, source_ip=from_header) as (_, client):
            for caller in ("203.0.113.1", "2001:db8::1"):
                async with client.get("/api/echo", headers={"X-Test-Caller": caller}) as response:
                    event = await response.json()
                    assert event["requestContext"]["identity"]["sourceIp"] == caller

    run(call())


def test_large_response_is_compressed_when_the_client_accepts_gzip(tmp_path: Path) -> None:
    large = {"statusCode": 200, "body": "x" * 5000}

    async def scenario() -> list[tuple[str | None, int, str]]:
        async with serving(tmp_path) as (gateway, _):
            received = []
            async with aiohttp.ClientSession(gateway.url, auto_decompress=False) as client:
                for accepted, body in (
                    ("gzip", large),
                    ("br", large),
                    ("gzip", {"statusCode": 200, "body": "x"}),
                ):
                    async with client.post(
                        "/api/answer", json=body, headers={"Accept-Encoding": accepted}
                    ) as response:
                        content = await response.read()
                        encoding = response.headers.get("Content-Encoding")
                        text = gzip.decompress(content) if encoding == "gzip" else content
                        received.append((encoding, len(content), text.decode()))
            return received

    compressed, plain, small = run(scenario())
    assert compressed[0] == "gzip"
    assert compressed[1] < 200
    assert compressed[2] == plain[2] == "x" * 5000
    assert plain[0] is None
    assert small == (None, 1, "x")
