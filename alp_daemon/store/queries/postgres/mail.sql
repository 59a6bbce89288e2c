-- name: outbox.claim
-- The next mail that is due, for whoever asks first. It is due again when the claim ends, should its sender have died.
WITH due AS MATERIALIZED (
    SELECT customer, id FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= :now
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE outbox o SET next_at = :until FROM due WHERE o.customer = due.customer AND o.id = due.id
RETURNING o.*;
