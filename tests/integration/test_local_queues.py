"""The local queues: the calls of boto3, judged by moto, and the mappings that invoke functions."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.lambda_.runtime import Runtime
from local.queues.mapping import QueueMappings
from local.queues.queue import MessageQueue
from local.queues.server import QueueServer
from local.run_config import PROJECT
from local.template.models import EventSource, Function, Queue

QUEUE = Queue("Bells", 0, 1, 60, "Dead", 2)
DEAD = Queue("Dead", 0, 1, 60, None, 0)
SOURCE = EventSource("Bell", "Work", "Bells", 10, 2, reports_failures=True, is_enabled=True)
# Notes each batch in a file of its own; a body says what happens to its message.
CODE = """
import json, os, signal, time, uuid
def handler(event, context):
    bodies = [each["body"] for each in event["Records"]]
    name = str(uuid.uuid4())
    with open(name, "w") as file:
        json.dump({"bodies": bodies, "event": event, "at": time.time()}, file)
    os.rename(name, f"{name}.batch")  # so that a test reads no half of it
    if "kill once" in bodies and not os.path.exists("killed"):
        open("killed", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if "slow" in bodies:
        time.sleep(0.5)
    while "hold" in bodies and not os.path.exists("go"):
        time.sleep(0.01)
    if "raise" in bodies:
        raise RuntimeError("no")
    failed = [each["messageId"] for each in event["Records"] if each["body"] == "fail"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""


def run[T](work: Coroutine[Any, Any, T]) -> T:
    # asyncio.run would unset the current event loop of the thread, which other tests need.
    return asyncio.run(work, loop_factory=asyncio.new_event_loop)


@asynccontextmanager
async def mapping(
    folder: Path, source: EventSource = SOURCE
) -> AsyncIterator[tuple[dict[str, MessageQueue], list[str]]]:
    (folder / "app.py").write_text(CODE)
    work = Function("Work", folder, "app.handler", 10.0, 128, None, (), {})
    awslambdaric = PROJECT / ".venv" / "var" / "runtime"
    # No start of a function takes longer, so nothing comes again before a test says so.
    bells = replace(QUEUE, visibility=60)
    queues = MessageQueue.of_template({"Bells": bells, "Dead": DEAD})
    lines: list[str] = []
    async with (
        Runtime({"Work": work}, runtime=awslambdaric, pycache=folder.parent / "pycache") as runtime,
        QueueMappings([source], queues, runtime, log=lines.append),
        asyncio.timeout(30),
    ):
        yield queues, lines


def batches(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(each.read_text()) for each in folder.glob("*.batch")]
    return sorted(found, key=lambda batch: float(batch["at"]))


async def until_empty(queue: MessageQueue) -> None:
    while len(queue):
        await asyncio.sleep(0.02)


async def redelivered_until_empty(queue: MessageQueue, lines: Sequence[str]) -> None:
    """End the visibility time-out after each batch, however long the batch took."""
    seen = 0
    while len(queue):
        if len(lines) > seen:
            seen = len(lines)
            for message in queue._messages:
                message.visible_at = time.monotonic()
            queue._sent.set()
        await asyncio.sleep(0.02)


def test_messages_reach_the_function_in_batches_and_are_deleted(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with mapping(tmp_path) as (queues, lines):
            for number in range(12):
                queues["Bells"].send(str(number))
            await until_empty(queues["Bells"])
            return lines

    lines = run(scenario())
    bodies = [batch["bodies"] for batch in batches(tmp_path)]
    assert sorted(map(len, bodies)) == [2, 10]
    assert sorted(each for batch in bodies for each in batch) == sorted(map(str, range(12)))
    assert any(
        line[8:].startswith(
            ' Queue Bells sent 10 messages, Work returned {"batchItemFailures": []}'
        )
        for line in lines
    )
    (record, *_) = batches(tmp_path)[0]["event"]["Records"]
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:Bells"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_failed_message_alone_comes_again_and_dies_after_its_receives(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, list[str]]:
        async with mapping(tmp_path) as (queues, lines):
            queues["Bells"].send("fail")
            queues["Bells"].send("good")
            await redelivered_until_empty(queues["Bells"], lines)
            return len(queues["Dead"]), lines

    dead, lines = run(scenario())
    assert [sorted(batch["bodies"]) for batch in batches(tmp_path)] == [["fail", "good"], ["fail"]]
    assert dead == 1
    assert "Work failed for 1 of them" in lines[0]


@pytest.mark.parametrize("body", ["raise", "kill once"])
def test_an_error_or_a_killed_worker_redelivers_the_whole_batch(tmp_path: Path, body: str) -> None:
    async def scenario() -> int:
        async with mapping(tmp_path) as (queues, lines):
            queues["Bells"].send(body)
            queues["Bells"].send("good")
            await redelivered_until_empty(queues["Bells"], lines)
            return len(queues["Dead"])

    dead = run(scenario())
    assert [sorted(each["bodies"]) for each in batches(tmp_path)] == [sorted([body, "good"])] * 2
    assert dead == (2 if body == "raise" else 0)


def test_no_more_batches_run_at_once_than_the_maximum_concurrency(tmp_path: Path) -> None:
    async def scenario() -> None:
        single = replace(SOURCE, batch_size=1)
        async with mapping(tmp_path, single) as (queues, _):
            for _ in range(6):
                queues["Bells"].send("slow")
            await until_empty(queues["Bells"])

    run(scenario())
    starts = [float(batch["at"]) for batch in batches(tmp_path)]
    assert len(starts) == 6
    # Each run takes half a second, so within that time only two start.
    for start in starts:
        assert sum(start <= each < start + 0.45 for each in starts) <= SOURCE.max_concurrency


def test_a_delayed_message_is_hidden_until_then() -> None:
    async def scenario() -> None:
        queue = MessageQueue(QUEUE)
        queue.send("later", delay=1)
        assert queue.receive(10) == []
        await queue.wait()
        assert [each.body for each in queue.receive(10)] == ["later"]

    run(scenario())


type Client = Any
type Answer = dict[str, Any] | tuple[str, str]


def client(url: str | None = None) -> Client:
    return boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def answer_of(sqs: Client, operation: str, **arguments: Any) -> Answer:
    """Return an answer without the parts that differ from call to call, or the error."""
    try:
        answer = getattr(sqs, operation)(**arguments)
    except ClientError as error:
        return type(error).__name__, error.response["Error"]["Message"]
    answer.pop("ResponseMetadata")
    return {name: steady(value) for name, value in answer.items()}


def steady(value: Any) -> Any:
    if isinstance(value, list):
        return [steady(each) for each in value]
    if isinstance(value, dict):
        changing = {"MessageId", "ReceiptHandle", "SentTimestamp", "SenderId"}
        changing.add("ApproximateFirstReceiveTimestamp")
        return {
            name: "changes" if name in changing else steady(each) for name, each in value.items()
        }
    return "changes" if isinstance(value, str) and len(value) == 36 else value


def answers(sqs: Client, url: str) -> list[Answer]:
    entry = {"Id": "a", "MessageBody": "Grüße"}
    return [
        answer_of(sqs, "send_message", QueueUrl=url, MessageBody="{}"),
        answer_of(sqs, "send_message", QueueUrl=url, MessageBody="{}", DelaySeconds=900),
        answer_of(sqs, "send_message", QueueUrl=url, MessageBody="{}", DelaySeconds=901),
        answer_of(sqs, "send_message", QueueUrl=url, MessageBody="x" * (1024 * 1024 + 1)),
        answer_of(sqs, "send_message", QueueUrl=f"{url}x", MessageBody="{}"),
        answer_of(sqs, "receive_message", QueueUrl=url, MaxNumberOfMessages=10),
        answer_of(sqs, "receive_message", QueueUrl=url, MaxNumberOfMessages=10),
        answer_of(sqs, "send_message_batch", QueueUrl=url, Entries=[entry, {**entry, "Id": "b"}]),
        answer_of(sqs, "send_message_batch", QueueUrl=url, Entries=[entry, entry]),
        answer_of(
            sqs, "receive_message", QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"]
        ),
    ]


def test_moto_and_the_local_queue_give_boto3_the_same_answers() -> None:
    with mock_aws():
        sqs = client()
        expected = answers(sqs, sqs.create_queue(QueueName="Bells")["QueueUrl"])

    async def scenario() -> list[Answer]:
        async with QueueServer({"Bells": replace(QUEUE, dead_letters=None)}) as server:
            url = "https://sqs.us-east-1.amazonaws.com/123456789012/Bells"
            return await asyncio.to_thread(answers, client(server.url), url)

    assert run(scenario()) == expected
    assert any(isinstance(each, tuple) for each in expected)


def test_bodies_and_limits_that_sqs_refuses_are_refused() -> None:
    def errors(sqs: Client, url: str) -> list[str]:
        bodies = ["", "\0", "\ufffe", "a\u001fb"]
        sent = [answer_of(sqs, "send_message", QueueUrl=url, MessageBody=each) for each in bodies]
        entry = {"Id": "a", "MessageBody": "\0"}
        batch = answer_of(sqs, "send_message_batch", QueueUrl=url, Entries=[entry])
        assert isinstance(batch, dict)
        received = [
            answer_of(sqs, "receive_message", QueueUrl=url, MaxNumberOfMessages=each)
            for each in (0, 11)
        ]
        names = [each[0] for each in (*sent, *received) if isinstance(each, tuple)]
        return [*names, batch["Failed"][0]["Code"]]

    async def scenario() -> list[str]:
        async with QueueServer({"Bells": replace(QUEUE, dead_letters=None)}) as server:
            url = f"{server.url}/Bells"
            assert server.queues["Bells"].receive(10) == []
            found = await asyncio.to_thread(errors, client(server.url), url)
            assert server.queues["Bells"].receive(10) == []
            return found

    contents = "InvalidMessageContents"
    assert run(scenario()) == ["ClientError", *[contents] * 3, *["ClientError"] * 2, contents]


def test_a_received_message_comes_again_when_its_visibility_ends() -> None:
    async def scenario() -> float:
        queue = MessageQueue(QUEUE)
        queue.send("x")
        received = time.monotonic()
        (first,) = queue.receive(10)
        while not (again := queue.receive(10)):
            await queue.wait()
        assert [each.id for each in again] == [first.id]
        return time.monotonic() - received

    assert run(scenario()) >= QUEUE.visibility


def test_a_deleted_message_does_not_come_again() -> None:
    queue = MessageQueue(replace(QUEUE, visibility=0))
    queue.send("x")
    (first,) = queue.receive(10)
    queue.delete(first.receipt)
    assert queue.receive(10) == []
