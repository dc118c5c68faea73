-- What lists show of a title and what they are searched by, kept with the request. The previous release writes none of it, and older
-- rows have none: a scheduled task fills them in.
ALTER TABLE media_requests
    ADD COLUMN poster_path text,
    ADD COLUMN year integer,
    ADD COLUMN started_seasons integer[],
    ADD COLUMN title_key text,
    ADD COLUMN title_read_at timestamptz;
COMMENT ON COLUMN media_requests.poster_path IS 'Path of the poster at TMDB; NULL if TMDB has none';
COMMENT ON COLUMN media_requests.year IS 'Year of the first release according to TMDB';
COMMENT ON COLUMN media_requests.started_seasons IS 'Seasons of a show, without specials, that had an episode or an air date; NULL for a film';
COMMENT ON COLUMN media_requests.title_key IS 'Normalised (NFKC) and case-folded title, for searches';
COMMENT ON COLUMN media_requests.title_read_at IS 'Time when the columns above were read from TMDB, also for a title that TMDB no longer has; NULL until then';
