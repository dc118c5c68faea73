"""Build the event that API Gateway REST sends to a function."""

import base64
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from local.lambda_.invocation import new_trace_id
from local.template.intrinsics import ACCOUNT_ID, REGION

_API_ID = "medianest1"
# Headers of one connection, which API Gateway does not forward.
HOP_BY_HOP = {
    *("connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization"),
    *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
}
_IDENTITY = dict.fromkeys(
    [
        *("accessKey", "accountId", "apiKey", "apiKeyId", "caller", "clientCert"),
        *("cognitoAuthenticationProvider", "cognitoAuthenticationType", "cognitoIdentityId"),
        *("cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user", "userAgent", "userArn"),
    ]
)


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """A request as API Gateway has it before routing."""

    id: str
    started: float
    method: str
    path: str
    query: str
    headers: Mapping[str, list[str]]
    source_ip: str
    stage: str
    base_path: str = ""

    def header(self, name: str) -> str:
        """Return the last value of a header, whatever its case; empty if it is absent."""
        for each, values in self.headers.items():
            if each.lower() == name.lower():
                return values[-1]
        return ""

    @property
    def trace_id(self) -> str:
        """Return the caller's trace header, or a new one if it is not printable ASCII."""
        sent = self.header("X-Amzn-Trace-Id")
        return sent if sent.isascii() and sent.isprintable() else new_trace_id()

    @property
    def context_path(self) -> str:
        """Return the path for `requestContext`: with the stage, or with a domain's base path."""
        return self.path if self.base_path else f"/{self.stage}{self.path}"


def read_request(
    request: web.BaseRequest, *, source_ip: str, stage: str, base_path: str = ""
) -> GatewayRequest:
    """Read everything of a request except its body."""
    peer = request.transport.get_extra_info("sockname") if request.transport else None
    return GatewayRequest(
        id=str(uuid.uuid4()),
        started=time.time(),
        method=request.method,
        path=request.rel_url.raw_path,
        query=request.rel_url.raw_query_string,
        headers=_forwarded(_headers(request), source_ip, str(peer[1] if peer else 0)),
        source_ip=source_ip,
        stage=stage,
        base_path=base_path,
    )


def proxy_event(
    request: GatewayRequest, *, resource: str, parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Build the event for a function.

    The body is text: bytes that are not UTF-8 are replaced, as in an API without binary types.
    """
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    moment = datetime.fromtimestamp(request.started, UTC)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(request.headers),
        "multiValueHeaders": dict(request.headers),
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": _API_ID,
            "domainName": request.header("Host") or f"{_API_ID}.execute-api.{REGION}.amazonaws.com",
            "domainPrefix": _API_ID,
            "extendedRequestId": base64.b64encode(os.urandom(11)).decode(),
            "httpMethod": request.method,
            "identity": {
                **_IDENTITY,
                "sourceIp": request.source_ip,
                "userAgent": request.header("User-Agent") or None,
            },
            "path": request.context_path,
            "protocol": "HTTP/1.1",
            "requestId": request.id,
            "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(request.started * 1000),
            "resourceId": f"{abs(hash(resource)):x}"[:6],
            "resourcePath": resource,
            "stage": request.stage,
        },
        "body": body.decode(errors="replace") or None,
        "isBase64Encoded": False,
    }


def _headers(request: web.BaseRequest) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for name, value in request.headers.items():
        if name.lower() not in HOP_BY_HOP:
            # aiohttp keeps bytes that are not UTF-8 as lone surrogates.
            text = value.encode(errors="surrogateescape").decode(errors="replace")
            headers.setdefault(spelling.setdefault(name.lower(), name), []).append(text)
    return headers


def _forwarded(headers: dict[str, list[str]], source_ip: str, port: str) -> dict[str, list[str]]:
    """Append API Gateway's own values to the X-Forwarded headers of the client."""
    spelling = {name.lower(): name for name in headers}
    added = {"X-Forwarded-For": source_ip, "X-Forwarded-Port": port, "X-Forwarded-Proto": "http"}
    forwarded = {
        name: [", ".join([*headers.pop(spelling.get(name.lower(), ""), []), value])]
        for name, value in added.items()
    }
    return {"X-Amzn-Trace-Id": [new_trace_id()], **headers, **forwarded}


def _last(values: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: each[-1] for name, each in values.items()}
