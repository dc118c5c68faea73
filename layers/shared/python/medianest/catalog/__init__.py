"""Films and shows, as TMDB knows them."""
