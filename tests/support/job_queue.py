"""A queue that notes the messages that boto3 sends, over HTTP."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5

from aiohttp import web

from medianest.core.environment import environment
from medianest.jobs import bell
from tests.support.standin import served

type Messages = list[tuple[dict[str, object], int]]


@contextmanager
def noted_bells(status: int = 200) -> Iterator[Messages]:
    """Have bells ring at a queue in the block; return body and delay of each."""
    messages: Messages = []

    async def send(request: web.Request) -> web.Response:
        assert request.headers["X-Amz-Target"] == "AmazonSQS.SendMessage"
        message = await request.json()
        if status != 200:
            return web.json_response({"__type": "InternalError"}, status=status)
        messages.append((json.loads(message["MessageBody"]), message["DelaySeconds"]))
        digest = md5(message["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return web.json_response({"MessageId": "1", "MD5OfMessageBody": digest})

    app = web.Application()
    app.router.add_post("/{path:.*}", send)
    with served(app) as origin, _environment(origin):
        yield messages


@contextmanager
def _environment(origin: str) -> Iterator[None]:
    values = {
        "BELL_QUEUE_URL": f"{origin}/1/bells",
        "AWS_ENDPOINT_URL_SQS": origin,
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    environment.cache_clear()
    bell._client.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        environment.cache_clear()
        bell._client.cache_clear()
