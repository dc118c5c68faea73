-- The options of a title are those that replace the server's own: an admin corrects the others at the server.
-- Earlier rows have copies of the server's options.
UPDATE handovers h
    SET options = coalesce(
        (SELECT jsonb_object_agg(own.key, own.value) FROM jsonb_each(h.options) own
            WHERE s.options -> own.key IS DISTINCT FROM own.value),
        '{}')
    FROM download_servers s
    WHERE s.id = h.server_id AND h.options <> '{}';
COMMENT ON COLUMN handovers.options IS 'Options of the rule or of the approval, which replace those of the server';
COMMENT ON COLUMN handovers.requeued_at IS 'Time when the title was last handed over again because the server had lost it; once a day at most';
COMMENT ON TABLE handovers IS 'The server of a title: kept for every later request of the title while the server is enabled';
