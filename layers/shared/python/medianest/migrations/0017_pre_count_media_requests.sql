-- As in 0016.
CREATE TRIGGER row_counts_insert AFTER INSERT ON media_requests REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_media_requests();
CREATE TRIGGER row_counts_update AFTER UPDATE ON media_requests REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_media_requests();
CREATE TRIGGER row_counts_delete AFTER DELETE ON media_requests REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_media_requests();
CREATE TRIGGER row_counts_truncate AFTER TRUNCATE ON media_requests
    FOR EACH STATEMENT EXECUTE FUNCTION empty_row_counts();
