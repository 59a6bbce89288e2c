-- name: console.by_hour
-- What came since a time, by hour and by what became of it.
SELECT substr(received_at, 1, 13) AS hour, state, undone_at IS NOT NULL AS is_undone, count(*) AS n FROM uploads
WHERE received_at >= :since GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: console.waiting
-- What is still to be done. A failed file that was erased can only be sent again.
SELECT state, count(*) AS n FROM uploads
WHERE state IN ('received', 'held', 'failed') AND erased_at IS NULL GROUP BY state;

-- name: console.find
-- Newest first, from after the upload `before` on. The index gives the order, so that a page reads few rows.
SELECT * FROM uploads
WHERE received_at >= :since AND received_at < :until
  AND (:customer IS NULL OR customer = :customer)
  AND (:state IS NULL OR CASE WHEN undone_at IS NOT NULL THEN 'undone' ELSE state END = :state)
  AND (:channel IS NULL OR channel = :channel)
  AND (:name IS NULL OR replace(lower(name), lower(:name), '') <> lower(name))
  AND (:before IS NULL OR (received_at, id) < (SELECT received_at, id FROM uploads WHERE id = :before))
ORDER BY received_at DESC, id DESC LIMIT :limit;

-- name: console.usage
SELECT customer, substr(finished_at, 1, 7) AS month, mode, count(*) AS uploads, sum(never_seen) AS never_seen
FROM uploads WHERE state = 'applied' AND finished_at >= :since GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: console.set_up
-- Since when a customer could send anything: its first log-in or approval.
SELECT customer, min(at) AS at
FROM (SELECT customer, issued_at AS at FROM credentials WHERE customer <> ''
      UNION ALL SELECT customer, at FROM approvals) AS steps
GROUP BY customer;

-- name: console.size_steps
-- By how many the newest changes moved the opted-in addresses, newest first. `events` bounds what is read.
WITH newest AS (SELECT version, at, source, upload, events FROM changes
                WHERE list = :list ORDER BY version DESC LIMIT :changes),
     summed AS (SELECT *, sum(events) OVER (ORDER BY version DESC) AS so_far FROM newest)
SELECT s.version, s.at, s.source, s.upload,
       (SELECT count(*) FILTER (WHERE e.status_after = 1) - count(*) FILTER (WHERE e.status_before = 1)
        FROM events e
        WHERE e.list = :list AND e.version = s.version) AS step
FROM summed s WHERE s.so_far <= :events ORDER BY s.version DESC;

-- name: approval_links.add
INSERT INTO approval_links (token, customer, feed, fingerprint, sent_at, sent_by, expires_at, sample_sha256,
                            sample_newline, sheet)
VALUES (:token, :customer, :feed, :fingerprint, :now, :by, :expires_at, :sample_sha256, :sample_newline, :sheet);

-- name: approval_links.get
SELECT * FROM approval_links WHERE token = :token;

-- name: approval_links.of_customer
SELECT feed, sent_at, sent_by, expires_at, decision, decided_at, decided_by, note FROM approval_links
WHERE customer = :customer ORDER BY sent_at DESC LIMIT :limit;

-- name: approval_links.decide
-- Once only: 0 rows where somebody has decided already, or the link has expired.
UPDATE approval_links
SET decision = :decision, decided_at = :now, decided_by = :by, note = :note, sheet = NULL
WHERE token = :token AND decision IS NULL AND expires_at > :now;

-- name: approval_links.forget
UPDATE approval_links SET sheet = NULL WHERE sheet IS NOT NULL AND expires_at <= :now;
