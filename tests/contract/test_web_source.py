"""The page's own files use nothing that its policy forbids or that Safari 14 lacks."""

import re

import pytest

from tests.support.api import ROOT

WEB = ROOT / "web"
FILES = sorted(
    path
    for pattern in ("*.js", "*.css", "*.html")
    for path in WEB.rglob(pattern)
    if path.parent.name != "vendor"
)
# Text from outside never becomes markup or code; the policy forbids inline styles and scripts.
UNSAFE = (
    r"\binnerHTML\b|\bouterHTML\b|\binsertAdjacentHTML\b|\bdangerouslySetInnerHTML\b",
    r"\bdocument\.write|\bcreateContextualFragment\b|\bDOMParser\b|\bsrcdoc\b",
    r"\beval\s*\(|\bFunction\s*\(|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]",
    r"\bstyle\s*=|\.style\b|(?<!-)\bstyle: |<style\b|\bcssText\b",
    r"<script(?![^>]*\bsrc=)|\bon[a-z]+=\"|javascript:|\bdata:[a-z]+/",
    r"https?://(?!www\.w3\.org/)",
)
# Of the DOM; `make lint-web` checks the syntax, the language's own objects and the styles.
TOO_NEW = (
    r"\bstructuredClone\b|\brandomUUID\(|\bBroadcastChannel\b|\bnavigator\.locks\b",
    r"\bAbortSignal\.(?:timeout|any)\b|\bthrowIfAborted\b|\brequestIdleCallback\b",
    r"\bshowModal\b|\bshowPopover\b|\bstartViewTransition\b|\bscrollend\b|\bnavigation\.(?:navigate|add)",
    r"\breportError\b|\brequestSubmit\b|\bURL\.canParse\b|\buserAgentData\b|\bwakeLock\b",
    r"\(\?<[=!]",
)


def findings(text: str, patterns: tuple[str, ...]) -> list[str]:
    """Return what a text has that a pattern forbids."""
    return [match.group() for pattern in patterns for match in re.finditer(pattern, text)]


def test_no_file_uses_a_forbidden_word() -> None:
    for path in FILES:
        assert findings(path.read_text(encoding="utf-8"), UNSAFE + TOO_NEW) == [], path


@pytest.mark.parametrize(
    "text",
    [
        "element.innerHTML = name",
        "<${Card} dangerouslySetInnerHTML=${{ __html: name }} />",
        "new Function(code)",
        "setTimeout('run()', 3)",
        '<p style="color: red">',
        "<p style=${style}>",
        "h('p', { style: 'color: red' })",
        "element.style.width = width",
        "<script>run()</script>",
        '<a href="javascript:run()">',
        '<button onclick="run()">',
        "import('https://example.org/a.js')",
        "crypto.randomUUID()",
        "dialog.showModal()",
        "/(?<=a)b/",
    ],
)
def test_a_forbidden_word_is_found(text: str) -> None:
    assert len(findings(text, UNSAFE + TOO_NEW)) == 1


def test_every_file_is_short_enough_to_read() -> None:
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, path


def test_every_import_names_a_file_that_exists() -> None:
    missing = [
        f"{path.relative_to(WEB)}: {name}"
        for path in FILES
        if path.suffix == ".js"
        for name in re.findall(r"(?:from|import\() ?\"(\.[^\"]+)\"", path.read_text())
        if not any((path.parent / f"{name}{end}").is_file() for end in ("", ".d.ts"))
    ]
    assert missing == []
