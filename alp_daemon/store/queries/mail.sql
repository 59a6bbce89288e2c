-- name: outbox.add
INSERT INTO outbox (customer, upload, recipients, subject, body, created_at, next_at)
VALUES (:customer, :upload, :recipients, :subject, :body, :now, :now);

-- name: outbox.due
SELECT * FROM outbox
WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= :now ORDER BY id LIMIT :limit;

-- name: outbox.sent
-- What was sent is not kept: it may hold the link to an approval.
UPDATE outbox SET sent_at = :now, attempts = attempts + 1, last_error = '', body = '' WHERE id = :id AND sent_at IS NULL;

-- name: outbox.failed
UPDATE outbox
SET attempts = attempts + 1, next_at = :next_at, last_error = :error, given_up_at = :given_up_at
WHERE id = :id AND sent_at IS NULL;

-- name: outbox.waiting
SELECT count(*) AS n, min(created_at) AS oldest, max(last_error) AS last_error
FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL;

-- name: outbox.given_up
SELECT recipients, last_error FROM outbox WHERE given_up_at > :since ORDER BY id;
