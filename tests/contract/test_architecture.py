"""docs/architecture.md and its picture show the functions, the queue and the layers of the code."""

import re
import tomllib

from tests.support.api import ROOT, TEMPLATE
from tools.docs.events import kebab

PAGE = (ROOT / "docs/architecture.md").read_text()
PICTURE = (ROOT / "docs/architecture.svg").read_text()
TITLES = set(re.findall(r'class="title"[^>]*>([^<]+)<', PICTURE))


def name_of(function: str) -> str:
    return kebab(function.removesuffix("Function"))


def test_the_picture_has_every_function_that_a_route_a_schedule_or_a_queue_starts() -> None:
    started = {route.target for route in TEMPLATE.routes if isinstance(route.target, str)}
    started |= {each.function for each in TEMPLATE.schedules.values()}
    started |= {each.function for each in TEMPLATE.event_sources}
    assert {name_of(each) for each in started} <= TITLES


def test_the_picture_has_the_services_that_the_functions_use() -> None:
    assert TEMPLATE.event_sources, "the picture shows a queue"
    assert {"API Gateway", "EventBridge", "SQS", "PostgreSQL", "Valkey"} <= TITLES
    assert {"plex.tv", "TMDB", "Radarr, Sonarr"} <= TITLES


def test_the_page_and_the_readme_describe_the_picture_in_the_same_words() -> None:
    (in_page,) = re.findall(r"!\[([^]]+)\]\(architecture\.svg\)", PAGE)
    (in_readme,) = re.findall(
        r"!\[Architecture: ([^]]+)\]\(docs/architecture\.svg\)", (ROOT / "README.md").read_text()
    )
    assert in_page.lower() == in_readme.lower()


def test_the_page_names_every_function() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    missing = {name for name in folders if f"`{name}`" not in PAGE}
    assert missing == set()


def test_the_table_of_layers_equals_the_import_rules() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in rules["contracts"] if each["type"] == "layers"]
    table = PAGE.partition("| Layer | Purpose |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    listed = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    assert listed == [set(layer.split(" | ")) for layer in layers]


def test_the_table_of_local_has_every_part() -> None:
    table = PAGE.partition("| Part of `local/` | Purpose |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([\w.]+)/?`", row)}
    parts = {
        path.name
        for path in (ROOT / "local").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert listed == parts - {"__init__.py"}
