"""Text: cleaning, and comparison of different spellings."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.core.text import clean, clean_lines, fold, has_controls, name_key, normalize

FAMILY = "👩‍👩‍👧‍👦"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jean\u00a0Paul", "Jean Paul"),
        ("Ann\u2003Lee", "Ann Lee"),
        ("東京\u3000太郎", "東京 太郎"),
        ("one\ttwo\r\nthree", "one two  three"),
        ("a\u2028b", "a b"),
        (" \u00a0 Jürgen\u2009", "Jürgen"),
        ("Ju\u0308rgen", "Jürgen"),
        ("bell\x07 and \x9f", "bell and"),
        ("lone \ud800surrogate", "lone surrogate"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        (f"The {FAMILY} club", f"The {FAMILY} club"),
        (f"{ENGLAND} fan", f"{ENGLAND} fan"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\u200dab\u200c", "ab"),
        ("a\u200c b \u200dc", "a b c"),
        ("a\u200d\u200db", "a\u200db"),
        ("admin\u202enimda", "adminnimda"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\x00\u200b \ud83d", ""),
    ],
)
def test_clean_keeps_the_characters_of_a_name(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_can_be_stored_and_is_not_changed_again(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert cleaned == clean(cleaned) == cleaned.strip()
    assert not {unicodedata.category(each) for each in cleaned} & {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. \r\n\r\n Two.\rThree.", "One.\n\nTwo.\nThree."),
        ("One.\u2028Two.\u2029Three.", "One.\nTwo.\nThree."),
        ("\n\n One\ttwo \n", "One two"),
        ("\u200b\n \x07", ""),
    ],
)
def test_clean_lines_keeps_line_breaks(text: str, expected: str) -> None:
    assert clean_lines(text) == expected


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_lines_are_clean_and_are_not_changed_again(text: str) -> None:
    cleaned = clean_lines(text)
    cleaned.encode()
    assert cleaned == clean_lines(cleaned) == cleaned.strip()
    assert all(clean(line) == line for line in cleaned.split("\n"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Jürgen", " JU\u0308RGEN "),
        ("ｂｏｂ", "BOB"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ann\u00a0 Lee", "ann lee"),
        ("ﬁlm", "FILM"),
    ],
)
def test_fold_makes_spellings_of_one_name_equal(first: str, second: str) -> None:
    assert fold(first) == fold(second)


@pytest.mark.parametrize(("first", "second"), [("bob", "bobb"), ("ı", "i"), ("ann lee", "annlee")])
def test_fold_keeps_different_names_apart(first: str, second: str) -> None:
    assert fold(first) != fold(second)


@given(st.text())
def test_folded_text_is_not_changed_again(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_key_fits_into_an_index_entry(text: str) -> None:
    assert len(name_key(text).encode()) <= 1000
    assert fold(text).startswith(name_key(text))


def test_a_key_of_text_that_folds_into_a_long_text_is_cut() -> None:
    assert len(fold("\ufdfa" * 200).encode()) > 5000
    assert 990 < len(name_key("\ufdfa" * 200).encode()) <= 1000


def test_normalized_text_is_trimmed_and_composed() -> None:
    assert normalize("\u00a0 e\u0301te\u0301 \n") == "été"


@pytest.mark.parametrize(
    ("text", "expected"), [("a\x07b", True), ("a\ud800", True), ("a\tb", False), ("👩‍👩", False)]
)
def test_control_characters_are_distinguished_from_spaces_and_joiners(
    text: str, expected: bool
) -> None:
    assert has_controls(text) is expected
