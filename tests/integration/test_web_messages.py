"""The vendored module formats messages in ICU syntax, and refuses those that are wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.icu import arguments
from tools.web.node import node
from tools.web.vendor import MODULE, WEB

_RUN = """
import {{ compile }} from {module};
const results = [];
for (const [message, locale, values] of {calls}) {{
  try {{
    results.push(compile(message, locale)(values));
  }} catch (error) {{
    results.push(String(error));
  }}
}}
console.log(JSON.stringify(results));
"""


def formatted(folder: Path, *calls: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """Return the parts of each message, or its error as text."""
    script = folder / "run.mjs"
    module = folder / "modules.mjs"
    module.write_bytes(MODULE.read_bytes())
    names = {"module": json.dumps(module.as_uri()), "calls": json.dumps(calls)}
    script.write_text(_RUN.format(**names), encoding="utf-8")
    done = node(script)
    assert done.returncode == 0, done.stderr
    results: list[Any] = json.loads(done.stdout)
    return results


FILMS = "{n, plural, =0 {none} one {# film} other {# films}}"
KIND = "{kind, select, movie {a film} other {{n, plural, one {a show} other {shows}}}}"


def test_messages_are_formatted(tmp_path: Path) -> None:
    cases: list[tuple[str, str, dict[str, Any], str]] = [
        ("Text", "en", {}, "Text"),
        ("It''s '{'{name}'}'", "en", {"name": "<b>"}, "It's {<b>}"),
        ("{n}", "de", {"n": 1234.5}, "1.234,5"),
        ("{n, number}", "en", {"n": 1234}, "1,234"),
        (FILMS, "en", {"n": 0}, "none"),
        (FILMS, "en", {"n": 1}, "1 film"),
        (FILMS, "en", {"n": 2000}, "2,000 films"),
        (FILMS, "de", {"n": 2000}, "2.000 films"),
        (KIND, "en", {"kind": "movie", "n": 2}, "a film"),
        (KIND, "en", {"kind": "constructor", "n": 2}, "shows"),
        ("# {n, plural, other {'#' of #}}", "en", {"n": 3}, "# # of 3"),
    ]
    results = formatted(tmp_path, *[(each[0], each[1], each[2]) for each in cases])
    assert ["".join(each) for each in results] == [each[3] for each in cases]


def test_the_parts_keep_their_values(tmp_path: Path) -> None:
    assert formatted(tmp_path, ("By {who}.", "en", {"who": {"type": "b"}})) == [
        ["By ", {"type": "b"}, "."]
    ]


WRONG = [
    "{",
    "}",
    "{}",
    "{n",
    "{n,}",
    "{n, plural}",
    "{n, plural, one {x}}",
    "{n, plural, oen {x} other {y}}",
    "{n, plural, offset:1 other {x}}",
    "{n, selectordinal, other {x}}",
    "{n, select, movie {x}}",
    "{n, number, percent}",
    "{n, date}",
    "{n, nonsense}",
    "{n, nonsense, other {x}}",
    "{n, plural, other {{m, date}}}",
    "{n, plural, other {x}",
    "{missing}",
]


def test_wrong_messages_are_refused(tmp_path: Path) -> None:
    results = formatted(tmp_path, *[(each, "en", {"n": 1}) for each in WRONG])
    assert [
        each for each, result in zip(WRONG, results, strict=True) if isinstance(result, list)
    ] == []


@pytest.mark.parametrize(
    "path",
    sorted((WEB / "locales").rglob("*.json")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_every_text_of_the_page_can_be_formatted(tmp_path: Path, path: Path) -> None:
    texts = json.loads(path.read_text(encoding="utf-8"))
    values = {each.partition(":")[0]: 2 for text in texts.values() for each in arguments(text)}
    assert len(values) > 5
    results = formatted(tmp_path, *[(text, path.stem, values) for text in texts.values()])
    assert [result for result in results if not isinstance(result, list)] == []
