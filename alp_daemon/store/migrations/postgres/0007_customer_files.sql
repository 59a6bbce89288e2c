-- The customers' files in the database: one configuration for all nodes, version by version.

-- `fingerprint` is the SHA-256 that a node shows which has loaded this version and nothing else.
CREATE TABLE customer_versions (
    version      INTEGER PRIMARY KEY,
    pushed_at    TEXT NOT NULL,
    pushed_by    TEXT NOT NULL,
    customers    INTEGER NOT NULL,             -- how many
    fingerprint  TEXT NOT NULL,
    repeats      INTEGER                       -- the older version that this one went back to
);

-- A file stands once for all versions that have it: those from `since` on, and before `until` if that is set.
CREATE TABLE customer_files (
    customer  TEXT NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER,
    content   TEXT NOT NULL,
    PRIMARY KEY (customer, since)
);
