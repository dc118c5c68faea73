-- So that every list finds its page, and its total, in an index however many rows there are.
CREATE INDEX audit_logs_action ON audit_logs (action, created_at DESC, id);
-- With the title itself, and what is filtered by: an index that is on an expression only cannot do without the rows.
CREATE INDEX media_requests_title ON media_requests (lower(title), id) INCLUDE (title, status, media_type);
-- Of one type, of one type and status; and the counts of the statistics, without reading the rows.
CREATE INDEX media_requests_facets ON media_requests (media_type, status, requested_at DESC, id);
CREATE INDEX users_facets ON users (status, role);

-- Databases of today are on flash, where any page costs about the same; by its default of 4 PostgreSQL would rather read
-- a whole table than count in an index. Set for the role, as the time-outs are (0001).
DO $$
BEGIN
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET random_page_cost = 1.1', current_database());
END
$$;
