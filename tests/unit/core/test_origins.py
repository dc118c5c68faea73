"""The origin of the page, and the proof of its distribution."""

import json
import secrets

import pytest

from medianest.core.origins import origin_of, proofs, same_page

OLD, NEW = "old-" + "a1B2" * 8, "new-" + "c3D4" * 8


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://media.example.org", "https://media.example.org"),
        ("https://Media.Example.org:443", "https://media.example.org"),
        ("https://media.example.org:8443", "https://media.example.org:8443"),
        ("http://127.0.0.1:3001", "http://127.0.0.1:3001"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:3001", "http://[::1]:3001"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "media.example.org",
        "https://media.example.org/",
        "https://media.example.org/app",
        "https://media.example.org?x=1",
        "https://user@media.example.org",
        "https://",
        "https://media.example.org:port",
        "http://media.example.org",
        "http://127.0.0.2:3001",
        "http://localhost.example.org",
        "http://127.0.0.1:3001/",
        "ftp://127.0.0.1",
        "null",
        "*",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must (be an origin|start with https://)"):
        origin_of(url)


def test_a_local_page_has_an_origin_for_each_name_of_the_machine() -> None:
    names = {"http://127.0.0.1:3001", "http://localhost:3001", "http://[::1]:3001"}
    for origin in names:
        assert same_page(origin) == names
    assert same_page("http://localhost") == {"http://127.0.0.1", "http://localhost", "http://[::1]"}
    for origin in ("https://media.example.org", "https://localhost.example.org:3001"):
        assert same_page(origin) == {origin}


def test_a_proof_is_one_value_or_two_while_it_rotates() -> None:
    assert proofs(OLD) == (OLD,)
    assert proofs(json.dumps({"send": NEW, "accept": [OLD]})) == (NEW, OLD)
    assert proofs(json.dumps({"send": NEW, "accept": []})) == (NEW,)
    assert proofs(json.dumps({"send": NEW})) == (NEW,)
    for value in (secrets.token_hex(32), secrets.token_urlsafe(48), "x" * 32):
        assert proofs(value) == (value,)


@pytest.mark.parametrize(
    "secret",
    [
        "x" * 31,
        "x" * 1001,
        "é" * 32,
        f"{OLD} {NEW}",
        f"{OLD}\n",
        "{",
        "{}",
        '{"send": 5}',
        '{"send": null, "accept": []}',
        json.dumps({"send": NEW, "accept": ["short"]}),
        json.dumps({"send": NEW, "accept": OLD}),
        json.dumps({"send": NEW, "accept": [OLD, OLD + "x"]}),
        json.dumps({"accept": [OLD]}),
    ],
)
def test_a_weak_or_malformed_proof_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^must (be a value|have at most 2 values)") as caught:
        proofs(secret)
    assert not any(value in str(caught.value) for value in (OLD, NEW, "x" * 31))
