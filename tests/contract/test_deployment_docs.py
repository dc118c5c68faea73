"""The pages about deployment and operations agree with the template and the code."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from medianest.core.error_codes import ErrorCode
from tests.support.api import TEMPLATE
from tests.support.bounded import LIMITS
from tests.support.cases import case
from tests.support.cloudformation import ROOT, template
from tests.support.stacks import all_stacks
from tools.docs.routes import served_routes

PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "events/README.md"]
DEPLOY, OPERATIONS, TROUBLESHOOTING, SAM_LOCAL = (
    (ROOT / "docs" / name).read_text()
    for name in ("deploy.md", "operations.md", "troubleshooting.md", "sam-local.md")
)
CHECKED_PAGES = {
    "deploy.md": DEPLOY,
    "operations.md": OPERATIONS,
    "troubleshooting.md": TROUBLESHOOTING,
    "sam-local.md": SAM_LOCAL,
}
RESOURCES: Mapping[str, Any] = template()["Resources"]
# Arguments of the AWS command line that look like parameters of the template.
NOT_PARAMETERS = {"MaxCapacity", "MinCapacity", "Name", "SecondsUntilAutoPause", "Start", "Type"}


def alarms() -> dict[str, str]:
    """Return the name of each alarm without the stack's name, by the alarm's id."""
    names = {
        name: each["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for name, each in RESOURCES.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    budgets = [name for name, each in RESOURCES.items() if each["Type"] == "AWS::Budgets::Budget"]
    return names | {name: name for name in budgets}


def sections() -> dict[str, str]:
    """Return the runbook's sections by their alarm or group of alarms."""
    parts = re.split(r"^#{2,3} (.+)$", OPERATIONS, flags=re.MULTILINE)
    titles = zip(parts[1::2], parts[2::2], strict=True)
    prefix = "Alarm: "
    runbooks = [(title.removeprefix(prefix), text) for title, text in titles if prefix in title]
    assert len(dict(runbooks)) == len(runbooks), "two sections about one alarm"
    return dict(runbooks)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub generates for a page's headings."""
    titles = re.findall(r"^#{1,6} (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if not target.startswith("http"):
                yield page, target


def test_each_error_code_has_a_cause_a_remedy_and_a_command() -> None:
    for code in ErrorCode:
        with case(code):
            (row,) = re.findall(rf"^\| `{code}` \|(.*)\|$", TROUBLESHOOTING, flags=re.MULTILINE)
            cause, remedy, command = (each.strip() for each in re.split(r"(?<!\\)\|", row))
            assert cause
            assert remedy
            assert re.fullmatch(r"`.+`", command)


def test_each_alarm_has_a_runbook() -> None:
    for name in alarms().values():
        with case(name):
            (kind,) = (each for each in sections() if name == each or name.startswith(f"{each}-"))
            text = sections()[kind]
            assert kind == name or f"`{name}`" in text
            assert re.search(r"^    \w", text, flags=re.MULTILINE), "add a first command"
            assert re.search(r"ignore", text, flags=re.IGNORECASE), "say when to ignore the alarm"


def test_each_runbook_has_an_alarm() -> None:
    names = alarms().values()
    for kind in sections():
        assert any(name == kind or name.startswith(f"{kind}-") for name in names), kind


def test_old_versions_of_each_function_with_snapshots_are_deleted() -> None:
    # The snapshots of a version cost money until it is deleted.
    (listed,) = re.findall(r"for each in ([\w ]+); do\n      function=", OPERATIONS)
    functions = all_stacks()["scale with all options"].of("AWS::Lambda::Function")
    with_snapshots = {
        each.id.removesuffix("Function")
        for each in functions
        if each.get("SnapStart.ApplyOn", "None") != "None"
    }
    assert with_snapshots
    assert with_snapshots <= set(listed.split())


def test_pages_agree_on_the_connections_of_the_other_functions() -> None:
    (capacity,) = re.findall(r"`HealthConcurrency` \+ (\d+) \(", OPERATIONS)
    (alarm,) = re.findall(r"sum of the five concurrency limits \+ (\d+)\.", OPERATIONS)
    stack = all_stacks()["hobby and concurrency limits"]
    others = sum(
        int(each.get("ReservedConcurrentExecutions"))
        for each in stack.of("AWS::Lambda::Function")
        if "DATABASE_URL" in each.get("Environment.Variables", {})
    ) - sum(map(int, LIMITS.values()))
    assert int(capacity) == int(alarm) == others


@pytest.mark.parametrize("page", CHECKED_PAGES)
def test_parameters_in_commands_exist(page: str) -> None:
    assigned = (
        set(re.findall(r"(?<![\w,.-])([A-Z][a-z]\w*)=(?!=)", CHECKED_PAGES[page])) - NOT_PARAMETERS
    )
    assert assigned <= template()["Parameters"].keys()


def test_each_parameter_is_explained() -> None:
    for name in template()["Parameters"]:
        assert re.search(rf"\b{name}\b", DEPLOY), name


@pytest.mark.parametrize("page", CHECKED_PAGES)
def test_resources_in_commands_exist(page: str) -> None:
    known = set(RESOURCES)
    for name, each in RESOURCES.items():
        known |= {name + event for event in each.get("Properties", {}).get("Events", {})}
    for resource in re.findall(r"name_of ([\w${}]+)", CHECKED_PAGES[page]):
        # The variable of a loop matches any name.
        pattern = re.sub(r"\$\{?each\}?", r"\\w+", resource)
        assert any(re.fullmatch(pattern, name) for name in known), resource


@pytest.mark.parametrize("page", CHECKED_PAGES)
def test_named_outputs_exist(page: str) -> None:
    listed = re.findall(r"outputs? ((?:`\w+`(?: and )?)+)", CHECKED_PAGES[page])
    for name in re.findall(r"`(\w+)`", " ".join(listed)):
        assert name in template()["Outputs"]


@pytest.mark.parametrize("page", CHECKED_PAGES)
def test_named_log_groups_exist(page: str) -> None:
    known = {
        each["Properties"]["LogGroupName"]["Fn::Sub"].rpartition("/")[2]
        for each in RESOURCES.values()
        if each["Type"] == "AWS::Logs::LogGroup"
    }
    named = re.findall(r"(?<!\w)/(?:medianest|\$STACK)/([a-z]+)", CHECKED_PAGES[page])
    named += re.findall(r"\binsights ([a-z]+) '", CHECKED_PAGES[page])
    assert set(named) <= known


def test_capacity_table_equals_the_alarm_thresholds_of_the_template() -> None:
    listed: dict[str, int] = {}
    for names, alarm, environments in re.findall(
        r"^\| (db\.[^|]+) \| (\d+) \| (\d+) \|$", OPERATIONS, flags=re.MULTILINE
    ):
        assert int(environments) == int(alarm) * 5 // 4 - 22
        listed |= dict.fromkeys(names.split(", "), int(alarm))
    mapping = template()["Mappings"]["DatabaseConnections"]
    assert listed == {name: each["Alarm"] for name, each in mapping.items()}


def test_each_link_has_a_target() -> None:
    for page, target in links():
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), (page.name, target)
        if anchor:
            assert anchor in anchors(file), (page.name, target)


def test_each_function_with_routes_is_among_those_whose_logs_are_searched() -> None:
    loops = re.findall(r"for each in ([a-z ]+); do aws logs tail", TROUBLESHOOTING)
    assert len(loops) == 2
    for folders in loops:
        assert {each.folder for each in served_routes(TEMPLATE)} <= set(folders.split())


@pytest.mark.parametrize("page", CHECKED_PAGES)
def test_python_in_commands_compiles(page: str) -> None:
    for program in re.findall(r"python3 -c '([^']+)'", CHECKED_PAGES[page]):
        compile(program, page, "exec")
