"""Each alarm watches a metric that is written, fires on its fault, and notifies.

`fires` evaluates samples of a metric as CloudWatch does:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import functools
import json
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medianest.core.observability import NAMESPACE
from tests.contract.test_metrics import LAMBDA_METRICS, SQS_METRICS, WRITTEN, services
from tests.support.cloudformation import Resource, Stack
from tests.support.stacks import all_stacks, for_every_variant

ALARM = "AWS::CloudWatch::Alarm"
MINUTE, HOUR, DAY = 60, 3600, 86400
GIB = 2**30

# The metrics of services, by namespace and by the resource that a dimension names.
API_METRICS = {"4XXError", "5XXError", "Count", "IntegrationLatency", "Latency"}
INSTANCE_METRICS = {"CPUUtilization", "DatabaseConnections", "FreeStorageSpace"}
CLUSTER_METRICS = {"ACUUtilization", "DatabaseConnections", "ServerlessDatabaseCapacity"}
PROXY_METRICS = {
    *("ClientConnections", "DatabaseConnections"),
    "DatabaseConnectionsCurrentlySessionPinned",
}
SERVER_METRICS = {"StatusCheckFailed_Instance", "StatusCheckFailed_System"}
KNOWN = {
    ("AWS/Lambda", "FunctionName"): ("AWS::Lambda::Function", "Ref", LAMBDA_METRICS),
    ("AWS/SQS", "QueueName"): ("AWS::SQS::Queue", "QueueName", SQS_METRICS),
    ("AWS/RDS", "DBInstanceIdentifier"): ("AWS::RDS::DBInstance", "Ref", INSTANCE_METRICS),
    ("AWS/RDS", "DBClusterIdentifier"): ("AWS::RDS::DBCluster", "Ref", CLUSTER_METRICS),
    ("AWS/RDS", "ProxyName"): ("AWS::RDS::DBProxy", "Ref", PROXY_METRICS),
    ("AWS/EC2", "InstanceId"): ("AWS::EC2::Instance", "Ref", SERVER_METRICS),
}

type Samples = Sequence[tuple[int, float]]


def dimensions(alarm: Resource) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}


@for_every_variant
def test_each_alarm_watches_a_metric_that_is_written(stack: Stack) -> None:
    for alarm in stack.of(ALARM):
        namespace, metric = alarm.get("Namespace"), alarm.get("MetricName")
        named = dimensions(alarm)
        if namespace == NAMESPACE:
            expect_own_metric(stack, alarm, named)
        elif namespace == "AWS/ApiGateway":
            api, stage = stack.one("AWS::ApiGateway::RestApi"), stack.one("AWS::ApiGateway::Stage")
            assert named == {"ApiName": api.get("Name"), "Stage": stage.get("StageName")}, alarm
            assert metric in API_METRICS, alarm
        else:
            ((dimension, value),) = named.items()
            kind, attribute, metrics = KNOWN[namespace, dimension]
            resource = stack.resource_of(value)
            assert resource is not None, alarm
            assert resource.type == kind, alarm
            by_attribute = {"Fn::GetAtt": [resource.id, attribute]}
            assert value == ({"Ref": resource.id} if attribute == "Ref" else by_attribute), alarm
            assert metric in metrics, alarm


def expect_own_metric(stack: Stack, alarm: Resource, named: Mapping[str, Any]) -> None:
    """Check that a function of the stack writes the metric of an alarm with its dimensions."""
    service = named["service"]
    names = {
        each.get("Environment.Variables")["POWERTOOLS_SERVICE_NAME"]
        for each in stack.of("AWS::Lambda::Function")
    }
    assert service in names, alarm
    writers = [
        each
        for each in WRITTEN
        if each.name == alarm.get("MetricName") and service in services(each.module)
    ]
    assert {tuple(sorted(named.keys() - {"service"}))} == {each.extra for each in writers}, alarm
    if "task" in named:
        assert any(task_of(each) == named["task"] for each in schedules(stack)), alarm


def schedules(stack: Stack) -> list[Resource]:
    return stack.of("AWS::Scheduler::Schedule")


def task_of(schedule: Resource) -> str:
    text: str = schedule.get("Target.Input")
    return text.split('"')[3]


def seconds_of(schedule: Resource) -> int:
    """Return the interval of a schedule; a cron expression of a minute and an hour is daily."""
    expression: str = schedule.get("ScheduleExpression")
    if re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", expression):
        return DAY
    number, unit = expression.removeprefix("rate(").rstrip(")").split()
    return int(number) * {"minute": MINUTE, "hour": HOUR, "day": DAY}[unit.rstrip("s")]


def interval(stack: Stack, task: str) -> int:
    (found,) = (seconds_of(each) for each in schedules(stack) if task_of(each) == task)
    return found


@for_every_variant
def test_each_alarm_notifies_the_reader_if_there_is_one(stack: Stack) -> None:
    topics = [{"Ref": each.id} for each in stack.of("AWS::SNS::Topic")]
    assert bool(topics) == bool(stack.parameters["AlarmEmail"])
    for topic in stack.of("AWS::SNS::Topic"):
        (subscription,) = topic.get("Subscription")
        assert subscription == {"Protocol": "email", "Endpoint": stack.parameters["AlarmEmail"]}
    for alarm in stack.of(ALARM):
        actions = [each for each in alarm.get("AlarmActions") if "automate" not in str(each)]
        assert actions == topics == alarm.get("OKActions"), alarm
        assert alarm.get("ActionsEnabled", True) is True, alarm
        restarts = [each for each in alarm.get("AlarmActions") if "ec2:reboot" in str(each)]
        assert len(restarts) == (alarm.get("Namespace") == "AWS/EC2"), alarm


@dataclass(frozen=True, slots=True)
class Case:
    """Samples in health and in the fault, as (second, value), which an alarm must tell apart.

    It fires at the latest `within` seconds after the fault began.
    """

    healthy: Samples
    faulty: Samples
    within: int = 30 * MINUTE


@functools.cache
def constant(value: float, *, every: int = MINUTE, until: int = 6 * HOUR) -> Samples:
    return [(second, value) for second in range(0, until, every)]


def once(value: float = 1) -> Samples:
    return [(10 * MINUTE, value)]


@functools.cache
def shares(share: float) -> Samples:
    """Return a hundred responses a minute, of which a share is an error."""
    errors = round(share * 100)
    return [
        (minute * MINUTE, float(place < errors)) for minute in range(360) for place in range(100)
    ]


NOTHING: Samples = []
_tried: set[tuple[object, ...]] = set()


def case_of(stack: Stack, alarm: Resource) -> Case:
    """Return the case of an alarm, by the start of its name."""
    name = alarm.get("AlarmName").removeprefix("medianest-")
    if name.startswith("cleanup-not-run-"):
        every = interval(stack, dimensions(alarm)["task"])
        runs = constant(0, every=every, until=8 * DAY)
        return Case(runs, NOTHING, within=max(4 * every, 2 * DAY + HOUR))
    sweep = interval(stack, "sweep")
    waits = constant(sweep, every=sweep, until=2 * DAY)
    stuck = constant(sweep + 15 * MINUTE, every=sweep, until=2 * DAY)
    is_smallest = stack.parameters["DatabaseInstanceClass"] == "db.t4g.micro"
    cases = {
        "api-5xx": Case(shares(0), shares(0.02)),
        "api-latency": Case(constant(400), constant(4000)),
        "throttles": Case(constant(1, every=5 * MINUTE), constant(5)),
        "errors": Case(once(), constant(1)),
        "rate-limit-fallback": Case(once(), constant(1)),
        "cache-down": Case(once(), constant(1)),
        "dead-letters": Case(constant(0), constant(1), within=10 * MINUTE),
        "bell-dead-letters": Case(constant(0), constant(1), within=10 * MINUTE),
        "oldest-due-job": Case(waits, stuck, within=2 * sweep + 20 * MINUTE),
        "dead-jobs": Case(constant(0), constant(1), within=HOUR),
        "server-open": Case(constant(30 * MINUTE), constant(2 * HOUR)),
        "database-load": Case(constant(50), constant(95)),
        "database-storage": Case(constant(5 * GIB), constant(GIB), within=10 * MINUTE),
        "database-connections": Case(constant(30), constant(75 if is_smallest else 5000)),
        "pinned-connections": Case(constant(0), constant(5)),
        "nat": Case(constant(0), constant(1), within=5 * MINUTE),
    }
    (kind,) = (each for each in cases if name == each or name.startswith(f"{each}-"))
    return cases[kind]


@for_every_variant
def test_each_alarm_fires_on_its_fault_and_is_silent_in_health(stack: Stack) -> None:
    intervals = sorted((task_of(each), seconds_of(each)) for each in schedules(stack))
    for alarm in stack.of(ALARM):
        # Most variants have the same alarms, for the same faults.
        inputs = (
            json.dumps(alarm.properties),
            stack.parameters["DatabaseInstanceClass"],
            *intervals,
        )
        if inputs in _tried:
            continue
        _tried.add(inputs)
        case = case_of(stack, alarm)
        assert fires(alarm, case.healthy) is None, f"{alarm} fires in health"
        fired = fires(alarm, case.faulty)
        assert fired is not None, f"{alarm} is silent in its fault"
        assert fired <= case.within, f"{alarm} fires after {fired} seconds"


def fires(alarm: Resource, samples: Samples) -> int | None:
    """Return the second at which an alarm fires, None if it does not."""
    period, number = int(alarm.get("Period")), int(alarm.get("EvaluationPeriods"))
    needed = int(alarm.get("DatapointsToAlarm", number))
    end = max([second for second, _ in samples] or [8 * DAY])
    by_period: dict[int, list[float]] = {}
    for second, value in samples:
        by_period.setdefault(second // period, []).append(value)
    breaching: list[bool] = []
    for place in range(end // period):
        breaching.append(is_breaching(alarm, by_period.get(place, [])))
        if sum(breaching[-number:]) >= needed and len(breaching) >= number:
            return (place + 1) * period
    return None


def is_breaching(alarm: Resource, values: Sequence[float]) -> bool:
    if not values and alarm.get("Statistic") != "SampleCount":
        assert alarm.get("TreatMissingData") in {"notBreaching", "missing"}, alarm
        return False
    if not values:
        return bool(alarm.get("TreatMissingData") == "breaching")
    statistic: dict[str, Callable[[Sequence[float]], float]] = {
        "Average": statistics.fmean,
        "Maximum": max,
        "Minimum": min,
        "Sum": sum,
        "SampleCount": len,
        "p95": lambda values: sorted(values)[int(len(values) * 0.95)],
    }
    compare: dict[str, Callable[[float, float], bool]] = {
        "GreaterThanThreshold": operator.gt,
        "GreaterThanOrEqualToThreshold": operator.ge,
        "LessThanThreshold": operator.lt,
    }
    value = statistic[alarm.get("ExtendedStatistic") or alarm.get("Statistic")](values)
    return compare[alarm.get("ComparisonOperator")](value, float(alarm.get("Threshold")))


@for_every_variant
def test_each_cleanup_that_is_scheduled_has_an_alarm(stack: Stack) -> None:
    watched = {dimensions(each)["task"] for each in stack.of(ALARM) if "task" in dimensions(each)}
    cleaned = {each.name for each in WRITTEN if each.extra == ("task",)}
    assert "CleanupDeleted" in cleaned
    tasks = {
        task_of(each)
        for each in schedules(stack)
        if "CleanupFunction" in str(each.get("Target.Arn"))
    }
    has_all = stack.parameters["Alarms"] == "all"
    assert watched == (tasks - {"request-titles"} if has_all else set())


def test_hobby_has_at_most_the_ten_alarms_that_are_free() -> None:
    assert len(all_stacks()["hobby"].of(ALARM)) == 9
    for name, stack in all_stacks().items():
        second_nat = len(stack.of("AWS::EC2::Instance")) == 2
        if stack.parameters["Alarms"] == "few":
            assert len(stack.of(ALARM)) <= 10 + second_nat, name


@for_every_variant
def test_few_alarms_still_tell_of_every_part(stack: Stack) -> None:
    kinds = {each.get("AlarmName").removeprefix("medianest-") for each in stack.of(ALARM)}
    needed = {"api-5xx", "dead-letters", "oldest-due-job", "dead-jobs", "server-open"}
    needed |= {"throttles-media"}
    assert ("cache-down-media" in kinds) == (stack.parameters["CacheMode"] != "none")
    if stack.parameters["DatabaseMode"] != "external":
        needed |= {"database-load"}
    if stack.parameters["DatabaseMode"] == "rds":
        needed |= {"database-storage"}
    if stack.of("AWS::EC2::Instance"):
        needed |= {"nat-a"}
    assert needed <= kinds


@for_every_variant
def test_the_budget_tells_before_it_is_spent(stack: Stack) -> None:
    budgets = stack.of("AWS::Budgets::Budget")
    assert bool(budgets) == (int(stack.parameters["MonthlyBudgetUsd"]) > 0)
    for budget in budgets:
        amount = budget.get("Budget.BudgetLimit.Amount")
        assert amount == stack.parameters["MonthlyBudgetUsd"]
        assert budget.get("Budget.TimeUnit") == "MONTHLY"
        told = {
            each["Notification"]["NotificationType"]: each["Notification"]
            for each in budget.get("NotificationsWithSubscribers")
        }
        assert told["ACTUAL"]["Threshold"] <= 80
        assert told["FORECASTED"]["Threshold"] <= 100
        for each in budget.get("NotificationsWithSubscribers"):
            assert each["Notification"]["ThresholdType"] == "PERCENTAGE"
            assert each["Notification"]["ComparisonOperator"] == "GREATER_THAN"
            (reader,) = each["Subscribers"]
            assert reader["Address"] == stack.parameters["AlarmEmail"]
