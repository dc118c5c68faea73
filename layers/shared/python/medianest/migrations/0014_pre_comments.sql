-- The meaning of tables and columns, for docs/database-schema.md and for anybody with a database client.
COMMENT ON TABLE users IS 'Accounts: signed in with Plex, or local ones with a password.';
COMMENT ON COLUMN users.plex_id IS 'Identity at Plex. E-mail addresses and names change hands, this number does not. NULL for a local account';
COMMENT ON COLUMN users.email IS 'As Plex or an admin gave it; a placeholder below plex.invalid where Plex has none';
COMMENT ON COLUMN users.username IS 'As Plex or an admin gave it';
COMMENT ON COLUMN users.role IS 'Decides with the next call, whatever a token says';
COMMENT ON COLUMN users.status IS 'A suspended user cannot sign in and has no live session';
COMMENT ON COLUMN users.updated_at IS 'Last change by Plex, an admin or the user';
COMMENT ON COLUMN users.password_hash IS 'Argon2id; NULL for an account of Plex';
COMMENT ON COLUMN users.quota IS 'Quotas of this user in place of the role''s: {"movies"?: {"limit", "days"}, "seasons"?: …}';
COMMENT ON COLUMN users.email_key IS 'The address as it is compared: normalised (NFKC) and case-folded';
COMMENT ON COLUMN users.username_key IS 'The name as it is compared: normalised (NFKC) and case-folded';

COMMENT ON TABLE sessions IS 'Live and ended sessions. The row decides; the cache repeats it for at most a minute.';
COMMENT ON COLUMN sessions.id IS 'The jti of the token; a refresh gives the row a new one';
COMMENT ON COLUMN sessions.expires_at IS 'End of the token';
COMMENT ON COLUMN sessions.revoked_at IS 'End before its time: sign-out, suspension, change of role or password';
COMMENT ON COLUMN sessions.ip IS 'Address that signed in';
COMMENT ON COLUMN sessions.user_agent IS 'Client that signed in';
COMMENT ON COLUMN sessions.last_seen_at IS 'Last use, within five minutes';
COMMENT ON COLUMN sessions.absolute_expires_at IS 'End that no refresh moves';

COMMENT ON TABLE session_tombstones IS 'Ended sessions that the cache may still hold as live. A row stays until the cache has the tombstone.';
COMMENT ON COLUMN session_tombstones.user_id IS 'No foreign key: the end of a session outlives the deletion of its user';

COMMENT ON TABLE signin_handles IS 'Sign-ins with Plex that have begun and not finished. Deleting the row makes a handle work once.';
COMMENT ON COLUMN signin_handles.handle_hash IS 'SHA-256 of the handle (pinId), which only its beginner knows';
COMMENT ON COLUMN signin_handles.plex_pin_id IS 'Number of the PIN at plex.tv';
COMMENT ON COLUMN signin_handles.failures IS 'Not used since a poll that comes too fast ends nothing';
COMMENT ON COLUMN signin_handles.ip IS 'Address that began the sign-in, for the audit log';

COMMENT ON TABLE signin_networks IS 'Networks that have signed in to a local account: their failed logins count by themselves.';
COMMENT ON COLUMN signin_networks.network IS 'IPv4 address, or /64 of an IPv6 address';
COMMENT ON COLUMN signin_networks.last_at IS 'Last sign-in from there';

COMMENT ON TABLE media_requests IS 'Requests for films and shows. A cancelled one is deleted.';
COMMENT ON COLUMN media_requests.user_id IS 'Requester';
COMMENT ON COLUMN media_requests.tmdb_id IS 'Number of the title at TMDB';
COMMENT ON COLUMN media_requests.title IS 'Title, as TMDB had it; never from the caller';
COMMENT ON COLUMN media_requests.comment IS 'Note of the requester';
COMMENT ON COLUMN media_requests.reason IS 'Reason of a decline, which the requester reads';
COMMENT ON COLUMN media_requests.processed_at IS 'Time of the decision';
COMMENT ON COLUMN media_requests.processed_by IS 'Admin who decided; NULL for an automatic approval or a deleted admin';

COMMENT ON TABLE request_items IS 'Titles that a request holds: its film, or each of its seasons. Unique indexes allow one active row for each.';
COMMENT ON COLUMN request_items.season IS 'Number of the season, 0 for specials; NULL for a film';
COMMENT ON COLUMN request_items.active IS 'True while the request is pending or approved';

COMMENT ON TABLE idempotency_keys IS 'Answers to requests with an Idempotency-Key, kept for 24 hours.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'Digest of the payload: another payload with the key is refused';
COMMENT ON COLUMN idempotency_keys.response IS 'Answer of the first call, by whose id a retry gets the request as it is now';

COMMENT ON TABLE audit_logs IS 'Every change, sign-in and denied access; removed after the retention time.';
COMMENT ON COLUMN audit_logs.user_id IS 'Actor; NULL for a caller without a session, the system, or a deleted user';
COMMENT ON COLUMN audit_logs.action IS 'For example request.approved';
COMMENT ON COLUMN audit_logs.target_type IS 'Kind of the thing that the action changed';
COMMENT ON COLUMN audit_logs.target_id IS 'Id of that thing';
COMMENT ON COLUMN audit_logs.details IS 'More, by action';
COMMENT ON COLUMN audit_logs.request_id IS 'X-Request-Id of the call';
COMMENT ON COLUMN audit_logs.ip IS 'Address of the caller, from API Gateway and never from a header';

COMMENT ON TABLE system_config IS 'Run-time settings that an admin has changed; a default has no row.';
COMMENT ON COLUMN system_config.key IS 'For example rateLimit.search';
COMMENT ON COLUMN system_config.updated_by IS 'Admin who changed it';

COMMENT ON TABLE rate_limit_hits IS 'Calls that the sign-in limits counted while the cache was down.';
COMMENT ON COLUMN rate_limit_hits.key IS 'Policy and subject; a text that a caller typed is a digest';
COMMENT ON COLUMN rate_limit_hits.at IS 'Time of the call, by the clock of the database';
COMMENT ON COLUMN rate_limit_hits.expires_at IS 'Time from which no window counts it';
COMMENT ON COLUMN rate_limit_hits.refused IS 'True for the mark of a caller''s first refusal in a window';

COMMENT ON TABLE schema_migrations IS 'Applied migrations, each with the checksum of its file.';
