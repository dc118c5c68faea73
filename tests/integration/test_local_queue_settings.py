"""The local queue and its mapping do what template.yaml says: a changed copy changes both."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from local.queues import queue as queue_module
from local.queues.queue import MessageQueue
from local.run_config import PROJECT
from local.template.models import EventSource, Template
from local.template.reader import read_template
from tests.integration.test_local_queues import (
    batches,
    mapping,
    redelivered_until_empty,
    run,
    until_empty,
)
from tests.support.api import TEMPLATE

BELLS, WORKER = "BellQueue", "WorkerFunction"


class Clock:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the seconds of the clock."""
        return self.now

    def time(self) -> float:
        """Return the same as wall-clock time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(queue_module, "time", clock)
    return clock


def changed(folder: Path, changes: Mapping[str, str]) -> Template:
    """Read a copy of template.yaml with other values; each changes the one place that has it."""
    text = (PROJECT / "template.yaml").read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    for name in ("layers", "functions"):
        (folder / name).symlink_to(PROJECT / name)
    path = folder / "template.yaml"
    path.write_text(text)
    return read_template(path, opt=PROJECT / ".venv" / "opt")


def queues_of(template: Template) -> tuple[MessageQueue, MessageQueue]:
    queues = MessageQueue.of_template(template.queues)
    return queues[BELLS], queues["BellDeadLetters"]


def source_of(template: Template) -> EventSource:
    """Return the mapping of the template, from the queue and to the function of `mapping`."""
    (source,) = template.event_sources
    assert (source.queue, source.function) == (BELLS, WORKER)
    return replace(source, queue="Bells", function="Work")


@pytest.mark.parametrize("visibility", [720, 30])
def test_a_received_bell_is_hidden_for_the_visibility_timeout(
    tmp_path: Path, clock: Clock, visibility: int
) -> None:
    bells, _ = queues_of(
        changed(tmp_path, {"VisibilityTimeout: 720": f"VisibilityTimeout: {visibility}"})
    )
    bells.send("{}")
    assert len(bells.receive(10)) == 1
    clock.now += visibility - 0.1
    assert bells.receive(10) == []
    clock.now += 0.2
    assert len(bells.receive(10)) == 1


@pytest.mark.parametrize("retention", [7200, 60])
def test_a_bell_that_nobody_receives_expires_after_the_retention(
    tmp_path: Path, clock: Clock, retention: int
) -> None:
    old, new = "MessageRetentionPeriod: 7200", f"MessageRetentionPeriod: {retention}"
    bells, dead = queues_of(changed(tmp_path, {old: new}))
    bells.send("{}")
    clock.now += retention - 0.1
    assert [each.body for each in bells.receive(10, visibility=0)] == ["{}"]
    clock.now += 0.2
    assert (bells.receive(10), len(bells), len(dead)) == ([], 0, 0)


@pytest.mark.parametrize("receives", [5, 2])
def test_a_bell_becomes_a_dead_letter_after_the_receives_of_the_redrive_policy(
    tmp_path: Path, clock: Clock, receives: int
) -> None:
    old, new = "maxReceiveCount: 5", f"maxReceiveCount: {receives}"
    bells, dead = queues_of(changed(tmp_path, {old: new}))
    bells.send("{}")
    for _ in range(receives):
        assert len(bells.receive(10, visibility=0)) == 1
    assert (bells.receive(10), len(bells), len(dead)) == ([], 0, 1)


@pytest.mark.parametrize("size", [10, 3])
def test_a_batch_has_at_most_the_messages_of_the_mapping(tmp_path: Path, size: int) -> None:
    template = changed(tmp_path, {"BatchSize: 10": f"BatchSize: {size}"})

    async def scenario() -> None:
        async with mapping(tmp_path, source_of(template)) as (queues, _):
            for number in range(12):
                queues["Bells"].send(str(number))
            await until_empty(queues["Bells"])

    run(scenario())
    assert max(len(batch["bodies"]) for batch in batches(tmp_path)) == size


@pytest.mark.parametrize("most", [4, 2])
def test_the_mapping_runs_as_many_batches_at_once_as_its_maximum_concurrency(
    tmp_path: Path, most: int
) -> None:
    template = changed(
        tmp_path,
        {
            "MaximumConcurrency: 4": f"MaximumConcurrency: {most}",
            "BatchSize: 10": "BatchSize: 1",
        },
    )

    async def scenario() -> int:
        async with mapping(tmp_path, source_of(template)) as (queues, _):
            bells = queues["Bells"]
            for _ in range(most + 1):
                bells.send("hold")
            while len(batches(tmp_path)) < most:
                await asyncio.sleep(0.02)
            waiting = [each for each in bells._messages if each.receives == 0]
            (tmp_path / "go").touch()
            await until_empty(bells)
            return len(waiting)

    assert run(scenario()) == 1
    assert len(batches(tmp_path)) == most + 1


@pytest.mark.parametrize("reports", [True, False])
def test_failed_bells_come_again_only_if_the_mapping_asks_which_failed(
    tmp_path: Path, *, reports: bool
) -> None:
    line = "            FunctionResponseTypes: [ReportBatchItemFailures]\n"
    template = changed(tmp_path, {line: line if reports else ""})

    async def scenario() -> int:
        async with mapping(tmp_path, source_of(template)) as (queues, lines):
            queues["Bells"].send("fail")
            await redelivered_until_empty(queues["Bells"], lines)
            return len(queues["Dead"])

    # Without the setting, Lambda takes a response for a success.
    assert run(scenario()) == (1 if reports else 0)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_disabled_mapping_receives_nothing(tmp_path: Path, *, enabled: bool) -> None:
    line = "            BatchSize: 10 "
    template = changed(tmp_path, {line: f"            Enabled: {str(enabled).lower()}\n{line}"})

    async def scenario() -> int:
        async with mapping(tmp_path, source_of(template)) as (queues, _):
            bell = queues["Bells"].send("{}")
            # A poller receives at its next turn, long before the function runs.
            await asyncio.sleep(0.1)
            return bell.receives

    assert run(scenario()) == int(enabled)


def test_make_run_gives_the_queue_of_the_template_to_the_functions_that_ring() -> None:
    (source,) = TEMPLATE.event_sources
    for function in TEMPLATE.functions.values():
        url = function.environment.get("BELL_QUEUE_URL")
        assert url is None or url.rpartition("/")[2] == source.queue
