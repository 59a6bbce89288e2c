-- The console: uploads by the time they came, and feeds that their customer approves by a link.

CREATE INDEX uploads_received ON uploads (received_at);

-- A page that a customer was sent, to approve a feed or to send it back. `token` is the SHA-256 of what the link
-- holds. `sheet` is what the page shows (JSON); it holds numbers, so that it goes with the decision or the link's end.
CREATE TABLE approval_links (
    token          TEXT PRIMARY KEY,
    customer       TEXT NOT NULL,
    feed           TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,              -- of the feed as the page shows it
    sent_at        TEXT NOT NULL,
    sent_by        TEXT NOT NULL,
    expires_at     TEXT NOT NULL,
    sample_sha256  TEXT NOT NULL,
    sample_newline INTEGER NOT NULL,
    sheet          TEXT,
    decision       TEXT,                       -- approved or sent_back
    decided_at     TEXT,
    decided_by     TEXT,                       -- the name that was typed on the page
    note           TEXT NOT NULL DEFAULT ''    -- what is wrong, of one that was sent back
) STRICT, WITHOUT ROWID;
CREATE INDEX approval_links_customer ON approval_links (customer, sent_at);

-- Looked for after each upload; without it all that ever came would be gone through.
CREATE INDEX uploads_unpublished ON uploads (id) WHERE published = 0;
