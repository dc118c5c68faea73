"""Core is independent of the domains: no word of a domain occurs in its code or comments."""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.api import ROOT

CORE = ROOT / "layers/shared/python/medianest/core"
# Words in the singular. "request" is missing, because core handles HTTP requests.
DOMAINS: Mapping[str, frozenset[str]] = {
    "audit": frozenset({"audit"}),
    "catalog": frozenset(
        {"catalog", "catalogue", "film", "genre", "movie", "poster", "tmdb", "tv"}
    ),
    "requests": frozenset({"approval", "idempotency", "quota", "requester", "season"}),
    "sessions": frozenset({"csrf", "session"}),
    "signin": frozenset({"login", "password", "plex", "signin"}),
    "stats": frozenset({"stat"}),
    "users": frozenset({"account", "admin", "role", "user", "username"}),
}
WORDS = frozenset().union(*DOMAINS.values())
PHRASES = frozenset({"media_request", "sign_in", "sign_out", "signed_in", "signed_out"})
# The product's name, an HTTP header and a variable of AWS contain such words by coincidence.
COINCIDENCES = re.compile("medianest|user[ _-]agent|AWS_SESSION_TOKEN", re.IGNORECASE)
# By design, these modules have data of all domains: the error codes, example ids and environment
# variables of the whole API.
EXEMPT_MODULES = frozenset({"error_codes.py", "examples.py", "variables.py"})
# PostgreSQL and Valkey have users and passwords, too.
CREDENTIAL_WORDS: Mapping[str, frozenset[str]] = {
    "addresses.py": frozenset({"login", "password", "user", "username"}),
    "db.py": frozenset({"password", "user"}),
    "db_failures.py": frozenset({"role"}),
    # The placeholder `password` is rejected as a signing key.
    "signing_keys.py": frozenset({"password"}),
}
_TEXT = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT, tokenize.FSTRING_MIDDLE}


def words_of(source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and words, lower-case singular, of each name, string and comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _TEXT:
            text = COINCIDENCES.sub(" ", token.string)
            # Split names in camel case into words.
            text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
            words = re.findall("[a-z]+", text.lower())
            yield token.start[0], [singular(word) for word in words]


def singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def domain_words(source: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Return the words of domains in a module, each with its line number."""
    findings = []
    for line, words in words_of(source):
        pairs = ["_".join(pair) for pair in pairwise(words)]
        findings += [f"{line}: {each}" for each in words if each in WORDS - allowed]
        findings += [f"{line}: {each}" for each in pairs if each in PHRASES]
    return findings


MODULES = sorted(path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py"))


@pytest.mark.parametrize("name", [name for name in MODULES if name not in EXEMPT_MODULES])
def test_core_has_no_word_of_a_domain(name: str) -> None:
    source = (CORE / name).read_text(encoding="utf-8")
    assert domain_words(source, CREDENTIAL_WORDS.get(name, frozenset())) == []


def test_every_exemption_is_needed() -> None:
    for name in EXEMPT_MODULES:
        assert domain_words((CORE / name).read_text(encoding="utf-8")), name
    for name, allowed in CREDENTIAL_WORDS.items():
        source = (CORE / name).read_text(encoding="utf-8")
        assert {each.split()[1] for each in domain_words(source)} == allowed, name


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("POLICIES = {'plex-pin': 5}\n", "plex"),
        ("_IDS = ('id', 'season_number')\n", "season"),
        ("class SignedInUser: ...\n", "user"),
        ("def films(): ...\n", "film"),
        ("# The sessions of a caller.\n", "session"),
        ('"""Retry a media request."""\n', "media_request"),
        ("message = f'{number} of your quotas'\n", "quota"),
        ("from medianest.audit import service\n", "audit"),
        ("raise ValueError('Sign in again')\n", "sign_in"),
    ],
)
def test_a_word_of_a_domain_is_found(tmp_path: Path, source: str, word: str) -> None:
    module = tmp_path / "core/mailer.py"
    module.parent.mkdir()
    module.write_text(f'"""Send mail."""\n\n{source}', encoding="utf-8")
    line = 3
    assert f"{line}: {word}" in domain_words(module.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "def request(media_type: str, user_agent: str) -> None: ...\n",
        "NAMESPACE = 'MediaNest'\n",
        "# A prepared statement would pin the client.\n",
        "token = os.environ['AWS_SESSION_TOKEN']\n",
    ],
)
def test_a_word_of_http_or_of_a_server_is_allowed(source: str) -> None:
    assert domain_words(source) == []
