"""CloudFormation's side of a custom resource: events, and an address that receives responses."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.support.api import LambdaContext

SIGNATURE = "X-Amz-Signature=canary"
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/medianest/6f0a3f9d"

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass
class CloudFormation:
    """Sends the events of one resource to a function, and stores the responses."""

    handler: Handler
    event: Mapping[str, Any]
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)

    @property
    def response(self) -> dict[str, Any]:
        (only,) = self.responses
        return only

    def call(self, kind: str, **properties: Any) -> dict[str, Any]:
        event = {"RequestType": kind, "ResponseURL": self.url, **self.event, **properties}
        return self.handler(event, LambdaContext(seconds_left=300))


class _Receiver(BaseHTTPRequestHandler):
    """Stores a response as S3 does, after returning the error statuses of a test."""

    def do_PUT(self) -> None:
        instance = cast("Any", self.server).cloud_formation
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = instance.statuses.pop(0) if instance.statuses else 200
        if status == 200:
            instance.responses.append(json.loads(body))
            instance.types.append(self.headers["Content-Type"])
            assert len(body) <= 4096
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no access log."""


@contextmanager
def cloud_formation(handler: Handler, event: Mapping[str, Any]) -> Iterator[CloudFormation]:
    """Receive responses at a presigned address during the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    url = f"http://127.0.0.1:{server.server_port}/answer?{SIGNATURE}"
    instance = CloudFormation(handler, event, url)
    cast("Any", server).cloud_formation = instance
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield instance
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
