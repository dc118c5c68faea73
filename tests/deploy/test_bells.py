"""The queue of bells, its mapping to the worker, and the rights of both, in every variant."""

from collections.abc import Iterator

from medianest.jobs.bell import MAX_DELAY_SECONDS
from tests.deploy.test_hardening import as_list, environment, functions, is_alias, role, statements
from tests.support.cloudformation import Resource, Stack, references
from tests.support.importers import functions_with
from tests.support.stacks import for_every_variant

VARIABLE = "BELL_QUEUE_URL"
BELLS, WORKER = "BellQueue", "WorkerFunction"
SERVERS_GROUP = "WorkerSecurityGroup"
# Lambda's advice: six times the function's timeout, and five receives or more.
TIMEOUTS, RECEIVES = 6, 5
TWO_WEEKS = 1_209_600
POLLING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}


def mapping(stack: Stack) -> Resource:
    return stack.one("AWS::Lambda::EventSourceMapping")


def grants(stack: Stack) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield owner, action and queues of each right that a role of the stack has at SQS."""
    for owner in stack.of("AWS::IAM::Role"):
        for statement in statements(stack, owner):
            for action in as_list(statement["Action"]):
                if action.startswith("sqs:"):
                    yield owner.id, action, references(statement["Resource"])


def allowed(stack: Stack, queue: str, *actions: str) -> set[str]:
    """Return the roles that have one of these rights at a queue."""
    return {
        owner for owner, action, queues in grants(stack) if action in actions and queue in queues
    }


@for_every_variant
def test_a_bell_stays_hidden_for_six_timeouts_of_the_worker(stack: Stack) -> None:
    timeout = int(stack.resources[WORKER].get("Timeout"))
    window = int(mapping(stack).get("MaximumBatchingWindowInSeconds", 0))
    visibility = int(stack.resources[BELLS].get("VisibilityTimeout"))
    assert visibility >= TIMEOUTS * timeout + window


@for_every_variant
def test_a_bell_whose_runs_crash_becomes_a_dead_letter_before_it_expires(stack: Stack) -> None:
    bells = stack.resources[BELLS]
    policy = bells.get("RedrivePolicy")
    receives = int(policy["maxReceiveCount"])
    assert receives >= RECEIVES
    longest = MAX_DELAY_SECONDS + receives * int(bells.get("VisibilityTimeout"))
    assert int(bells.get("MessageRetentionPeriod")) > longest
    dead = stack.resource_of(policy["deadLetterTargetArn"])
    assert dead is not None
    # Of its own: the other dead letters are runs to repeat, a bell is not.
    assert (dead.id, dead.type) == ("BellDeadLetters", "AWS::SQS::Queue")
    # In a standard queue the age of a message counts from its first queue.
    assert int(dead.get("MessageRetentionPeriod")) == TWO_WEEKS
    assert dead.get("RedrivePolicy") is None


@for_every_variant
def test_the_worker_gets_batches_of_bells_and_reports_those_that_failed(stack: Stack) -> None:
    source = mapping(stack)
    assert references(source.get("EventSourceArn")) == {BELLS}
    assert is_alias(stack, source.get("FunctionName"))
    assert WORKER in stack.dependencies_of(source)
    assert int(source.get("BatchSize")) == 10
    assert int(source.get("MaximumBatchingWindowInSeconds", 0)) == 0, "a bell rings at once"
    assert source.get("FunctionResponseTypes") == ["ReportBatchItemFailures"]
    assert str(source.get("Enabled", True)).lower() == "true"


@for_every_variant
def test_no_bell_is_throttled_by_the_concurrency_of_the_worker(stack: Stack) -> None:
    # A throttled delivery counts as a receive, so bells would become dead letters.
    most = int(mapping(stack).get("ScalingConfig.MaximumConcurrency"))
    assert 2 <= most <= 4
    limit = stack.resources[WORKER].get("ReservedConcurrentExecutions")
    assert limit is None or most <= int(limit)


@for_every_variant
def test_the_address_of_the_queue_reaches_exactly_the_functions_that_ring(stack: Stack) -> None:
    ringing = functions_with("medianest.jobs.bell")
    assert WORKER in ringing
    found = {each.id: environment(each).get(VARIABLE) for each in functions(stack)}
    assert {name for name, value in found.items() if value is not None} == ringing
    assert all(found[name] == {"Ref": BELLS} for name in ringing)


@for_every_variant
def test_only_functions_that_ring_may_send_bells_and_only_the_worker_receives(stack: Stack) -> None:
    ringing = {role(stack, each).id for each in functions(stack) if VARIABLE in environment(each)}
    assert allowed(stack, BELLS, "sqs:SendMessage") == ringing
    worker = role(stack, stack.resources[WORKER]).id
    for queue in stack.of("AWS::SQS::Queue"):
        receivers = {worker} if queue.id == BELLS else set()
        assert allowed(stack, queue.id, *POLLING) == receivers, queue
    assert {action for _, action, _ in grants(stack)} == {"sqs:SendMessage", *POLLING}
    # A policy of the queue itself would let others in.
    assert stack.of("AWS::SQS::QueuePolicy") == []


@for_every_variant
def test_only_background_functions_and_schedules_may_leave_dead_letters(stack: Stack) -> None:
    asynchronous = {
        role(stack, stack.resources[name]).id
        for each in stack.of("AWS::Lambda::EventInvokeConfig")
        for name in references(each.get("FunctionName"))
        if stack.resources[name].type == "AWS::Lambda::Function" and each.get("DestinationConfig")
    }
    schedules = {
        name
        for each in stack.of("AWS::Scheduler::Schedule")
        for name in references(each.get("Target.RoleArn"))
    }
    assert allowed(stack, "DeadLetters", "sqs:SendMessage") == asynchronous | schedules
    # SQS itself moves a bell there.
    assert allowed(stack, "BellDeadLetters", "sqs:SendMessage") == set()


@for_every_variant
def test_functions_that_call_servers_reach_their_ports_and_the_data_only(stack: Stack) -> None:
    groups = [each for each in stack.of("AWS::EC2::SecurityGroup") if each.id == SERVERS_GROUP]
    if not groups:
        assert stack.of("AWS::EC2::VPC") == []
        return
    (group,) = groups
    ports = {
        (rule["IpProtocol"], int(rule["FromPort"]), int(rule["ToPort"]))
        for rule in group.get("SecurityGroupEgress")
        if {"CidrIp", "CidrIpv6"} & rule.keys()
    }
    assert ports == {("tcp", 443, 443), ("tcp", 1024, 65535)}
    assert group.get("SecurityGroupIngress") is None
    # The guard is the way to an address that a person typed.
    users = {
        each.id
        for each in functions(stack)
        if group.id in references(each.get("VpcConfig.SecurityGroupIds", []))
    }
    assert users == functions_with("medianest.core.guard")
