-- name: spool_mark.get
SELECT mark FROM spool_mark;

-- name: spool_mark.add
-- The first one stays.
INSERT INTO spool_mark (mark) SELECT :mark WHERE NOT EXISTS (SELECT 1 FROM spool_mark);
