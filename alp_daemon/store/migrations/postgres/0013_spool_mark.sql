-- The mark by which shared storage knows its database: see the other one.

-- Where an older dump was brought back over a newer database, the table is there, and the mark with it.
CREATE TABLE IF NOT EXISTS spool_mark (
    mark  plain PRIMARY KEY
);
