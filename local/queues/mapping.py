"""Pass the messages of queues to functions in batches, as Lambda's event source mappings do."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from local.lambda_.invocation import InvocationResult, TooManyRequestsError
from local.lambda_.runtime import Runtime
from local.queues.queue import Message, MessageQueue
from local.template.intrinsics import REGION, queue_arn
from local.template.models import EventSource
from local.terminal import say

# On AWS, the function runs on another machine. Here it competes for the processors with the
# response of the sender and delays it by up to 10 ms, so a message waits until that is out.
_DELIVERY_SECONDS = 0.03


class QueueMappings:
    """Invokes the function of each enabled event source while its queue has messages.

    The messages of a batch are deleted once the function has handled them. Those that it reports
    as failed, and all of a run that raised an error or was killed, become visible again when the
    visibility time-out of the queue ends.
    """

    def __init__(
        self,
        sources: Sequence[EventSource],
        queues: Mapping[str, MessageQueue],
        runtime: Runtime,
        *,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._sources = [each for each in sources if each.is_enabled]
        self._queues = queues
        self._runtime = runtime
        self._log = log or say
        self._pollers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._pollers = [asyncio.create_task(self._poll(each)) for each in self._sources]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._pollers:
            task.cancel()
        await asyncio.gather(*self._pollers, return_exceptions=True)

    async def _poll(self, source: EventSource) -> None:
        queue = self._queues[source.queue]
        free = asyncio.Semaphore(source.max_concurrency)
        async with asyncio.TaskGroup() as batches:
            while True:
                await free.acquire()
                messages = queue.receive(source.batch_size)
                while not messages:
                    await queue.wait()
                    messages = queue.receive(source.batch_size)
                task = batches.create_task(self._run(source, queue, messages))
                task.add_done_callback(lambda _: free.release())

    async def _run(
        self, source: EventSource, queue: MessageQueue, messages: Sequence[Message]
    ) -> None:
        await asyncio.sleep(_DELIVERY_SECONDS)
        result = await self._invoke(source.function, sqs_event(source.queue, messages))
        failed = failed_ids(source, result, messages)
        for message in messages:
            if message.id not in failed:
                queue.delete(message.receipt)
        noun = "message" if len(messages) == 1 else "messages"
        outcome = f"failed: {result.error}" if result.error else f"returned {_text(result.payload)}"
        if failed and not result.error:
            outcome = f"failed for {len(failed)} of them"
        self._log(
            f"{time.strftime('%H:%M:%S')} Queue {source.queue} sent {len(messages)} {noun},"
            f" {source.function} {outcome} ({result.milliseconds:.0f} ms)"
        )

    async def _invoke(self, function: str, event: object) -> InvocationResult:
        try:
            return await self._runtime.invoke(function, event)
        except TooManyRequestsError:
            return InvocationResult(None, "TooManyRequestsException", is_cold=False, milliseconds=0)


def sqs_event(queue: str, messages: Sequence[Message]) -> dict[str, Any]:
    """Return the event that Lambda sends for a batch of messages."""
    return {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.receipt,
                "body": message.body,
                "attributes": message.system_attributes,
                "messageAttributes": {},
                "md5OfBody": message.body_md5,
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn(queue),
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def failed_ids(
    source: EventSource, result: InvocationResult, messages: Sequence[Message]
) -> set[str]:
    """Return the ids of the messages that a run has not handled.

    As on AWS, a response that is not understood, or that names an unknown message, fails all.
    """
    ids = {message.id for message in messages}
    if result.error is not None:
        return ids
    if not source.reports_failures or result.payload is None:
        return set()
    try:
        items = result.payload.get("batchItemFailures") or []
        failed = {item["itemIdentifier"] for item in items}
    except (AttributeError, KeyError, TypeError):
        return ids
    return failed if failed.issubset(ids) else ids


def _text(payload: object) -> str:
    return json.dumps(payload, ensure_ascii=False)
