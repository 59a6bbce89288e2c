-- Files that are expected, and those that did not come (see the comments of SQLite's).

CREATE TABLE expectations (
    customer     plain NOT NULL,
    feed         plain NOT NULL,
    schedule     plain NOT NULL,
    judged_until plain NOT NULL,
    seen_at      plain NOT NULL,
    PRIMARY KEY (customer, feed, schedule)
);

CREATE TABLE alarms (
    customer  plain NOT NULL,
    feed      plain NOT NULL,
    slot      plain NOT NULL,
    since     plain NOT NULL,
    raised_at plain NOT NULL,
    ended_at  plain,
    upload    BIGINT,
    PRIMARY KEY (customer, feed, slot)
);
CREATE INDEX alarms_open ON alarms (customer, feed) WHERE ended_at IS NULL;

CREATE INDEX uploads_of_feed ON uploads (customer, feed, received_at);
