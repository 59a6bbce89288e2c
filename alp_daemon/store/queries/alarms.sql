-- name: expectations.all
SELECT customer, feed, schedule, judged_until, seen_at FROM expectations ORDER BY customer, feed, schedule;

-- name: expectations.seen
-- Expected from now on, or still.
INSERT INTO expectations (customer, feed, schedule, judged_until, seen_at)
VALUES (:customer, :feed, :schedule, :now, :now)
ON CONFLICT (customer, feed, schedule) DO UPDATE SET seen_at = excluded.seen_at;

-- name: expectations.judged
UPDATE expectations SET judged_until = :slot WHERE customer = :customer AND feed = :feed AND schedule = :schedule;

-- name: expectations.forget
-- Unless another node has seen it meanwhile.
DELETE FROM expectations
WHERE customer = :customer AND feed = :feed AND schedule = :schedule AND seen_at < :seen_before;

-- name: expectations.approved
-- Feeds whose files were ever approved to be applied; one that lapsed is expected on.
SELECT customer, feed FROM approvals;

-- name: alarms.raise
-- 0 rows where another node was quicker: then the mail is its mail.
INSERT INTO alarms (customer, feed, slot, since, raised_at) VALUES (:customer, :feed, :slot, :since, :now)
ON CONFLICT (customer, feed, slot) DO NOTHING;

-- name: alarms.open
SELECT customer, feed, slot, since, raised_at FROM alarms WHERE ended_at IS NULL ORDER BY customer, feed, slot;

-- name: alarms.end
UPDATE alarms SET ended_at = :now, upload = :upload
WHERE customer = :customer AND feed = :feed AND slot = :slot AND ended_at IS NULL;

-- name: alarms.came
-- What came of a feed after a time. A held file came. A rejected one did not: there was no list in it. Nor did one that
-- its sender deleted, which is erased at its end. Sidecars are among them.
SELECT id, name, folder, received_at FROM uploads
WHERE customer = :customer AND feed = :feed AND received_at > :since AND state <> 'rejected'
  AND (state <> 'discarded' OR erased_at IS NULL OR erased_at > finished_at)
ORDER BY received_at, id;

-- name: alarms.newest
-- The newest file of a feed, whatever became of it.
SELECT id, state, reason, received_at FROM uploads WHERE customer = :customer AND feed = :feed
ORDER BY received_at DESC, id DESC LIMIT 1;
