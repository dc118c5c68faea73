"""The metrics of the code: written as alarms and dashboard read them, and each of them is read.

CloudWatch finds a metric only under its exact namespace and dimensions; an alarm on another one
would stay silent.
"""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from local.template.loader import load
from medianest.core.observability import NAMESPACE, count, flush_metrics, metrics
from tests.support.api import ROOT, TEMPLATE
from tests.support.importers import functions_with

RESOURCES = load(ROOT / "template.yaml")["Resources"]
PACKAGE = ROOT / "layers/shared/python/medianest"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
SQS_METRICS = {
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesVisible",
    "NumberOfEmptyReceives",
    "NumberOfMessagesDeleted",
    "NumberOfMessagesReceived",
    "NumberOfMessagesSent",
    "SentMessageSize",
}
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
LAMBDA_METRICS = {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"}
# By namespace: dimension, type of the resource, metrics.
NAMED_BY = {
    "AWS/SQS": ("QueueName", "AWS::SQS::Queue", SQS_METRICS),
    "AWS/Lambda": ("FunctionName", "AWS::Serverless::Function", LAMBDA_METRICS),
}
_SEARCH = re.compile(r"SEARCH\('\{(\w+),([\w,]+)\} MetricName=\(?([\w ]+?)\)?', ")


class Metric(NamedTuple):
    """A metric as CloudWatch identifies it, and the value of `service` if it is known."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    value: str | None = None


class Written(NamedTuple):
    """A metric in the code: the module that writes it, and its dimensions besides `service`."""

    module: str
    name: str
    extra: tuple[str, ...]


def written() -> Iterator[Written]:
    """Yield the metrics that the package writes, but for the helper that writes them all."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        source = path.read_text()
        # To parse every module would take a tenth of the collection of all tests.
        if module == "medianest.core.observability" or "observability" not in source:
            continue
        for function in ast.walk(ast.parse(source)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from written_by(module, function)


def written_by(module: str, function: ast.AST) -> Iterator[Written]:
    calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
    keywords = {call: {each.arg or "**": each.value for each in call.keywords} for call in calls}
    added = [
        texts(module, keywords[call]["name"])[0]
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_dimension"
    ]
    for call in calls:
        match call.func:
            case ast.Name(id="count"):
                for name in texts(module, call.args[0]):
                    yield Written(module, name, tuple(sorted(keywords[call])))
            case ast.Attribute(attr="add_metric"):
                for name in texts(module, keywords[call]["name"]):
                    yield Written(module, name, tuple(added))


def texts(module: str, node: ast.expr) -> list[str]:
    """Return the values that the name of a metric may have."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return [*texts(module, body), *texts(module, other)]
        case ast.Subscript(value=ast.Name(id=table)):
            return list(getattr(importlib.import_module(module), table).values())
        case _:
            raise AssertionError(f"{module}: {ast.unparse(node)} is no name of a metric")


WRITTEN = sorted(set(written()))


def alarms() -> dict[str, dict[str, Any]]:
    return {
        name: each["Properties"]
        for name, each in RESOURCES.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}


def watched() -> Iterator[Metric]:
    """Yield the metrics of the service's own namespace that have an alarm."""
    for alarm in alarms().values():
        if alarm["Namespace"] == NAMESPACE:
            found = dimensions(alarm)
            yield Metric(NAMESPACE, alarm["MetricName"], frozenset(found), found.get("service"))


def widgets() -> list[dict[str, Any]]:
    """Return the widgets of the dashboard, with references of the template as text."""
    body, _ = RESOURCES["OperationsDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    common = body.replace("${Database}", "").replace("${Proxy}", "")
    found: list[dict[str, Any]] = json.loads(common)["widgets"]
    return found


def shown() -> Iterator[Metric]:
    """Yield the metrics of the dashboard, with its abbreviations written out."""
    for widget in widgets():
        before: list[str] = []
        for row in widget["properties"]["metrics"]:
            fields = [each for each in row if isinstance(each, str)]
            if not fields:
                yield from searched(row[0]["expression"])
                continue
            if fields[0] == "...":
                fields = before[: len(before) - len(fields) + 1] + fields[1:]
            fields = [
                before[place] if field == "." else field for place, field in enumerate(fields)
            ]
            before = fields
            pairs = dict(zip(fields[2::2], fields[3::2], strict=True))
            yield Metric(fields[0], fields[1], frozenset(pairs), pairs.get("service"))


def searched(expression: str) -> Iterator[Metric]:
    found = _SEARCH.match(expression)
    assert found is not None, expression
    for name in found[3].split(" OR "):
        yield Metric(found[1], name, frozenset(found[2].split(",")))


def emitted(name: str, *extra: str, capsys: pytest.CaptureFixture[str]) -> Metric:
    """Write a metric and return what CloudWatch would make of the log line."""
    flush_metrics()
    capsys.readouterr()
    count(name, 1, **dict.fromkeys(extra, "x"))
    flush_metrics()
    (line,) = capsys.readouterr().out.splitlines()
    (found,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    (names,) = found["Dimensions"]
    (metric,) = found["Metrics"]
    return Metric(found["Namespace"], metric["Name"], frozenset(names))


def services(module: str) -> set[str]:
    """Return the value of `service` in the metrics of each function that has a module."""
    return {
        TEMPLATE.functions[name].environment["POWERTOOLS_SERVICE_NAME"]
        for name in functions_with(module)
    }


def test_the_namespace_of_the_code_is_that_of_the_functions() -> None:
    assert metrics.namespace == NAMESPACE
    for function in TEMPLATE.functions.values():
        assert function.environment["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE


@pytest.mark.parametrize("metric", WRITTEN, ids=lambda each: f"{each.name} of {each.module}")
def test_a_metric_has_an_alarm_or_a_row_of_the_dashboard(
    metric: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = emitted(metric.name, *metric.extra, capsys=capsys)
    read = [each for each in (*watched(), *shown()) if each.name == metric.name]
    assert read, f"template.yaml needs an alarm or a row of the dashboard for {metric.name}"
    for each in read:
        assert each[:3] == expected[:3]
        assert each.value is None or each.value in services(metric.module)


@pytest.mark.parametrize("name", sorted({each.name for each in WRITTEN}))
def test_a_metric_is_explained_in_a_table(name: str) -> None:
    pages = [(ROOT / "docs" / page).read_text() for page in ("operations.md", "fulfilment.md")]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*)(?:, by `\w+`)? \|", "\n".join(pages), re.MULTILINE)
    others = {"TitlesFilled", "TitlesMore"}  # explained beside their task
    assert name in re.findall(r"\w+", " ".join(rows)) or name in others


def test_the_alarms_of_the_worker_watch_metrics_of_jobs() -> None:
    names = {each.name for each in watched() if each.value == "worker"}
    assert names == {"OldestDueJob", "DeadJobs", "ServerAway"}
    assert names <= {each.name for each in WRITTEN}


@pytest.mark.parametrize(
    "name", [name for name, each in alarms().items() if each["Namespace"] in NAMED_BY]
)
def test_an_alarm_on_a_queue_or_function_names_it_as_aws_does(name: str) -> None:
    alarm = alarms()[name]
    dimension, kind, known = NAMED_BY[alarm["Namespace"]]
    ((key, value),) = dimensions(alarm).items()
    assert key == dimension
    # The name: a Ref of a function, an attribute of a queue, whose Ref is its URL.
    resource, *attribute = value.get("Fn::GetAtt") or [value["Ref"]]
    assert attribute == (["QueueName"] if dimension == "QueueName" else [])
    assert RESOURCES[resource]["Type"] == kind
    assert alarm["MetricName"] in known


def test_every_queue_of_dead_letters_has_an_alarm() -> None:
    redriven = {
        each["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for each in RESOURCES.values()
        if each["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in each["Properties"]
    }
    alarmed = {
        dimensions(each)["QueueName"]["Fn::GetAtt"][0]
        for each in alarms().values()
        if each["Namespace"] == "AWS/SQS"
    }
    assert redriven == {"BellDeadLetters"}
    assert alarmed == {"DeadLetters", *redriven}


def test_the_dashboard_names_existing_functions_and_queues() -> None:
    for widget in widgets():
        for name in re.findall(
            r"\$\{(\w+)(?:\.\w+)?\}", json.dumps(widget["properties"]["metrics"])
        ):
            assert name in RESOURCES, name
