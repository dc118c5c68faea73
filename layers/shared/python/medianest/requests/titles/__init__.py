"""Titles of requests: the state of a title, and the data of TMDB that a request keeps."""
