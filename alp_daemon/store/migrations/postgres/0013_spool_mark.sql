-- The mark by which shared storage knows its database: see the other one.

CREATE TABLE spool_mark (
    mark  plain PRIMARY KEY
);
