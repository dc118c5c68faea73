-- As 0021.
CREATE INDEX audit_logs_actor ON audit_logs (user_id, created_at DESC, id) INCLUDE (action);
