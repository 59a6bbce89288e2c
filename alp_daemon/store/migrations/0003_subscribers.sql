-- Brands: lists of e-mail subscribers, their interests, and what else is known of them.

-- A brand's list is called like its customer with /mail behind it; its keys are rows of emails.

-- The addresses behind the keys of a mail list. An address has one key for ever.
CREATE TABLE emails (
    list     INTEGER NOT NULL REFERENCES lists(id),
    key      INTEGER NOT NULL,
    address  TEXT NOT NULL,
    PRIMARY KEY (list, key),
    UNIQUE (list, address)
) STRICT, WITHOUT ROWID;

-- The attributes of a subscriber are one immutable row, a JSON object sorted by name; 0 is the empty one.
CREATE TABLE attribute_sets (
    list        INTEGER NOT NULL REFERENCES lists(id),
    id          INTEGER NOT NULL,
    attributes  TEXT NOT NULL,
    PRIMARY KEY (list, id)
) STRICT, WITHOUT ROWID;

-- The interests that operators have made. Uploads may name no others.
CREATE TABLE interests (
    list        INTEGER NOT NULL REFERENCES lists(id),
    name        TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    PRIMARY KEY (list, name)
) STRICT, WITHOUT ROWID;

-- Fields of subscribers, made by the first upload that defines them: what a field is does not change afterwards.
CREATE TABLE fields (
    list         INTEGER NOT NULL REFERENCES lists(id),
    name         TEXT NOT NULL,
    type         TEXT NOT NULL,                -- PersonalInfo, ID, Source, NewsFormat or Demographic
    data_type    TEXT NOT NULL,                -- String, Integer, Float or Date
    demographic  TEXT NOT NULL,                -- Standard, State or Country; '' for the others
    is_multiple  INTEGER NOT NULL,
    upload       INTEGER NOT NULL,
    PRIMARY KEY (list, name)
) STRICT, WITHOUT ROWID;

-- The values that a demographic category has.
CREATE TABLE target_groups (
    list   INTEGER NOT NULL REFERENCES lists(id),
    field  TEXT NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (list, field, name)
) STRICT, WITHOUT ROWID;

DROP VIEW numbers;
CREATE VIEW numbers AS
SELECT l.customer,
       '+' || a.key AS number,
       CASE a.status WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                     WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status,
       coalesce(t.tags, '') AS tags
FROM addresses a
JOIN lists l ON l.id = a.list AND l.customer NOT LIKE '%/mail'
LEFT JOIN tag_sets t ON t.list = a.list AND t.id = a.tag_set;

CREATE VIEW subscribers AS
SELECT replace(l.customer, '/mail', '') AS customer,
       e.address AS email,
       CASE a.status WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                     WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status,
       coalesce(t.tags, '') AS interests,
       coalesce(s.attributes, '{}') AS attributes
FROM addresses a
JOIN lists l ON l.id = a.list
JOIN emails e ON e.list = a.list AND e.key = a.key
LEFT JOIN tag_sets t ON t.list = a.list AND t.id = a.tag_set
LEFT JOIN attribute_sets s ON s.list = a.list AND s.id = a.attrs;

DROP VIEW history;
CREATE VIEW history AS
SELECT l.customer,
       CASE WHEN m.address IS NULL THEN '+' || e.key END AS number,
       m.address AS email,
       c.at, c.actor, c.source, c.channel, c.upload, c.message, c.note,
       CASE e.status_before WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                            WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status_before,
       CASE e.status_after WHEN 0 THEN 'absent' WHEN 1 THEN 'opted_in' WHEN 2 THEN 'suspended'
                           WHEN 3 THEN 'opted_out' ELSE 'unsubscribed' END AS status_after,
       coalesce(b.tags, '') AS tags_before, coalesce(t.tags, '') AS tags_after,
       coalesce(f.attributes, '{}') AS attributes_before, coalesce(g.attributes, '{}') AS attributes_after
FROM changes c
JOIN lists l ON l.id = c.list
JOIN events e ON e.list = c.list AND e.version = c.version
LEFT JOIN emails m ON m.list = e.list AND m.key = e.key
LEFT JOIN tag_sets b ON b.list = e.list AND b.id = e.tags_before
LEFT JOIN tag_sets t ON t.list = e.list AND t.id = e.tags_after
LEFT JOIN attribute_sets f ON f.list = e.list AND f.id = e.attrs_before
LEFT JOIN attribute_sets g ON g.list = e.list AND g.id = e.attrs_after;
