-- What an admin has set for one user in place of the quotas of the role: {"movies"?: {"limit", "days"}, "seasons"?: …}.
ALTER TABLE users ADD COLUMN quota jsonb CHECK (jsonb_typeof(quota) = 'object');
