-- The customers' files in the database: one configuration for all nodes (see the comments of SQLite's).

CREATE TABLE customer_versions (
    version      INTEGER PRIMARY KEY,
    pushed_at    plain NOT NULL,
    pushed_by    plain NOT NULL,
    customers    INTEGER NOT NULL,
    fingerprint  plain NOT NULL,
    repeats      INTEGER
);

CREATE TABLE customer_files (
    customer  plain NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER,
    content   plain NOT NULL,
    PRIMARY KEY (customer, since)
);
