-- Deleting an admin empties this column in every request they decided: found by the index, not by reading all requests.
CREATE INDEX media_requests_processor ON media_requests (processed_by) WHERE processed_by IS NOT NULL;
