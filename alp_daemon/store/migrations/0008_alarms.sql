-- Files that are expected, and those that did not come.

-- The feeds whose file is expected by a certain time. Slots up to `judged_until` are over: it was looked whether a file
-- came for them, or nobody expected one yet. `schedule` is when they are: a change of it begins anew, and nodes whose
-- customers' files differ do not hinder each other. What no node has expected since `seen_at` is forgotten after a while.
CREATE TABLE expectations (
    customer      TEXT NOT NULL,
    feed          TEXT NOT NULL,
    schedule      TEXT NOT NULL,
    judged_until  TEXT NOT NULL,
    seen_at       TEXT NOT NULL,
    PRIMARY KEY (customer, feed, schedule)
) STRICT, WITHOUT ROWID;

-- A slot for which no file came. One row is one mail, however often and on however many nodes it is looked.
CREATE TABLE alarms (
    customer   TEXT NOT NULL,
    feed       TEXT NOT NULL,
    slot       TEXT NOT NULL,
    since      TEXT NOT NULL,                  -- a file that came after this would have counted
    raised_at  TEXT NOT NULL,
    ended_at   TEXT,                           -- a file came, or none is expected any more
    upload     INTEGER,                        -- the file that came
    PRIMARY KEY (customer, feed, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX alarms_open ON alarms (customer, feed) WHERE ended_at IS NULL;

-- Whether a file of a feed came: one seek.
CREATE INDEX uploads_of_feed ON uploads (customer, feed, received_at);
