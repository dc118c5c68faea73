-- As 0022.
DROP INDEX audit_logs_user;
