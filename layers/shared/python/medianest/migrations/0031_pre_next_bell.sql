-- The next delayed bell of a service without a cache (docs/adr/0033). Without it each run of the worker would send one more.
CREATE TABLE next_bell (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    rings_at timestamptz NOT NULL
);
COMMENT ON TABLE next_bell IS 'The delayed bell that is on its way, in one row at most; with a cache it is there instead';
COMMENT ON COLUMN next_bell.is_only IS 'Always true, so that there is one row';
COMMENT ON COLUMN next_bell.rings_at IS 'Time at which the bell rings; a past one has rung';
COMMENT ON TABLE rate_limit_hits IS 'Calls that rate limits counted without a cache or while it was down';
