"""Normalisation of text from callers and upstreams: how to clean it, and how to compare it."""

import unicodedata

# Zero-width joiner and non-joiner: emoji sequences and words of many scripts need them.
_JOINERS = "\u200c\u200d"
# An index entry with two keys must fit into PostgreSQL's limit for B-trees of 2,704 bytes.
_MAX_KEY_BYTES = 1000
# Tag characters spell the flags of England, Scotland and Wales.
_TAGS = range(0xE0020, 0xE0080)


def clean(text: str) -> str:
    """Return text as one line that is safe in JSON, PostgreSQL and HTML, in NFC and trimmed.

    Any space, line break or tab becomes a plain space. Control characters, lone surrogates and
    invisible format characters (bidirectional overrides, zero-width spaces) are dropped. A joiner
    stays between two visible characters, because names of many scripts and emoji need it.
    """
    if text.isprintable():
        # Fast path for almost every text: visible characters and plain spaces only.
        return normalize(text)
    result: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category[0] == "Z":
            result.append(" ")
        elif category in {"Cc", "Cs"}:
            continue
        elif category != "Cf" or character in _JOINERS or ord(character) in _TAGS:
            result.append(character)
    return normalize("".join(_joined(result)))


def clean_lines(text: str) -> str:
    """Return text with each line cleaned; line breaks become newlines."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def normalize(text: str) -> str:
    """Return text trimmed and in NFC, where é is one character."""
    return unicodedata.normalize("NFC", text).strip()


def fold(text: str) -> str:
    """Return the form for comparing names: NFKC, case-folded, spaces collapsed.

    `Jürgen`, ` JU\N{COMBINING DIAERESIS}RGEN ` and full-width letters are equal. NFKC is
    applied twice, because case folding can break it (Unicode 16.0, section 3.13, D146).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def name_key(text: str) -> str:
    """Return the folded form of a name, truncated to fit into an index.

    Folding can turn one character into eighteen.
    """
    return fold(text).encode()[:_MAX_KEY_BYTES].decode(errors="ignore")


def has_controls(text: str) -> bool:
    """Return whether a text has control characters, except whitespace, or lone surrogates."""
    return any(
        unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace()
        for character in text
    )


def _joined(characters: list[str]) -> list[str]:
    """Return the characters without joiners at either end, next to a space or after a joiner."""
    result: list[str] = []
    for character in characters:
        if character in _JOINERS and (not result or result[-1] == " " or result[-1] in _JOINERS):
            continue
        if character == " " and result and result[-1] in _JOINERS:
            result.pop()
        result.append(character)
    while result and result[-1] in _JOINERS:
        result.pop()
    return result


def clean_name(value: object) -> object:
    """Return a typed name as one line; raises ValueError for control characters."""
    if not isinstance(value, str):
        return value
    if has_controls(value):
        raise ValueError("Must have no control characters")
    return clean(value)
