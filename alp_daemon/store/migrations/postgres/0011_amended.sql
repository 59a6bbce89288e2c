-- What became known of an upload after its end: see the other one.
ALTER TABLE uploads ADD COLUMN amended_at plain;
CREATE INDEX uploads_amended ON uploads (amended_at) WHERE amended_at IS NOT NULL;
UPDATE uploads SET amended_at = undone_at WHERE undone_at IS NOT NULL;
