"""Read the queues of a template, and the mappings that pass their messages to functions."""

import json
from collections.abc import Mapping
from typing import Any

from local.template.loader import TemplateError
from local.template.models import EventSource, Queue
from local.template.properties import refuse_unknown

# Without an effect on a developer's machine.
_QUEUE_IGNORED = {"QueueName", "SqsManagedSseEnabled", "Tags"}
_QUEUE_READ = {"DelaySeconds", "MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"}
_SOURCE_READ = {
    *("BatchSize", "Enabled", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds"),
    *("Queue", "ScalingConfig"),
}
_REPORTS_FAILURES = "ReportBatchItemFailures"
# Lambda polls a queue with five pollers unless ScalingConfig says otherwise.
_DEFAULT_CONCURRENCY = 5
# AWS's defaults, in seconds.
_DEFAULT_VISIBILITY = 30
_DEFAULT_RETENTION = 345_600


def read_queue(name: str, properties: Mapping[str, Any]) -> Queue:
    """Read a standard queue."""
    refuse_unknown(name, properties, _QUEUE_READ | _QUEUE_IGNORED)
    policy = properties.get("RedrivePolicy") or {}
    if isinstance(policy, str):
        policy = json.loads(policy)
    refuse_unknown(f"{name}, RedrivePolicy", policy, {"deadLetterTargetArn", "maxReceiveCount"})
    return Queue(
        name=name,
        delay=int(properties.get("DelaySeconds", 0)),
        visibility=int(properties.get("VisibilityTimeout", _DEFAULT_VISIBILITY)),
        retention=int(properties.get("MessageRetentionPeriod", _DEFAULT_RETENTION)),
        dead_letters=_queue_name(policy["deadLetterTargetArn"]) if policy else None,
        max_receives=int(policy.get("maxReceiveCount", 0)),
    )


def read_event_source(name: str, properties: Mapping[str, Any], function: str) -> EventSource:
    """Read an event of type SQS of a function."""
    where = f"{function}, event {name}"
    refuse_unknown(where, properties, _SOURCE_READ)
    if int(properties.get("MaximumBatchingWindowInSeconds", 0)):
        raise TemplateError(f"{where}: the local runtime supports no batching window")
    responses = properties.get("FunctionResponseTypes", [])
    if not {_REPORTS_FAILURES}.issuperset(responses):
        raise TemplateError(f"{where}: unknown FunctionResponseTypes {responses}")
    scaling = properties.get("ScalingConfig", {})
    refuse_unknown(f"{where}, ScalingConfig", scaling, {"MaximumConcurrency"})
    return EventSource(
        name=name,
        function=function,
        queue=_queue_name(properties["Queue"]),
        batch_size=int(properties.get("BatchSize", 10)),
        max_concurrency=int(scaling.get("MaximumConcurrency", _DEFAULT_CONCURRENCY)),
        reports_failures=_REPORTS_FAILURES in responses,
        is_enabled=properties.get("Enabled", True) in {True, "true"},
    )


def check_queues(queues: Mapping[str, Queue], sources: tuple[EventSource, ...]) -> None:
    """Raise TemplateError for a queue that is named but does not exist."""
    named = {each.dead_letters for each in queues.values()} | {each.queue for each in sources}
    unknown = sorted(named - {None} - queues.keys(), key=str)
    if unknown:
        raise TemplateError(f"The template has no queue {', '.join(map(str, unknown))}")


def _queue_name(arn: str) -> str:
    return arn.rpartition(":")[2]
