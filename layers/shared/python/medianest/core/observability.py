"""Structured logs and metrics of a function."""

import json
import logging

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

# Task names are useless: each process serves one request at a time.
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # typeshed lacks it
# Powertools' defaults parse every message as JSON and make an encoder for every line.
_ENCODER = json.JSONEncoder(default=str, separators=(",", ":"), ensure_ascii=False)
logger = Logger(json_serializer=_ENCODER.encode, json_deserializer=str)
NAMESPACE = "MediaNest"
metrics = Metrics(namespace=NAMESPACE)


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Add `value` to a count metric."""
    if not dimensions:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        return
    # In a separate log line, because dimensions apply to all metrics of a line.
    with single_metric(
        name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE
    ) as metric:
        for key, dimension in dimensions.items():
            metric.add_dimension(name=key, value=dimension)


def flush_metrics() -> None:
    """Write the metrics of this invocation, if any."""
    if metrics.metric_set:
        metrics.flush_metrics()
