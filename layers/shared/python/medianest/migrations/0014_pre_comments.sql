-- The meaning of tables and columns, for docs/database-schema.md and for anybody with a database client.
COMMENT ON TABLE users IS 'Accounts: signed in with Plex, or local ones with a password.';
COMMENT ON COLUMN users.plex_id IS 'Id of the account at Plex, which identifies the user: unlike names and e-mail addresses, it is never reassigned. NULL for a local account';
COMMENT ON COLUMN users.email IS 'E-mail address from Plex or an admin; a placeholder under plex.invalid if Plex has none';
COMMENT ON COLUMN users.username IS 'User name from Plex or an admin';
COMMENT ON COLUMN users.role IS 'Authoritative: a change applies to the next call, regardless of the token';
COMMENT ON COLUMN users.status IS 'A suspended user cannot sign in and has no active session';
COMMENT ON COLUMN users.updated_at IS 'Last change by Plex, an admin or the user';
COMMENT ON COLUMN users.password_hash IS 'Argon2id hash; NULL for a Plex account';
COMMENT ON COLUMN users.quota IS 'Quotas of this user, which override those of the role: {"movies"?: {"limit", "days"}, "seasons"?: …}';
COMMENT ON COLUMN users.email_key IS 'Normalised (NFKC) and case-folded e-mail address, for comparisons';
COMMENT ON COLUMN users.username_key IS 'Normalised (NFKC) and case-folded user name, for comparisons';

COMMENT ON TABLE sessions IS 'Active and ended sessions. A row is authoritative; the cache has a copy for at most a minute.';
COMMENT ON COLUMN sessions.id IS 'The jti of the token; a refresh replaces it';
COMMENT ON COLUMN sessions.expires_at IS 'Time when the token expires';
COMMENT ON COLUMN sessions.revoked_at IS 'Time of the revocation: by sign-out, suspension, or a change of role or password';
COMMENT ON COLUMN sessions.ip IS 'IP address at the sign-in or the last refresh';
COMMENT ON COLUMN sessions.user_agent IS 'User-Agent header at the sign-in or the last refresh';
COMMENT ON COLUMN sessions.last_seen_at IS 'Time of the last use, accurate to five minutes';
COMMENT ON COLUMN sessions.absolute_expires_at IS 'Time when the session expires despite refreshes';

COMMENT ON TABLE session_tombstones IS 'Ended sessions that the cache may still hold as active. A row is deleted once the cache has the tombstone.';
COMMENT ON COLUMN session_tombstones.user_id IS 'Not a foreign key: the tombstone outlives the deletion of its user';

COMMENT ON TABLE signin_handles IS 'Started sign-ins with Plex. The sign-in that deletes the row succeeds, so a handle works once.';
COMMENT ON COLUMN signin_handles.handle_hash IS 'SHA-256 of the handle (pinId); only the client that started the sign-in knows the handle';
COMMENT ON COLUMN signin_handles.plex_pin_id IS 'Id of the PIN at plex.tv';
COMMENT ON COLUMN signin_handles.failures IS 'Unused: polls that are too fast no longer end a sign-in';
COMMENT ON COLUMN signin_handles.ip IS 'IP address that started the sign-in, for the audit log';

COMMENT ON TABLE signin_networks IS 'Networks that have signed in to a local account. Each has a separate limit of failed logins.';
COMMENT ON COLUMN signin_networks.network IS 'IPv4 address, or /64 of an IPv6 address';
COMMENT ON COLUMN signin_networks.last_at IS 'Time of the last sign-in from the network';

COMMENT ON TABLE media_requests IS 'Requests for films and shows. A cancelled one is deleted.';
COMMENT ON COLUMN media_requests.user_id IS 'Requester';
COMMENT ON COLUMN media_requests.tmdb_id IS 'TMDB id of the title';
COMMENT ON COLUMN media_requests.title IS 'Title at TMDB at the time of the request; never from the caller';
COMMENT ON COLUMN media_requests.comment IS 'Note of the requester';
COMMENT ON COLUMN media_requests.reason IS 'Reason for declining, which the requester can read';
COMMENT ON COLUMN media_requests.processed_at IS 'Time of the decision';
COMMENT ON COLUMN media_requests.processed_by IS 'Admin who decided; NULL for an automatic approval or a deleted admin';

COMMENT ON TABLE request_items IS 'Titles that a request reserves: its film, or each of its seasons. Unique indexes allow one active row for each title.';
COMMENT ON COLUMN request_items.season IS 'Number of the season, 0 for specials; NULL for a film';
COMMENT ON COLUMN request_items.active IS 'True while the request is pending or approved';

COMMENT ON TABLE idempotency_keys IS 'Responses to calls with an Idempotency-Key, kept for 24 hours.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'Digest of the payload: the same key with another payload is rejected';
COMMENT ON COLUMN idempotency_keys.response IS 'Response of the first call; a retry uses its id and returns the current state of that request';

COMMENT ON TABLE audit_logs IS 'Every change, sign-in and denied access; removed after the retention time.';
COMMENT ON COLUMN audit_logs.user_id IS 'Actor; NULL for a caller without a session, the system, or a deleted user';
COMMENT ON COLUMN audit_logs.action IS 'For example request.approved';
COMMENT ON COLUMN audit_logs.target_type IS 'Kind of the target of the action';
COMMENT ON COLUMN audit_logs.target_id IS 'Id of the target';
COMMENT ON COLUMN audit_logs.details IS 'Further facts, which depend on the action';
COMMENT ON COLUMN audit_logs.request_id IS 'X-Request-Id of the call';
COMMENT ON COLUMN audit_logs.ip IS 'IP address of the client as API Gateway reports it, never from a header';

COMMENT ON TABLE system_config IS 'Run-time settings that an admin has changed. A setting without a row has its default.';
COMMENT ON COLUMN system_config.key IS 'For example rateLimit.search';
COMMENT ON COLUMN system_config.updated_by IS 'Admin who changed it';

COMMENT ON TABLE rate_limit_hits IS 'Calls that the sign-in limits counted while the cache was down.';
COMMENT ON COLUMN rate_limit_hits.key IS 'Policy and subject; text from a caller is stored as a digest';
COMMENT ON COLUMN rate_limit_hits.at IS 'Time of the call, by the clock of the database';
COMMENT ON COLUMN rate_limit_hits.expires_at IS 'Time when the call leaves the window of its policy';
COMMENT ON COLUMN rate_limit_hits.refused IS 'True for a row that marks the first rejection of a caller in a window';

COMMENT ON TABLE schema_migrations IS 'Applied migrations, each with the checksum of its file.';
