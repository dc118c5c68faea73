"""Events as API Gateway sends them."""

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from local.gateway.proxy_event import GatewayRequest, proxy_event

type Event = dict[str, Any]

_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def event(
    method: str,
    resource: str,
    *,
    parameters: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
    body: object = None,
    token: str | None = None,
    ip: str = "203.0.113.7",
) -> Event:
    """Return the event of a call to a resource such as `/api/media/requests/{id}`."""
    headers = {"Host": ["api.example.com"], "User-Agent": [_AGENT], "Accept": ["application/json"]}
    if token is not None:
        headers["Authorization"] = [f"Bearer {token}"]
    if body is not None:
        headers["Content-Type"] = ["application/json"]
    request = GatewayRequest(
        id=str(uuid.uuid4()),
        started=time.time(),
        method=method,
        path=resource.format(**(parameters or {})),
        query=urlencode(query or {}),
        headers=headers,
        source_ip=ip,
        stage="live",
    )
    content = b"" if body is None else json.dumps(body).encode()
    return proxy_event(request, resource=resource, parameters=parameters or {}, body=content)


def json_of(response: Any) -> Any:
    """Return the body of a response of a function."""
    return json.loads(response["body"])


def data_of(response: Any) -> Any:
    """Return the data in the envelope of a response."""
    return json_of(response)["data"]
