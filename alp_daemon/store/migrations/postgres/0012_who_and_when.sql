-- Who took a log-in away, who freed an address, and when an upload was let go on (see the comments of SQLite's).

ALTER TABLE credentials ADD COLUMN revoked_by plain;
ALTER TABLE credentials DROP CONSTRAINT credentials_user_key;
CREATE UNIQUE INDEX credentials_live ON credentials ("user") WHERE revoked_at IS NULL;
CREATE INDEX credentials_user ON credentials ("user");

CREATE TABLE unlocks (
    ip           plain NOT NULL,
    unlocked_at  plain NOT NULL,
    unlocked_by  plain NOT NULL,
    since        plain NOT NULL,
    until        plain NOT NULL,
    failures     INTEGER NOT NULL,
    PRIMARY KEY (ip, unlocked_at)
);

ALTER TABLE uploads ADD COLUMN released_at plain;
