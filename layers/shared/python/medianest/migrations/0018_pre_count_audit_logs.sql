-- As in 0016.
CREATE TRIGGER row_counts_insert AFTER INSERT ON audit_logs REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER row_counts_update AFTER UPDATE ON audit_logs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER row_counts_delete AFTER DELETE ON audit_logs REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_audit_logs();
CREATE TRIGGER row_counts_truncate AFTER TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION empty_row_counts();
