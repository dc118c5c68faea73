"""The meaning of a search text."""

import pytest

from medianest.catalog.search_text import SearchText, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tmdb:603", SearchText(tmdb_id=603)),
        ("  TMDB: 603 ", SearchText(tmdb_id=603)),
        ("\uff54\uff4d\uff44\uff42\uff1a\uff16\uff10\uff13", SearchText(tmdb_id=603)),
        ("tmdb:0000000603", SearchText(tmdb_id=603)),
        ("tmdb:2147483647", SearchText(tmdb_id=2_147_483_647)),
        ("imdb:tt0133093", SearchText(imdb_id="tt0133093")),
        ("IMDb: TT10872600", SearchText(imdb_id="tt10872600")),
        ("Matrix (1999)", SearchText("matrix", 1999)),
        ("matrix(1999)", SearchText("matrix", 1999)),
        ("Matrix\uff081999\uff09", SearchText("matrix", 1999)),
        ("2012 (2009)", SearchText("2012", 2009)),
        ("A (1870)", SearchText("a", 1870)),
        ("A (2100)", SearchText("a", 2100)),
        ("Up (Director's cut) (2009)", SearchText("up (director's cut)", 2009)),
        ("x (1999) (2000)", SearchText("x (1999)", 2000)),
        ("8\u00bd (1963)", SearchText("8\u00bd", 1963)),
        ("\u039f\u03a3 (1964)", SearchText("\u03bf\u03c2", 1964)),
        ("Die Stra\u00dfe (1954)", SearchText("die stra\u00dfe", 1954)),
    ],
)
def test_id_or_year_in_a_text_is_understood(text: str, expected: SearchText) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "tmdb:abc",
        "tmdb:",
        "tmdb:0",
        "tmdb:-603",
        "tmdb:2147483648",
        "tmdb:99999999999",
        "tmdb:603 x",
        "x tmdb:603",
        "tmdb:\u0667",
        "imdb:xyz",
        "imdb:tt123",
        "imdb:nm0000206",
        "imdb:tt01330930000",
        "imdb:tt0133093/x",
        "matrix 1999",
        "matrix (0000)",
        "matrix (1869)",
        "matrix (2101)",
        "matrix (99)",
        "matrix (19999)",
        "matrix (1999",
        "(1999)",
        "matrix (1999) x",
        "",
    ],
)
def test_text_of_another_form_is_searched_for_as_words(text: str) -> None:
    assert parse(text) == SearchText(text)
