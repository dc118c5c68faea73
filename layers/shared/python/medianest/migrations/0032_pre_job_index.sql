-- A list of the jobs of one kind reads one index: it skips the rows before a late page without reading them, and counts them, also by state and server.
CREATE INDEX jobs_kind ON jobs (kind, created_at DESC, id) INCLUDE (state, server_id);
