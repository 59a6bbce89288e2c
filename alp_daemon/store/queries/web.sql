-- name: sessions.add
INSERT INTO sessions (secret, "user", started_at, seen_at) VALUES (:secret, :user, :now, :now);

-- name: sessions.get
-- A live session and whose it is. None for a log-in that was revoked.
SELECT s."user", s.seen_at, c.customer, c.kind FROM sessions s JOIN credentials c ON c."user" = s."user"
WHERE s.secret = :secret AND s.seen_at > :idle_since AND s.started_at > :oldest AND c.revoked_at IS NULL;

-- name: sessions.seen
UPDATE sessions SET seen_at = :now WHERE secret = :secret AND seen_at < :now;

-- name: sessions.remove
DELETE FROM sessions WHERE secret = :secret;

-- name: sessions.prune
DELETE FROM sessions WHERE seen_at <= :idle_since OR started_at <= :oldest;

-- name: answers.get
SELECT request, answer FROM answers WHERE customer = :customer AND key = :key AND at > :since;

-- name: answers.put
-- In the place of one that is too old to count.
INSERT INTO answers (customer, key, request, answer, at) VALUES (:customer, :key, :request, :answer, :now)
ON CONFLICT (customer, key) DO UPDATE SET request = excluded.request, answer = excluded.answer, at = excluded.at;

-- name: answers.prune
DELETE FROM answers WHERE at <= :before;

-- name: counters.add
INSERT INTO counters (name, label, value) VALUES (:name, :label, :value)
ON CONFLICT (name, label) DO UPDATE SET value = counters.value + excluded.value;

-- name: counters.all
SELECT name, label, value FROM counters ORDER BY name, label;

-- name: metrics.uploads
SELECT channel, state, count(*) AS n FROM uploads GROUP BY channel, state ORDER BY channel, state;

-- name: metrics.last_applied
SELECT customer, max(finished_at) AS at FROM uploads WHERE state = 'applied' GROUP BY customer ORDER BY customer;
