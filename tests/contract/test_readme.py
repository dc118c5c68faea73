"""The README's tables agree with the template and the environment variables."""

import re

from medianest.core.variables import Environment
from tests.support.api import ROOT, ROUTES, TEMPLATE
from tools.docs.environment import required_by

README = (ROOT / "README.md").read_text()


def test_route_table_equals_the_routes_of_the_template() -> None:
    listed = re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/[^`]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == ROUTES, "run `make docs`, which writes the table"


def test_configuration_table_has_the_required_and_no_unknown_variables() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?(.*?)`? \|", README, re.MULTILINE))
    assert {"PORT", *required_by()} <= rows.keys()
    defaults = {name.upper(): field.default for name, field in Environment.model_fields.items()}
    for name in rows.keys() - {"PORT", "LOG_FORMAT"}:
        documented = rows[name]
        if defaults[name] is not None:
            assert documented == defaults[name]


def test_every_schedule_is_named() -> None:
    for name in TEMPLATE.schedules:
        is_named = f"`{name}`" in README or f"SCHEDULE={name}" in README
        assert is_named, f"add {name} to the schedules in README.md"
