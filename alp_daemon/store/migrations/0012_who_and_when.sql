-- Who took a log-in away, who freed an address, and when an upload was let go on: asked years later. What was done
-- before has none of it.

-- A revoked log-in stays on record, also where its name is issued anew: a name has one live log-in. (SQLite cannot take
-- back the UNIQUE that the column had.)
ALTER TABLE credentials RENAME TO credentials_before;
CREATE TABLE credentials (
    customer    TEXT NOT NULL,
    id          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    user        TEXT NOT NULL,
    secret      TEXT NOT NULL,                 -- argon2id, or the SHA-256 of a token
    issued_at   TEXT NOT NULL,
    issued_by   TEXT NOT NULL,
    revoked_at  TEXT,
    revoked_by  TEXT,
    PRIMARY KEY (customer, id)
) STRICT, WITHOUT ROWID;
INSERT INTO credentials (customer, id, kind, user, secret, issued_at, issued_by, revoked_at)
SELECT customer, id, kind, user, secret, issued_at, issued_by, revoked_at FROM credentials_before;
DROP TABLE credentials_before;
CREATE UNIQUE INDEX credentials_secret ON credentials (secret);
CREATE UNIQUE INDEX credentials_live ON credentials (user) WHERE revoked_at IS NULL;
CREATE INDEX credentials_user ON credentials (user);

-- Lockouts that a person ended. The others are forgotten when they are over: strangers cause them.
CREATE TABLE unlocks (
    ip           TEXT NOT NULL,
    unlocked_at  TEXT NOT NULL,
    unlocked_by  TEXT NOT NULL,
    since        TEXT NOT NULL,
    until        TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    PRIMARY KEY (ip, unlocked_at)
) STRICT, WITHOUT ROWID;

-- Beside `released_by`.
ALTER TABLE uploads ADD COLUMN released_at TEXT;
