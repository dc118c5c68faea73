-- Names are compared in one form, NFKC and case-folded (`medianest.core.text.fold`): lower() depends on the locale and
-- folds neither ß nor İ. The application writes the keys. After this file the runner fills them in for the rows that
-- exist (`medianest.migrations.names`), before the unique indexes of the next one.
ALTER TABLE users ADD COLUMN email_key text, ADD COLUMN username_key text;

-- The release before this one, and a person with a database client, write no keys: they get the nearest that SQL can do.
CREATE FUNCTION users_fill_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.email_key := coalesce(NEW.email_key, left(lower(normalize(NEW.email, NFKC)), 250));
    NEW.username_key := coalesce(NEW.username_key, left(lower(normalize(NEW.username, NFKC)), 250));
    RETURN NEW;
END
$$;
CREATE TRIGGER users_keys BEFORE INSERT OR UPDATE ON users
    FOR EACH ROW WHEN (NEW.email_key IS NULL OR NEW.username_key IS NULL) EXECUTE FUNCTION users_fill_keys();
