"""Answer the calls of boto3 to SQS: the protocol AWS JSON 1.0 on a loopback port."""

import json
import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from local.queues.queue import Message, MessageQueue
from local.template.models import Queue

_TARGET = "AmazonSQS."
_CONTENT_TYPE = "application/x-amz-json-1.0"
_MAX_BYTES = 1024 * 1024
_MAX_DELAY = 900
_MAX_BATCH = 10
_MAX_REQUEST = 4 * _MAX_BYTES  # escapes in JSON make a body longer
_BATCH_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
_DEFAULT_LIMIT = 1
# The characters that a message may not have: those that XML 1.0 lacks.
_REFUSED = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

type _Body = Mapping[str, Any]


class SqsError(Exception):
    """An error of SQS: its shape in the service's model, and the older code that clients see."""

    def __init__(self, message: str, shape: str, code: str | None = None) -> None:
        super().__init__(message)
        self.shape = shape
        self.code = code or shape


class QueueServer:
    """Serves the queues at `url`, which functions get as `AWS_ENDPOINT_URL_SQS`.

    Calls need no valid signature. A page in a browser cannot call it: the header that names the
    operation needs a preflight, which gets no permission.
    """

    def __init__(self, settings: Mapping[str, Queue]) -> None:
        self.url = ""
        self.queues = MessageQueue.of_template(settings)
        self._runner: web.AppRunner | None = None
        self._operations: Mapping[str, Callable[[MessageQueue, _Body], _Body]] = {
            "SendMessage": _send,
            "SendMessageBatch": _send_batch,
            "ReceiveMessage": _receive,
            "DeleteMessage": _delete,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_REQUEST)
        app.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site.port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        target = request.headers.get("X-Amz-Target", "")
        try:
            operation = self._operation(target)
            body = json.loads(await request.read())
            return _response(200, operation(self._queue(body), body))
        except SqsError as error:
            response = _response(
                400, {"__type": f"com.amazonaws.sqs#{error.shape}", "message": str(error)}
            )
            response.headers["x-amzn-query-error"] = f"{error.code};Sender"
            return response

    def _operation(self, target: str) -> Callable[[MessageQueue, _Body], _Body]:
        name = target.removeprefix(_TARGET)
        if not target.startswith(_TARGET) or name not in self._operations:
            raise SqsError(f"The local queue does not support {target}", "UnsupportedOperation")
        return self._operations[name]

    def _queue(self, body: _Body) -> MessageQueue:
        name = urlsplit(body.get("QueueUrl", "")).path.rpartition("/")[2]
        if name not in self.queues:
            raise SqsError(
                "The specified queue does not exist.",
                "QueueDoesNotExist",
                "AWS.SimpleQueueService.NonExistentQueue",
            )
        return self.queues[name]


def _response(status: int, body: _Body) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers={"Content-Type": _CONTENT_TYPE}
    )


def _send(queue: MessageQueue, body: _Body) -> _Body:
    if _size(body) > _MAX_BYTES:
        raise SqsError(
            "One or more parameters are invalid. Reason: Message must be shorter than"
            f" {_MAX_BYTES} bytes.",
            "InvalidParameterValue",
        )
    return _sent(_add(queue, body))


def _size(entry: _Body) -> int:
    return len(entry.get("MessageBody", "").encode(errors="surrogatepass"))


def _add(queue: MessageQueue, entry: _Body) -> Message:
    text = entry.get("MessageBody", "")
    if not text:
        message = "The request must contain the parameter MessageBody."
        raise SqsError(message, "MissingParameter")
    if refused := _REFUSED.search(text):
        raise SqsError(
            f"Invalid binary character '#x{ord(refused[0]):X}' was found in the message body.",
            "InvalidMessageContents",
        )
    delay = entry.get("DelaySeconds")
    if delay is not None and not 0 <= delay <= _MAX_DELAY:
        raise SqsError(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be"
            f" >= 0 and <= {_MAX_DELAY}.",
            "InvalidParameterValue",
        )
    if entry.get("MessageAttributes"):
        raise SqsError("The local queue has no message attributes", "UnsupportedOperation")
    return queue.send(text, delay=delay)


def _sent(message: Message) -> dict[str, Any]:
    return {"MD5OfMessageBody": message.body_md5, "MessageId": message.id}


def _send_batch(queue: MessageQueue, body: _Body) -> _Body:
    entries = body.get("Entries", [])
    _check_batch(entries)
    answer: dict[str, list[_Body]] = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            answer["Successful"].append({"Id": entry["Id"], **_sent(_add(queue, entry))})
        except SqsError as error:
            failure = {"Id": entry["Id"], "Code": error.code, "Message": str(error)}
            answer["Failed"].append({**failure, "SenderFault": True})
    return answer


def _check_batch(entries: list[dict[str, Any]]) -> None:
    ids = [entry["Id"] for entry in entries]
    prefix = "AWS.SimpleQueueService."
    if not entries:
        message = "There should be at least one SendMessageBatchRequestEntry in the request."
        raise SqsError(message, "EmptyBatchRequest", f"{prefix}EmptyBatchRequest")
    if not all(map(_BATCH_ID.fullmatch, ids)):
        message = (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            " It can be at most 80 letters long."
        )
        raise SqsError(message, "InvalidBatchEntryId", f"{prefix}InvalidBatchEntryId")
    length = sum(map(_size, entries))
    if length > _MAX_BYTES:
        message = (
            f"Batch requests cannot be longer than {_MAX_BYTES} bytes."
            f" You have sent {length} bytes."
        )
        raise SqsError(message, "BatchRequestTooLong", f"{prefix}BatchRequestTooLong")
    repeated = next((each for each in ids if ids.count(each) > 1), None)
    if repeated is not None:
        message = f"Id {repeated} repeated."
        raise SqsError(message, "BatchEntryIdsNotDistinct", f"{prefix}BatchEntryIdsNotDistinct")
    if len(entries) > _MAX_BATCH:
        message = f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        raise SqsError(
            message, "TooManyEntriesInBatchRequest", f"{prefix}TooManyEntriesInBatchRequest"
        )


def _receive(queue: MessageQueue, body: _Body) -> _Body:
    limit = body.get("MaxNumberOfMessages", _DEFAULT_LIMIT)
    if not 1 <= limit <= _MAX_BATCH:
        raise SqsError(
            f"Value {limit} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1"
            f" and {_MAX_BATCH}, if provided.",
            "InvalidParameterValue",
        )
    messages = queue.receive(limit, visibility=body.get("VisibilityTimeout"))
    names = {*body.get("AttributeNames", []), *body.get("MessageSystemAttributeNames", [])}
    return {"Messages": [_received(each, names) for each in messages]} if messages else {}


def _received(message: Message, names: set[str]) -> dict[str, Any]:
    received: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
    }
    attributes = {
        name: value for name, value in message.system_attributes.items() if names & {"All", name}
    }
    return {**received, "Attributes": attributes} if attributes else received


def _delete(queue: MessageQueue, body: _Body) -> _Body:
    queue.delete(body["ReceiptHandle"])
    return {}
