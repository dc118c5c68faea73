-- The address that began a sign-in with Plex, for the audit log. NULL for what was begun before this migration.
ALTER TABLE signin_handles ADD COLUMN ip inet;
