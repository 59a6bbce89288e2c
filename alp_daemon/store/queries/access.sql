-- name: credentials.next_id
SELECT coalesce(max(id), 0) + 1 AS id FROM credentials WHERE customer = :customer;

-- name: credentials.user_taken
-- Revoked ones too: a user name is never given to anybody else.
SELECT 1 FROM credentials WHERE "user" = :user;

-- name: credentials.add
INSERT INTO credentials (customer, id, kind, "user", secret, issued_at, issued_by)
VALUES (:customer, :id, :kind, :user, :secret, :now, :by);

-- name: credentials.of_user
SELECT * FROM credentials WHERE "user" = :user AND revoked_at IS NULL;

-- name: credentials.of_token
-- `secret` is the token's SHA-256.
SELECT "user", customer, kind FROM credentials WHERE secret = :secret AND revoked_at IS NULL;

-- name: credentials.list
SELECT customer, id, kind, "user", issued_at, issued_by, revoked_at FROM credentials
WHERE customer = :customer ORDER BY id;

-- name: credentials.revoke
UPDATE credentials SET revoked_at = :now
WHERE customer = :customer AND "user" = :user AND revoked_at IS NULL AND (:kind IS NULL OR kind = :kind);

-- name: credentials.forget
-- A revoked one, to make room for the next of the same name.
DELETE FROM credentials WHERE customer = :customer AND "user" = :user AND revoked_at IS NOT NULL;

-- name: credentials.has_live
SELECT count(*) AS n FROM credentials WHERE customer = :customer AND kind = :kind AND revoked_at IS NULL;

-- name: logins.failures
-- Judged failures of one address inside the sliding window, which begins after `since`.
SELECT at FROM login_failures WHERE ip = :ip AND at > :since ORDER BY at;

-- name: logins.add_failure
INSERT INTO login_failures (ip, at) VALUES (:ip, :now);

-- name: logins.forget
DELETE FROM login_failures WHERE ip = :ip;

-- name: logins.prune
DELETE FROM login_failures WHERE at <= :before;

-- name: lockouts.put
INSERT INTO lockouts (ip, since, until, failures) VALUES (:ip, :now, :until, :failures)
ON CONFLICT (ip) DO UPDATE SET since = excluded.since, until = excluded.until, failures = excluded.failures;

-- name: lockouts.get
SELECT * FROM lockouts WHERE ip = :ip AND until > :now;

-- name: lockouts.active
SELECT * FROM lockouts WHERE until > :now ORDER BY until;

-- name: lockouts.remove
DELETE FROM lockouts WHERE ip = :ip;

-- name: lockouts.prune
DELETE FROM lockouts WHERE until <= :now;

-- name: approvals.put
INSERT INTO approvals (customer, feed, fingerprint, at, approved_by, sample_sha256, sample_newline)
VALUES (:customer, :feed, :fingerprint, :now, :by, :sample_sha256, :sample_newline)
ON CONFLICT (customer, feed) DO UPDATE SET fingerprint = excluded.fingerprint, at = excluded.at,
    approved_by = excluded.approved_by, sample_sha256 = excluded.sample_sha256,
    sample_newline = excluded.sample_newline;

-- name: approvals.get
SELECT * FROM approvals WHERE customer = :customer AND feed = :feed;
