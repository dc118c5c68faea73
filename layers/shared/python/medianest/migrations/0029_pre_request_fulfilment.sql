-- By itself, because it locks request_items. The previous release leaves the default: an approved item with it is fetched by hand.
ALTER TABLE request_items
    ADD COLUMN fulfilment text NOT NULL DEFAULT 'none'
        CONSTRAINT request_items_fulfilment CHECK (fulfilment IN ('none', 'queued', 'submitted', 'downloaded', 'failed')),
    ADD COLUMN fulfilment_at timestamptz,
    ADD COLUMN failure jsonb;
CREATE INDEX request_items_open ON request_items (fulfilment, media_type, tmdb_id) WHERE active AND fulfilment IN ('queued', 'submitted', 'failed');
COMMENT ON COLUMN request_items.fulfilment IS 'What the download server has made of the item; none while pending, declined, or fetched by hand';
COMMENT ON COLUMN request_items.failure IS 'Code and message of a failed item';
