-- What a list counts and skips is in its index, so neither reads a row.
CREATE INDEX media_requests_age ON media_requests (requested_at DESC, id) INCLUDE (user_id, status, media_type);
CREATE INDEX media_requests_own ON media_requests (user_id, requested_at DESC, id) INCLUDE (status, media_type);
CREATE INDEX media_requests_own_title ON media_requests (user_id, lower(title), id) INCLUDE (title, status, media_type);
