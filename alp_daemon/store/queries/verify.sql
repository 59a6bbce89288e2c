-- name: verify.applied
-- What applied uploads say that they did.
SELECT u.id, u.customer, u.feed, u.version, u.never_seen, r.json FROM uploads u LEFT JOIN reports r ON r.upload = u.id
WHERE u.state = 'applied' AND u.customer = :customer ORDER BY u.id;

-- name: verify.events
SELECT count(*) AS n FROM events WHERE list = :list;

-- name: verify.feed_bits
SELECT bit FROM feed_bits WHERE list = :list;

-- name: verify.first_listings
SELECT upload, keys FROM first_listings WHERE list = :list ORDER BY upload;

-- name: verify.strangers
-- Histories of lists that are not there.
SELECT DISTINCT list FROM changes WHERE list NOT IN (SELECT id FROM lists) ORDER BY list;
