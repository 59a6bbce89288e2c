-- The first schema. Times are ISO 8601 in UTC with microseconds: they read well and sort as text.
-- Every table that grows carries its list or customer first in its primary key.

-- A customer's opt-in list. `version` numbers its changes; `digest` chains over them.
CREATE TABLE lists (
    id            INTEGER PRIMARY KEY,
    customer      TEXT NOT NULL UNIQUE,
    version       INTEGER NOT NULL DEFAULT 0,
    digest        BLOB NOT NULL DEFAULT x'',
    imported_at   TEXT,                        -- go-live import, or the statement that the list starts empty
    imported_by   TEXT,
    created_at    TEXT NOT NULL
) STRICT;

-- One row an address. A phone's key is its digits. status: 0 absent (taken off by an undo) 1 opted_in 2 suspended
-- 3 opted_out 4 unsubscribed. `feeds`: bit n is set when the feed with that bit has listed the address.
CREATE TABLE addresses (
    list     INTEGER NOT NULL,
    key      INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    tag_set  INTEGER NOT NULL,
    attrs    INTEGER NOT NULL DEFAULT 0,
    feeds    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (list, key)
) STRICT, WITHOUT ROWID;

-- A set of tags is one immutable row (an address holds its id): rows per address and tag cost two and a half times
-- as much. `tags` is sorted and joined with `;`, which no tag can hold. Set 0 is the empty one.
CREATE TABLE tag_sets (
    list  INTEGER NOT NULL REFERENCES lists(id),
    id    INTEGER NOT NULL,
    tags  TEXT NOT NULL,
    PRIMARY KEY (list, id),
    UNIQUE (list, tags)
) STRICT, WITHOUT ROWID;

-- Which bit of addresses.feeds belongs to which feed.
CREATE TABLE feed_bits (
    list  INTEGER NOT NULL REFERENCES lists(id),
    feed  TEXT NOT NULL,
    bit   INTEGER NOT NULL,
    PRIMARY KEY (list, feed)
) STRICT, WITHOUT ROWID;

-- One row a transaction that changed a list: who, when, by what. `source` is why the statuses changed:
-- file, operator, api, end_user, import or undo. `digest` = sha256(previous digest + this row + packed events).
CREATE TABLE changes (
    list      INTEGER NOT NULL REFERENCES lists(id),
    version   INTEGER NOT NULL,
    at        TEXT NOT NULL,
    actor     TEXT NOT NULL,
    source    TEXT NOT NULL,
    channel   TEXT NOT NULL,
    upload    INTEGER,
    message   TEXT,
    note      TEXT NOT NULL DEFAULT '',
    events    INTEGER NOT NULL,
    digest    BLOB NOT NULL,
    PRIMARY KEY (list, version)
) STRICT, WITHOUT ROWID;

-- What a change did to one address. Appended in key order, so that a million of them land as fast as a copy; one
-- address's history is one seek a change (see events.of_address).
CREATE TABLE events (
    list           INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    key            INTEGER NOT NULL,
    status_before  INTEGER NOT NULL,
    status_after   INTEGER NOT NULL,
    tags_before    INTEGER NOT NULL,
    tags_after     INTEGER NOT NULL,
    attrs_before   INTEGER NOT NULL DEFAULT 0,
    attrs_after    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (list, version, key)
) STRICT, WITHOUT ROWID;

-- Received files: the queue, the record and the proof. A row that is `received`, settled (evidence) and not waiting
-- (waits_for) is due; one customer's due rows are worked in the order of `arrived_at`, id.
CREATE TABLE uploads (
    id            INTEGER PRIMARY KEY,
    customer      TEXT NOT NULL,
    feed          TEXT,                        -- NULL: no feed matches the name (yet)
    mode          TEXT,                        -- of the feed when it was worked
    name          TEXT NOT NULL,
    folder        TEXT NOT NULL DEFAULT '',    -- '' or 'preformatted'
    channel       TEXT NOT NULL,
    actor         TEXT NOT NULL,               -- the log-in or operator that sent it
    ip            TEXT NOT NULL DEFAULT '',
    session       TEXT NOT NULL DEFAULT '',    -- the FTP session: its end settles what is left open
    received_at   TEXT NOT NULL,
    arrived_at    TEXT NOT NULL,               -- received, or renamed to its final name, or released
    size          INTEGER NOT NULL,
    sha256        TEXT,                        -- known once it was read
    object        TEXT NOT NULL,               -- its file in the spool
    evidence      TEXT,                        -- NULL: not settled yet
    evidence_note TEXT NOT NULL DEFAULT '',
    waits_for     TEXT,                        -- NULL, 'rename', 'match' (no feed takes the name), 'sidecar', 'file' (a sidecar), 'pick_up'
    wait_until    TEXT,
    state         TEXT NOT NULL DEFAULT 'received',
    reason        TEXT NOT NULL DEFAULT '',    -- why it is held, rejected, failed or discarded; for a person
    hold          TEXT,                        -- JSON: the guard's reasons with their figures
    waived        TEXT,                        -- JSON: what `release` allowed
    released_by   TEXT,
    held_at       TEXT,
    reminded_at   TEXT,
    config        TEXT,                        -- the feed's fingerprint when it was worked
    version       INTEGER,                     -- the list's version after it was applied
    started_at    TEXT,
    finished_at   TEXT,
    attempts      INTEGER NOT NULL DEFAULT 0,
    lease_owner   TEXT,
    lease_until   TEXT,
    never_seen    INTEGER NOT NULL DEFAULT 0,  -- addresses that had never been on this list: the chargeable count
    undone_by     TEXT,
    undone_at     TEXT,
    erased_at     TEXT,                        -- the spooled file is gone (retention)
    published     INTEGER NOT NULL DEFAULT 0   -- the report was put into the customer's folder
) STRICT;
CREATE INDEX uploads_queue ON uploads (customer, state, arrived_at, id);
CREATE INDEX uploads_state ON uploads (state, customer);

-- The report of a finished upload; rejects are the zlib-packed text of rejects.csv.
CREATE TABLE reports (
    upload   INTEGER PRIMARY KEY REFERENCES uploads(id),
    json     TEXT NOT NULL,
    rejects  BLOB NOT NULL,
    read_with TEXT                             -- JSON: what reading hung on (services/repeat.py); NULL: was not read
) STRICT;

-- Who approved which configuration of a feed, and what the approved sample looked like.
CREATE TABLE approvals (
    customer      TEXT NOT NULL,
    feed          TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    at            TEXT NOT NULL,
    approved_by   TEXT NOT NULL,
    sample_sha256 TEXT NOT NULL,
    sample_newline INTEGER NOT NULL,           -- the sample ended with a newline
    PRIMARY KEY (customer, feed)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    customer    TEXT NOT NULL,
    id          INTEGER NOT NULL,
    kind        TEXT NOT NULL,                 -- ftp, later uploader, api, operator, gateway, informz
    user        TEXT NOT NULL UNIQUE,
    secret      TEXT NOT NULL,                 -- argon2id, or the SHA-256 of a token
    issued_at   TEXT NOT NULL,
    issued_by   TEXT NOT NULL,
    revoked_at  TEXT,
    PRIMARY KEY (customer, id)
) STRICT, WITHOUT ROWID;

-- Failed log-ins within the window, and the addresses they locked out. `ip` is normalised (IPv6 by /64).
CREATE TABLE login_failures (
    ip  TEXT NOT NULL,
    at  TEXT NOT NULL
) STRICT;
CREATE INDEX login_failures_ip ON login_failures (ip, at);
CREATE TABLE lockouts (
    ip        TEXT PRIMARY KEY,
    since     TEXT NOT NULL,
    until     TEXT NOT NULL,
    failures  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Inbound messages by the gateway's id, so that a repeated delivery is answered and not done again.
CREATE TABLE messages (
    customer  TEXT NOT NULL,
    id        TEXT NOT NULL,
    at        TEXT NOT NULL,
    key       INTEGER NOT NULL,
    text      TEXT NOT NULL,
    intent    TEXT NOT NULL,
    status    INTEGER NOT NULL,
    reply     TEXT NOT NULL,
    PRIMARY KEY (customer, id)
) STRICT, WITHOUT ROWID;

-- Mail on its way: written in the transaction that has something to say, sent afterwards.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    customer    TEXT NOT NULL DEFAULT '',
    upload      INTEGER,
    recipients  TEXT NOT NULL,                 -- JSON list
    subject     TEXT NOT NULL,
    body        TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     TEXT NOT NULL,
    last_error  TEXT NOT NULL DEFAULT '',
    sent_at     TEXT,
    given_up_at TEXT                           -- tried for days; `doctor` tells of it
) STRICT;
CREATE INDEX outbox_due ON outbox (sent_at, next_at);

-- Line types loaded by the operator: a prefix or a whole number (digits with country code) and its type.
CREATE TABLE line_types (
    digits  INTEGER NOT NULL,
    whole   INTEGER NOT NULL,
    type    INTEGER NOT NULL,
    PRIMARY KEY (digits, whole)
) STRICT, WITHOUT ROWID;

-- What an operator reads with any SQLite tool: statuses as words, tags as text.
CREATE VIEW numbers AS
SELECT l.customer,
       '+' || a.key AS number,
       CASE a.status WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                     WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status,
       coalesce(t.tags, '') AS tags
FROM addresses a
JOIN lists l ON l.id = a.list
LEFT JOIN tag_sets t ON t.list = a.list AND t.id = a.tag_set;

CREATE VIEW history AS
SELECT l.customer,
       '+' || e.key AS number,
       c.at, c.actor, c.source, c.channel, c.upload, c.message, c.note,
       CASE e.status_before WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                            WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status_before,
       CASE e.status_after WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                           WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status_after,
       coalesce(b.tags, '') AS tags_before, coalesce(t.tags, '') AS tags_after
FROM changes c
JOIN lists l ON l.id = c.list
JOIN events e ON e.list = c.list AND e.version = c.version
LEFT JOIN tag_sets b ON b.list = e.list AND b.id = e.tags_before
LEFT JOIN tag_sets t ON t.list = e.list AND t.id = e.tags_after;
