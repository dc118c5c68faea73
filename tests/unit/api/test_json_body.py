"""Strict JSON: no ambiguous documents, and no value that PostgreSQL cannot store."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.api.json_body import MalformedJsonError, parse_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffd"))
_STORABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXT, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "A key occurs twice"),
        (b'{"a":1,"a":1}', "A key occurs twice"),
        (b'{"a":1,"\\u0061":2}', "A key occurs twice"),
        (b'{"x":{"a":1,"a":2}}', "A key occurs twice"),
        (b'[[{"y":[{"a":1,"b":2,"a":3}]}]]', "A key occurs twice"),
        (b"NaN", "NaN is not JSON"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"1e400", r"\S"),
        (b'{"a":-1e999}', r"\S"),
        (b"9" * 400 + b".0", r"\S"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
        (b'[{"a":' * 10_000, "nested too deeply"),
        (b"9" * 5000, "too many digits"),
        (b"-" + b"9" * 5000, "too many digits"),
        (b'{"a":' + b"1" * 5000 + b"}", "too many digits"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"a":["\\udfff"]}', "lone surrogate"),
        (b'{"\\ud800":1}', "lone surrogate"),
        (b'"\\ude00\\ud83d"', "lone surrogate"),
        (b'"\xed\xa0\x80"', "not valid UTF-8"),
        (b'"\\u0000"', "NUL"),
        (b'{"a":{"b":"x\\u0000y"}}', "NUL"),
        (b'{"\\u0000":1}', "NUL"),
        ('"caf\ufffd"'.encode(), "not valid UTF-8"),
        (b'{"caf\\ufffd":1}', "not valid UTF-8"),
        (b'"\0"', "not valid JSON"),
        (b'"\xff"', "not valid UTF-8"),
        (b'"\xc0\x80"', "not valid UTF-8"),
        (b'"caf\xe9"', "not valid UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not valid UTF-8"),
        ('{"a":1}'.encode("utf-16-be"), "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"   ", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b'{"a":1}x', "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"01", "not valid JSON"),
        (b"+1", "not valid JSON"),
        (b"1_0", "not valid JSON"),
        (b"// c\n{}", "not valid JSON"),
        ("٣".encode(), "not valid JSON"),
        ("[1٣]".encode(), "not valid JSON"),
        (b'"a\nb"', "not valid JSON"),
        (b'"\\x41"', "not valid JSON"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_invalid_json_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedJsonError, match=reason):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b"[]", []),
        (b"null", None),
        (b"true", True),
        (b"-0", 0),
        (b"42", 42),
        (b"1.5e3", 1500.0),
        (b"1e308", 1e308),
        (b'""', ""),
        (b' \t\r\n{"a" : 1}\n', {"a": 1}),
        (b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}', {"a": {"a": {"a": 1}}, "b": [{"a": 1}] * 2}),
        (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
        (b'"\\\\u0000"', "\\u0000"),
        (b'{"\\\\ud800":"\\\\u0000"}', {"\\ud800": "\\u0000"}),
        (b'"NaN and Infinity"', "NaN and Infinity"),
        (b'"\\ud83d\\ude00"', "😀"),
        ('"日本 😀"'.encode(), "日本 😀"),
        (b'"\\u0001\\u001f"', "\x01\x1f"),
        (b"9" * 4000, int("9" * 4000)),
        (b"[" * 100 + b"]" * 100, json.loads("[" * 100 + "]" * 100)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_valid_json_is_accepted(body: bytes, value: Any) -> None:
    parsed = parse_json(body)
    assert parsed == value
    assert type(parsed) is type(value)


@given(_STORABLE, st.booleans())
def test_json_is_parsed_to_the_value_that_was_encoded(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(
    st.binary()
    | st.text('{}[]",:0123456789eE+-.\\uadf tnrlsNIy\0é').map(str.encode)
    | st.lists(
        st.sampled_from(
            [b'{"a":', b'"a":', b"[", b"]", b"}", b",", b"1e999", b'"\\u0000"', b'"\\ud800"', b"1"]
        )
    ).map(b"".join)
)
def test_any_bytes_are_refused_or_parsed_to_storable_values(body: bytes) -> None:
    try:
        value = parse_json(body)
    except MalformedJsonError:
        return
    stored = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    assert b"\0" not in stored
    assert parse_json(stored) == value
