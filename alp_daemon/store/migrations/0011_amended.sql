-- When more became known of an upload that had ended: its undo, or a sidecar that contradicts it. Its report says so
-- from then on, and the files of it in the customers' folders are written anew.
ALTER TABLE uploads ADD COLUMN amended_at TEXT;
CREATE INDEX uploads_amended ON uploads (amended_at) WHERE amended_at IS NOT NULL;
UPDATE uploads SET amended_at = undone_at WHERE undone_at IS NOT NULL;
