"""The README's tables against the template and the settings."""

import re

from medianest.core.config import Settings
from tests.support.api import ROOT, ROUTES, TEMPLATE

README = (ROOT / "README.md").read_text()


def test_route_table_is_the_templates() -> None:
    listed = re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/[^`]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == ROUTES


def test_configuration_table_is_the_settings() -> None:
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert listed == {name.upper() for name in Settings.model_fields} | {"PORT"}


def test_every_schedule_is_named() -> None:
    for name in TEMPLATE.schedules:
        assert f"`{name}`" in README or f"SCHEDULE={name}" in README
