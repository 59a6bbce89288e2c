-- name: credentials.next_id
SELECT coalesce(max(id), 0) + 1 AS id FROM credentials WHERE customer = :customer;

-- name: credentials.user_taken
-- Revoked ones too: a user name is never given to anybody else.
SELECT 1 FROM credentials WHERE "user" = :user;

-- name: credentials.name_taken
-- By somebody else, or by a log-in that is live: its own name a customer may have again.
SELECT 1 FROM credentials WHERE "user" = :user AND (customer <> :customer OR revoked_at IS NULL);

-- name: credentials.add
INSERT INTO credentials (customer, id, kind, "user", secret, issued_at, issued_by)
VALUES (:customer, :id, :kind, :user, :secret, :now, :by);

-- name: credentials.of_user
SELECT * FROM credentials WHERE "user" = :user AND revoked_at IS NULL;

-- name: credentials.of_token
-- `secret` is the token's SHA-256.
SELECT "user", customer, kind FROM credentials WHERE secret = :secret AND revoked_at IS NULL;

-- name: credentials.list
SELECT customer, id, kind, "user", issued_at, issued_by, revoked_at, revoked_by FROM credentials
WHERE customer = :customer ORDER BY id;

-- name: credentials.revoke
UPDATE credentials SET revoked_at = :now, revoked_by = :by
WHERE customer = :customer AND "user" = :user AND revoked_at IS NULL AND (:kind IS NULL OR kind = :kind);

-- name: credentials.live
-- Whose log-ins or tokens could be used.
SELECT DISTINCT customer FROM credentials WHERE revoked_at IS NULL AND customer <> '';

-- name: credentials.gateway
SELECT 1 FROM credentials WHERE revoked_at IS NULL AND kind = 'gateway' LIMIT 1;

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
-- Those outside the window, and those from a clock that was set back since.
DELETE FROM login_failures WHERE at <= :before OR at > :ahead;

-- name: lockouts.put
INSERT INTO lockouts (ip, since, until, failures) VALUES (:ip, :now, :until, :failures)
ON CONFLICT (ip) DO UPDATE SET since = excluded.since, until = excluded.until, failures = excluded.failures;

-- name: lockouts.get
SELECT * FROM lockouts WHERE ip = :ip AND until > :now;

-- name: lockouts.active
SELECT * FROM lockouts WHERE until > :now ORDER BY until;

-- name: lockouts.remove
DELETE FROM lockouts WHERE ip = :ip RETURNING *;

-- name: lockouts.prune
-- Those that are over, and those from a clock that was set back since.
DELETE FROM lockouts WHERE until <= :now OR since > :ahead;

-- name: logins.stale
-- Whether there is anything to prune.
SELECT 1 FROM lockouts WHERE until <= :now OR since > :ahead
UNION ALL SELECT 1 FROM login_failures WHERE at <= :before OR at > :ahead LIMIT 1;

-- name: unlocks.add
INSERT INTO unlocks (ip, unlocked_at, unlocked_by, since, until, failures)
VALUES (:ip, :now, :by, :since, :until, :failures);

-- name: unlocks.all
SELECT * FROM unlocks ORDER BY unlocked_at DESC, ip;

-- name: approvals.put
INSERT INTO approvals (customer, feed, fingerprint, at, approved_by, sample_sha256, sample_newline)
VALUES (:customer, :feed, :fingerprint, :now, :by, :sample_sha256, :sample_newline)
ON CONFLICT (customer, feed) DO UPDATE SET fingerprint = excluded.fingerprint, at = excluded.at,
    approved_by = excluded.approved_by, sample_sha256 = excluded.sample_sha256,
    sample_newline = excluded.sample_newline;

-- name: approvals.get
SELECT * FROM approvals WHERE customer = :customer AND feed = :feed;
