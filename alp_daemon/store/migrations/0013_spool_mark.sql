-- The mark by which shared storage knows its database: one row, drawn when it is first asked for. It goes wherever the
-- database goes, so that a copy or a backup of it finds its files again.
CREATE TABLE spool_mark (
    mark  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
