-- name: lists.of
SELECT * FROM lists WHERE customer = :customer;

-- name: lists.add
INSERT INTO lists (customer, created_at) VALUES (:customer, :now)
ON CONFLICT (customer) DO NOTHING;

-- name: lists.all
SELECT * FROM lists ORDER BY customer;

-- name: lists.holding
-- One seek into each list.
SELECT l.customer FROM lists l CROSS JOIN addresses a WHERE a.list = l.id AND a.key = :key;

-- name: lists.without_import
SELECT l.customer FROM lists l
WHERE l.imported_at IS NULL
  AND EXISTS (SELECT 1 FROM uploads u WHERE u.customer = l.customer AND u.state = 'applied')
ORDER BY l.customer;

-- name: lists.mark_imported
UPDATE lists SET imported_at = :now, imported_by = :by WHERE id = :list;

-- name: lists.advance
-- 0 rows: another transaction moved the list, and this plan no longer fits.
UPDATE lists SET version = :version, digest = :digest WHERE id = :list AND version = :version - 1;

-- name: lists.count_by_status
SELECT status, count(*) AS n FROM addresses WHERE list = :list GROUP BY status;

-- name: tag_sets.all
SELECT id, tags FROM tag_sets WHERE list = :list;

-- name: tag_sets.add
INSERT INTO tag_sets (list, id, tags) VALUES (:list, :id, :tags);

-- name: feed_bits.get
SELECT bit FROM feed_bits WHERE list = :list AND feed = :feed;

-- name: feed_bits.next
SELECT coalesce(max(bit), -1) + 1 AS bit FROM feed_bits WHERE list = :list;

-- name: feed_bits.keep
INSERT INTO feed_bits (list, feed, bit) VALUES (:list, :feed, :bit) ON CONFLICT (list, feed) DO NOTHING;

-- name: first_listings.add
INSERT INTO first_listings (list, upload, keys) VALUES (:list, :upload, :keys);

-- name: first_listings.get
SELECT keys FROM first_listings WHERE list = :list AND upload = :upload;

-- name: first_listings.forget
DELETE FROM first_listings WHERE list = :list AND upload = :upload;

-- name: changes.add
INSERT INTO changes (list, version, at, actor, source, channel, upload, message, note, events, digest)
VALUES (:list, :version, :at, :actor, :source, :channel, :upload, :message, :note, :events, :digest);

-- name: changes.of_list
SELECT * FROM changes WHERE list = :list ORDER BY version;

-- name: changes.of_upload
-- Its own changes, not those of an undo.
SELECT version FROM changes WHERE list = :list AND upload = :upload AND source = 'file' ORDER BY version;

-- name: changes.undone
-- What files did that were undone since, the newest first.
SELECT c.version FROM changes c JOIN uploads u ON u.id = c.upload
WHERE c.list = :list AND c.source = 'file' AND u.undone_at IS NOT NULL ORDER BY c.version DESC;

-- name: events.of_address
-- One seek into the events of each change, newest last: a few microseconds a change, whatever the list's size.
SELECT c.version, c.at, c.actor, c.source, c.channel, c.upload, c.message, c.note,
       e.status_before, e.status_after, e.tags_before, e.tags_after, e.attrs_before, e.attrs_after
FROM changes c CROSS JOIN events e
WHERE c.list = :list AND e.list = c.list AND e.version = c.version AND e.key = :key ORDER BY c.version;

-- name: events.changed_keys
SELECT DISTINCT key FROM events WHERE list = :list AND version > :version ORDER BY key;

-- name: events.end_user_stops
-- Addresses whose own end user said STOP after a version: nothing but their keyword message may lift that.
SELECT DISTINCT e.key FROM changes c JOIN events e ON e.list = c.list AND e.version = c.version
WHERE c.list = :list AND c.version > :version AND c.source = 'end_user' AND e.status_after IN (3, 4)
ORDER BY e.key;

-- name: events.standing_since
-- Addresses of one change of which something was said after it that stands, even where nothing changed: by whatever but
-- undos and the files that were undone. Uploads can be undone one after the other, in any order.
SELECT DISTINCT e.key FROM changes c JOIN events e ON e.list = c.list AND e.version = c.version
JOIN events own ON own.list = e.list AND own.version = :version AND own.key = e.key
LEFT JOIN uploads u ON u.id = c.upload
WHERE c.list = :list AND c.version > :version AND c.source <> 'undo'
  AND (c.source <> 'file' OR u.undone_at IS NULL)
ORDER BY e.key;

-- name: line_types.clear
DELETE FROM line_types;

-- name: line_types.add
INSERT INTO line_types (digits, whole, type) VALUES (:digits, :whole, :type)
ON CONFLICT (digits, whole) DO UPDATE SET type = excluded.type;

-- name: line_types.of_key
-- The row that decides about one number: its own, else that of its longest prefix. `loaded` says whether there is
-- any data at all.
WITH RECURSIVE heads(digits) AS (SELECT CAST(:key AS BIGINT) UNION ALL SELECT digits / 10 FROM heads WHERE digits >= 10)
SELECT EXISTS (SELECT 1 FROM line_types) AS loaded,
       (SELECT t.type FROM line_types t JOIN heads h ON h.digits = t.digits
        WHERE t.whole = 0 OR t.digits = :key
        ORDER BY t.whole DESC, t.digits DESC LIMIT 1) AS type;

-- name: line_types.all
SELECT digits, whole, type FROM line_types ORDER BY digits;
