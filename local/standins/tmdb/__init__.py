"""Stands in for TMDB (The Movie Database), API version 3, with a few hundred real titles.

Any key is good, as long as it is where TMDB takes it: a v3 key in the query, or a v4 token, which
is a JWT, in the header. The README of the stand-ins says what of the catalogue is real.
"""
