"""The worker handles the sample events of events/, and answers batches as SQS wants."""

import json
import time
from typing import Any

import psycopg
import pytest

from local.lambda_.invocation import InvocationResult
from local.queues.mapping import failed_ids
from local.queues.queue import Message
from medianest.core.db import Database
from medianest.core.environment import environment as core_environment
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from tests.integration.test_worker import handle
from tests.support.api import ROOT, TEMPLATE
from tests.support.job_queue import noted_bells
from tests.support.jobs import add_job, add_server, field, nothing, running

type Db = psycopg.Connection[tuple[Any, ...]]

(SOURCE,) = TEMPLATE.event_sources


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / f"events/{name}.json").read_text())
    return event


def ids(event: dict[str, Any]) -> list[str]:
    return [record["messageId"] for record in event["Records"]]


def kept_by_sqs(event: dict[str, Any], response: dict[str, Any]) -> set[str]:
    """Return the ids of the messages that SQS delivers again after this response."""
    messages = [
        Message(record["body"], 0.0, 0.0, id=record["messageId"]) for record in event["Records"]
    ]
    result = InvocationResult(response, None, is_cold=False, milliseconds=1.0)
    return failed_ids(SOURCE, result, messages)


@pytest.fixture
def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AppError(ErrorCode.DATABASE_CONNECTION_ERROR)

    monkeypatch.setattr(Database, "_begin", refuse)
    monkeypatch.setattr(Database, "read", refuse)


def test_the_sample_batch_of_bells_runs_what_is_due_and_is_deleted(db: Db, keys: object) -> None:
    event = sample("worker")
    job_id = add_job(1)
    with running(nothing):
        response = handle(event)
    assert response == {"batchItemFailures": []}
    assert kept_by_sqs(event, response) == set()
    assert field(db, job_id, "state") == "done"


@pytest.mark.parametrize("pauses", ["true", "false"])
def test_the_run_of_a_bell_reports_the_backlog_if_the_sweep_comes_once_a_day(
    db: Db,
    keys: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pauses: str,
) -> None:
    monkeypatch.setenv("DATABASE_PAUSES", pauses)
    core_environment.cache_clear()
    with running(nothing):
        handle(sample("worker"))
    monkeypatch.undo()
    core_environment.cache_clear()
    lines = [line for line in capsys.readouterr().out.splitlines() if '"DeadJobs"' in line]
    assert len(lines) == (pauses == "true")


def test_the_sample_batch_is_kept_while_the_database_is_down(
    db: Db, keys: object, without_database: None
) -> None:
    event = sample("worker")
    with running(nothing):
        response = handle(event)
    assert response == {"batchItemFailures": [{"itemIdentifier": each} for each in ids(event)]}
    assert kept_by_sqs(event, response) == set(ids(event))


def test_only_the_bell_that_was_not_passed_on_is_kept(
    db: Db, keys: object, without_database: None
) -> None:
    event = sample("worker")
    now, later = event["Records"]
    later["body"] = json.dumps(json.loads(later["body"]) | {"notBefore": time.time() + 600})
    with running(nothing), noted_bells() as messages:
        response = handle(event)
    assert response == {"batchItemFailures": [{"itemIdentifier": now["messageId"]}]}
    assert kept_by_sqs(event, response) == {now["messageId"]}
    assert [body for body, _ in messages] == [json.loads(later["body"])]


@pytest.mark.parametrize(
    ("name", "done"), [("worker-sweep", 1), ("worker-checks", 1), ("worker-inventories", 2)]
)
def test_the_sample_event_of_a_schedule_runs_its_task_and_the_jobs_that_are_due(
    db: Db, keys: object, name: str, done: int
) -> None:
    add_server(db)
    job_id = add_job(1)
    with running(nothing):
        response = handle(sample(name))
    assert response == {"done": done, "failed": 0, "given_back": 0, "lost": 0, "more": False}
    assert field(db, job_id, "state") == "done"
