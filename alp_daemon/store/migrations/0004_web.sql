-- The web side: sessions of browsers, answers kept for repeated calls, and what /metrics counts.

-- Tokens are looked up by their hash. Hashes of passwords are salted and so never alike.
CREATE UNIQUE INDEX credentials_secret ON credentials (secret);

-- A browser that has signed in. `secret` is the SHA-256 of its cookie; whose it is stands in `credentials`, so that a
-- revoked log-in ends its sessions at once.
CREATE TABLE sessions (
    secret      TEXT PRIMARY KEY,
    user        TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    seen_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a call with an Idempotency-Key was answered, for the same call made again. `request` is the SHA-256 of what it
-- asked: the same key with another request is a mistake of its caller.
CREATE TABLE answers (
    customer  TEXT NOT NULL,
    key       TEXT NOT NULL,
    request   BLOB NOT NULL,
    answer    TEXT NOT NULL,                   -- JSON
    at        TEXT NOT NULL,
    PRIMARY KEY (customer, key)
) STRICT, WITHOUT ROWID;

-- Sums that only grow, for /metrics: what would take long to add up anew from all reports at each call.
CREATE TABLE counters (
    name   TEXT NOT NULL,
    label  TEXT NOT NULL,
    value  REAL NOT NULL,
    PRIMARY KEY (name, label)
) STRICT, WITHOUT ROWID;
