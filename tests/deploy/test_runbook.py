"""Each alarm has a section in docs/operations.md, and each alarm section has an alarm."""

import re

from tests.support.cloudformation import ROOT
from tests.support.stacks import all_stacks

SECTIONS = re.findall(
    r"^### Alarm: (\S+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE
)


def alarms() -> set[str]:
    """Return the names of all alarms and of the budget, without the stack's name as prefix."""
    made = [each for stack in all_stacks().values() for each in stack.resources.values()]
    names = {
        each.get("AlarmName").removeprefix("medianest-")
        for each in made
        if each.type == "AWS::CloudWatch::Alarm"
    }
    return names | {each.id for each in made if each.type == "AWS::Budgets::Budget"}


def is_about(section: str, alarm: str) -> bool:
    """Return whether a section is about an alarm or its group: `throttles` of `throttles-auth`."""
    return alarm == section or alarm.startswith(f"{section}-")


def test_each_alarm_has_one_section() -> None:
    for alarm in alarms():
        assert len([each for each in SECTIONS if is_about(each, alarm)]) == 1, alarm


def test_each_section_is_about_an_alarm() -> None:
    assert len(set(SECTIONS)) == len(SECTIONS)
    for section in SECTIONS:
        assert any(is_about(section, alarm) for alarm in alarms()), section
