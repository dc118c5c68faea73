"""Every text of the page exists in every language, and the page uses every text."""

import json
import re
from http import HTTPMethod
from pathlib import Path

import pytest

from medianest.core.error_codes import ErrorCode
from medianest.signin.schemas import LANGUAGES
from tests.support.api import ROOT
from tests.support.icu import arguments, stretched

WEB = ROOT / "web"


def locales(folder: Path) -> dict[str, dict[str, str]]:
    """Return the texts of a folder by their language."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


# The texts of the first pages, those of the other pages, and those of the administration.
FIRST = locales(WEB / "locales")
PARTS = [FIRST, locales(WEB / "locales/pages"), locales(WEB / "locales/admin")]
LOCALES = {
    language: {key: text for part in PARTS for key, text in part.get(language, {}).items()}
    for language in FIRST
}
ENGLISH = LOCALES["en"]
MODULES = {
    path: path.read_text(encoding="utf-8")
    for path in sorted(WEB.rglob("*.js"))
    if path.parent.name != "vendor"
}
SOURCE = "\n".join(MODULES.values())
# The modules of the sign-in page, of the start page, and of the page of an unknown path.
FIRST_MODULES = [
    *("app.js", "api.js", "i18n.js", "router.js", "pages/signin.js", "pages/home.js"),
    *("pages/not-found.js", "state/load.js", "state/plex-signin.js", "state/session.js"),
    *(
        f"components/{name}.js"
        for name in (
            *("badge", "button", "failure", "field", "frame", "icon", "language-choice"),
            *("poster", "title-card", "toasts"),
        )
    ),
]
FIRST_SOURCE = "\n".join(MODULES[WEB / path] for path in FIRST_MODULES)
OTHER_SOURCE = "\n".join(
    text
    for path, text in MODULES.items()
    if path.parent.name != "admin" and path.name not in {"admin.js", "dialog.js"}
)
MEDIANEST = ROOT / "layers/shared/python/medianest"
# Errors without an answer of the API.
OWN_ERRORS = {"OFFLINE", "TIMEOUT", "PAGE_ERROR"}


def used_keys(source: str) -> tuple[set[str], list[re.Pattern[str]]]:
    """Return the literals of a source that may be keys, and patterns of the composed ones."""
    literals = set(re.findall(r'"([A-Za-z][\w.]*)"', source))
    # `choices(prefix, values)` has the texts of a choice.
    prefixes = set(re.findall(r'\bchoices\(\s*"([^"]+)"', source))
    composed = re.findall(r"`([a-z][\w.]*\.(?:[\w.]|\$\{[^`}]*\})*)`", source)
    patterns = [
        ".+".join(re.escape(part) for part in re.split(r"\$\{[^}]*\}", each)) for each in composed
    ]
    patterns += [rf"{re.escape(each)}\.[^.]+" for each in prefixes]
    return literals, [re.compile(pattern) for pattern in patterns]


def unused(keys: set[str], source: str) -> set[str]:
    """Return the keys that no module uses."""
    literals, patterns = used_keys(source)
    rest = keys - literals
    return {key for key in rest if not any(pattern.fullmatch(key) for pattern in patterns)}


def missing(keys: set[str], source: str) -> set[str]:
    """Return the keys that a module asks for, and that do not exist."""
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"', source))
    for condition in re.findall(r'\bt\([^"`()]*\?([^(){}`]*)', source):
        asked |= set(re.findall(r'"([a-z][\w.]*)"', condition))
    _, patterns = used_keys("".join(re.findall(r"\bt\(`[^`]*`", source)))
    unknown = {each.pattern for each in patterns if not any(each.fullmatch(key) for key in keys)}
    return asked - keys | unknown


def test_english_and_german_exist() -> None:
    assert set(LOCALES) >= {"en", "de"}


def test_page_and_api_have_the_same_languages() -> None:
    declared = re.search(r"LANGUAGES = \{(.*)\}", MODULES[WEB / "i18n.js"])
    assert declared
    names = re.findall(r'(\w+): "', declared[1])
    assert sorted(names) == sorted(LANGUAGES) == sorted(LOCALES)


def test_each_text_is_in_one_part() -> None:
    for part in PARTS:
        assert set(part) == set(FIRST)
    for language, texts in LOCALES.items():
        assert len(texts) == sum(len(part[language]) for part in PARTS)


def test_a_page_has_its_texts_when_it_is_shown() -> None:
    first, pages, _ = (set(part["en"]) for part in PARTS)
    assert missing(first, FIRST_SOURCE) == set()
    assert missing(first | pages, OTHER_SOURCE) == set()


def test_the_page_uses_every_text() -> None:
    assert unused(set(ENGLISH), SOURCE) == set()


def test_every_text_that_the_page_uses_exists() -> None:
    assert missing(set(ENGLISH), SOURCE) == set()


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_a_language_has_the_texts_and_arguments_of_english(language: str) -> None:
    texts = LOCALES[language]
    assert set(texts) == set(ENGLISH)
    for part in PARTS:
        assert list(part[language]) == sorted(part[language]), (
            "keys are sorted, so that two languages compare easily"
        )
    different = {key for key in ENGLISH if arguments(texts[key]) != arguments(ENGLISH[key])}
    assert different == set()


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_texts_of_errors_belong_to_codes_of_the_api(language: str) -> None:
    texts = {key.removeprefix("error.") for key in LOCALES[language] if key.startswith("error.")}
    assert texts <= {code.value for code in ErrorCode} | OWN_ERRORS
    assert texts >= OWN_ERRORS


def failure_codes() -> set[str]:
    """Return the codes with which a call of a server, or a job, can fail."""
    files = [
        path
        for name in ("arr", "fulfilment", "jobs", "servers")
        for path in MEDIANEST.rglob(f"{name}/*.py")
    ]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    words = set(re.findall(r'"([A-Z]{2,}(?:_[A-Z]+)*)"', source))
    no_codes = {"AWS_LAMBDA_LOG_STREAM_NAME", *HTTPMethod}
    # A job also fails with the code of a call that looks the title up.
    return words - no_codes | {ErrorCode.CATALOG_UNAVAILABLE.value}


def test_every_failure_of_a_server_or_a_job_has_a_text() -> None:
    texts = {key.removeprefix("arr.") for key in ENGLISH if key.startswith("arr.")}
    assert texts == failure_codes()


def test_the_reasons_for_a_requester_are_failures_and_one_for_all_others() -> None:
    prefix = "fulfilment.reason."
    texts = {key.removeprefix(prefix) for key in ENGLISH if key.startswith(prefix)}
    named = re.search(r"REASONS = (\[.*\])", MODULES[WEB / "components/fulfilment.js"])
    assert named
    assert texts == {*json.loads(named[1]), "other"}
    assert texts - {"other"} <= failure_codes()


def test_missing_and_unused_texts_are_found() -> None:
    source = 't("a.b"); t(on ? "a.c" : "a.d", {}); t(`e.${x}.f`); t(`g.${x}`); choices("c", C);'
    source += 'const key = "h.i";'
    assert missing({"a.b", "e.1.f", "h.i"}, source) == {"a.c", "a.d", r"g\..+"}
    assert unused({"a.b", "a.x", "c.1", "e.1.f", "e.1", "h.i"}, source) == {"a.x", "e.1"}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Text", set()),
        ("{name} and {n, number}", {"name:value", "n:number"}),
        ("{n, plural, offset:1 =0 {none} other {# of {all}}}!", {"n:plural", "all:value"}),
        (
            "{k, select, movie {film} other {{n, plural, one {a} other {b}}}}",
            {"k:select", "n:plural"},
        ),
        ("it''s '{quoted}' {x}", {"x:value"}),
    ],
)
def test_arguments_of_a_message_are_read(message: str, found: set[str]) -> None:
    assert arguments(message) == found


def test_only_the_words_of_a_message_are_stretched() -> None:
    message = "Go, {name}: {n, plural, =0 {none} one {# film} other {# films}}"
    assert stretched(message) == (
        "Gøo, {name}: {n, plural, =0 {nonøøe} one {# filøøm} other {# filmøøøs}}"
    )
    assert arguments(stretched(message)) == arguments(message)
