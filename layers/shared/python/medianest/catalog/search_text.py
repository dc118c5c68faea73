"""The meaning of a search text: an id of TMDB or IMDb, or words of a title, with a year or not."""

import re
from dataclasses import dataclass

from medianest.core.text import clean

# The first film is of 1874, and no title is announced for so long.
FIRST_YEAR, LAST_YEAR = 1870, 2100
MAX_TMDB_ID = 2**31 - 1
# Full-width forms of ASCII, which keyboards of Japanese and Chinese type.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_TMDB_ID = re.compile(r"tmdb: ?([0-9]{1,10})")
_IMDB_ID = re.compile(r"imdb: ?(tt[0-9]{7,10})")
_WITH_YEAR = re.compile(r"(.+?) ?\(([0-9]{4})\)")


@dataclass(frozen=True, slots=True)
class SearchText:
    """A search by one of the ids, or by `words`."""

    words: str = ""
    year: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None


def parse(text: str) -> SearchText:
    """Return the meaning of a text; an id or year of another form is ordinary words.

    The comparison ignores case, character width and repeated spaces.
    """
    words = words_of(text)
    if (match := _TMDB_ID.fullmatch(words)) and 0 < int(match[1]) <= MAX_TMDB_ID:
        return SearchText(tmdb_id=int(match[1]))
    if match := _IMDB_ID.fullmatch(words):
        return SearchText(imdb_id=match[1])
    if (match := _WITH_YEAR.fullmatch(words)) and FIRST_YEAR <= int(match[2]) <= LAST_YEAR:
        return SearchText(words=match[1], year=int(match[2]))
    return SearchText(words=words)


def words_of(text: str) -> str:
    """Return a text as TMDB gets it: in lower case, with narrow letters and single spaces.

    TMDB compares, so the text is not folded: folding would change words, such as a fraction, ß or a
    Greek sigma at the end.
    """
    return " ".join(clean(text).translate(_NARROW).lower().split())
