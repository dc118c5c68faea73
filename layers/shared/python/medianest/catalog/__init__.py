"""The catalogue: films and shows of TMDB."""
