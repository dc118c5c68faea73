"""A stand-in for TMDB (The Movie Database), API version 3, with a few hundred real titles.

It accepts any key that is where TMDB expects it: a v3 key in the query, or a v4 token (a JWT) in
the header. The README of the stand-ins says which parts of the catalogue are real.
"""
