-- Charges a call to one rate limit and reports what the limit decides by, in one statement: a service without a cache
-- (docs/adr/0033) reads the session and charges its user in one. Each statement of the function sees the charges of those that had the lock before.
CREATE FUNCTION charge_call(
    charged_key text, call_limit integer, window_seconds integer,
    OUT charged_at double precision, OUT calls double precision[], OUT marked boolean
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
BEGIN
    -- The call need not wait for the disk: a crash of the server may lose the last charges.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtextextended(charged_key, 0));
    moment := clock_timestamp();
    SELECT coalesce(array_agg(extract(epoch FROM at)::double precision ORDER BY at) FILTER (WHERE NOT refused), '{}'),
           coalesce(bool_or(refused), false)
        INTO calls, marked
        FROM rate_limit_hits
        WHERE key = charged_key AND at > moment - make_interval(secs => window_seconds);
    IF cardinality(calls) < call_limit OR NOT marked THEN
        INSERT INTO rate_limit_hits (key, at, expires_at, refused)
            VALUES (charged_key, moment, moment + make_interval(secs => window_seconds), cardinality(calls) >= call_limit);
    END IF;
    charged_at := extract(epoch FROM moment);
END $$;
