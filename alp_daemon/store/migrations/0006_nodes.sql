-- Several nodes on one database: which of them took a file in, and which of them live.

-- Until a file is settled, or has left its drop folder, only the node that took it in can say what became of it. ''
-- is of before there were nodes.
ALTER TABLE uploads ADD COLUMN node TEXT NOT NULL DEFAULT '';

-- The daemons at work on this database. `process` tells one from an earlier one of the same name; `customers` is the
-- fingerprint of the configuration that it has loaded.
CREATE TABLE nodes (
    name        TEXT NOT NULL,
    role        TEXT NOT NULL,
    process     TEXT NOT NULL,
    version     TEXT NOT NULL,
    customers   TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    seen_at     TEXT NOT NULL,
    PRIMARY KEY (name, role)
) STRICT, WITHOUT ROWID;

-- Each node has reports in a folder of its own, so that no flag here can say where one is; its file's time does.
DROP INDEX uploads_unpublished;
ALTER TABLE uploads DROP COLUMN published;
CREATE INDEX uploads_finished ON uploads (finished_at);
