-- As 0023.
DROP INDEX audit_logs_user;
