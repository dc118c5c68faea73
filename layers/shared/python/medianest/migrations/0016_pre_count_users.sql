-- CREATE TRIGGER waits for the writers of its table and stops new ones. A transaction that did so for a second table could
-- deadlock with a writer of both, so each table has its own migration.
CREATE TRIGGER row_counts_insert AFTER INSERT ON users REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER row_counts_update AFTER UPDATE ON users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER row_counts_delete AFTER DELETE ON users REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_users();
CREATE TRIGGER row_counts_truncate AFTER TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION empty_row_counts();
