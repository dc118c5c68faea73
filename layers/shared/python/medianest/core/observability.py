"""Structured logs and metrics of a function."""

import logging

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

# The name of an asyncio task says nothing where each process serves one request at a time.
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # typeshed lacks it
logger = Logger()
metrics = Metrics(namespace="MediaNest")


def count(name: str, **dimensions: str) -> None:
    """Count one occurrence of something an operator would set an alarm on."""
    for key, value in dimensions.items():
        metrics.add_dimension(name=key, value=value)
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def flush_metrics() -> None:
    """Write what was counted during this invocation, if anything was."""
    if metrics.metric_set:
        metrics.flush_metrics()
