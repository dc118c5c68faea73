"""Text that people type or that an upstream sends: one way to clean it, one way to compare it."""

import unicodedata

# Zero-width joiner and non-joiner: they belong to emoji sequences and to words of many scripts.
_JOINERS = "\u200c\u200d"
# An entry of PostgreSQL's B-trees has at most 2,704 bytes.
_MAX_KEY_BYTES = 1000
# Tag characters spell the flags of England, Scotland and Wales.
_TAGS = range(0xE0020, 0xE0080)


def clean(text: str) -> str:
    """Return text as one line that JSON, PostgreSQL and a page can carry, in NFC and trimmed.

    Any space, line break or tab becomes a plain space. Control characters, lone surrogates and
    invisible format characters (bidirectional overrides, zero-width spaces) are dropped. A joiner
    stays between two visible characters, because names of many scripts and emoji need it.
    """
    if text.isprintable():
        # Nearly every text: nothing but visible characters and plain spaces.
        return typed(text)
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category[0] == "Z":
            kept.append(" ")
        elif category in {"Cc", "Cs"}:
            continue
        elif category != "Cf" or character in _JOINERS or ord(character) in _TAGS:
            kept.append(character)
    return typed("".join(_joined(kept)))


def clean_lines(text: str) -> str:
    """Return text of paragraphs: each line is clean, and the line breaks stay as newlines."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def typed(text: str) -> str:
    """Return what a person typed to name something, trimmed and in NFC: é is one character."""
    return unicodedata.normalize("NFC", text).strip()


def fold(text: str) -> str:
    """Return the form in which names are compared: NFKC and case-folded, spaces collapsed.

    `Jürgen`, ` JU\N{COMBINING DIAERESIS}RGEN ` and full-width letters are equal. NFKC comes twice,
    because folding may leave a text that is not normal (Unicode 16.0, section 3.13, D146).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def name_key(text: str) -> str:
    """Return the folded form of a name, cut to what an index entry holds beside another one.

    One character may fold into eighteen.
    """
    return fold(text).encode()[:_MAX_KEY_BYTES].decode(errors="ignore")


def has_controls(text: str) -> bool:
    """Tell whether a text has control characters or lone surrogates, spaces of any kind aside."""
    return any(
        unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace()
        for character in text
    )


def _joined(characters: list[str]) -> list[str]:
    """Drop the joiners that join nothing: at either end, beside a space or another joiner."""
    kept: list[str] = []
    for character in characters:
        if character in _JOINERS and (not kept or kept[-1] == " " or kept[-1] in _JOINERS):
            continue
        if character == " " and kept and kept[-1] in _JOINERS:
            kept.pop()
        kept.append(character)
    while kept and kept[-1] in _JOINERS:
        kept.pop()
    return kept
