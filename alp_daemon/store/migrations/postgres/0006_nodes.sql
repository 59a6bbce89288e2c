-- Several nodes on one database: see the other one.

ALTER TABLE uploads ADD COLUMN node plain NOT NULL DEFAULT '';

CREATE TABLE nodes (
    name        plain NOT NULL,
    role        plain NOT NULL,
    process     plain NOT NULL,
    version     plain NOT NULL,
    customers   plain NOT NULL,
    started_at  plain NOT NULL,
    seen_at     plain NOT NULL,
    PRIMARY KEY (name, role)
);

ALTER TABLE uploads DROP COLUMN published;
CREATE INDEX uploads_finished ON uploads (finished_at);
