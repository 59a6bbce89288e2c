-- name: outbox.claim
-- The next mail that is due, for whoever asks first. It is due again when the claim ends, should its sender have died.
UPDATE outbox SET next_at = :until
WHERE id = (SELECT id FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= :now ORDER BY id LIMIT 1)
RETURNING *;
