"""A pytest plugin that fails a run in which a test named in docs/trust.md did not pass.

A test counts if it passed for at least one parameter set and was skipped for none. A run must
include the named tests of the files on its command line; without files, all named tests except
those under `artifact/`, which need a build.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

TRUST = Path(__file__).parents[2] / "docs/trust.md"
_NAMED = re.compile(r"`([\w/]+\.py)((?:::\w+){1,2})`")


def named(text: str) -> set[str]:
    """Return the ids of the tests named in a text."""
    return {f"tests/{file}{names}" for file, names in _NAMED.findall(text)}


def exists(test: str) -> bool:
    """Return whether the file of a test id defines that test."""
    file, *group, name = test.split("::")
    path = TRUST.parents[1] / file
    if not path.exists():
        return False
    source = path.read_text()
    if group:
        source = source.partition(f"class {group[0]}")[2]
        source = re.split(r"^class ", source, flags=re.MULTILINE)[0]
    return re.search(rf"def {name}\(", source) is not None


def missing(required: Iterable[str], passed: set[str], skipped: set[str]) -> list[str]:
    """Return the required tests that did not pass or were skipped."""
    return sorted(test for test in required if test not in passed or test in skipped)


class TrustPlugin:
    """Collect the passed tests and fail the run if a required one is missing."""

    def __init__(self, required: set[str]) -> None:
        self.required = required
        self.passed: set[str] = set()
        self.skipped: set[str] = set()
        self.missing_tests: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = report.nodeid.partition("[")[0]
        if report.skipped:
            self.skipped.add(test)
        elif report.when == "call" and report.passed:
            self.passed.add(test)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            self.missing_tests = missing(self.required, self.passed, self.skipped)
            if self.missing_tests:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.missing_tests:
            terminalreporter.section("docs/trust.md names tests that did not run and pass")
            for test in self.missing_tests:
                terminalreporter.line(test)


def required_tests(config: pytest.Config) -> set[str]:
    """Return the named tests that a run with this command line must include."""
    option = config.option
    if option.keyword or option.markexpr or option.collectonly or option.lf or option.deselect:
        return set()
    tests = named(TRUST.read_text())
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return {test for test in tests if not test.startswith("tests/artifact/")}
    return {test for test in tests if test.partition("::")[0] in config.args}
