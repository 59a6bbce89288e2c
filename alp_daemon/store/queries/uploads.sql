-- name: uploads.add
-- It arrives after all that is in force or may still be, also where the clock was set back meanwhile: else what it
-- overtakes could come after it.
INSERT INTO uploads (customer, feed, name, folder, channel, actor, ip, session, received_at, arrived_at, size, object,
                     sha256, evidence, evidence_note, waits_for, wait_until, node)
VALUES (:customer, :feed, :name, :folder, :channel, :actor, :ip, :session, :now,
        coalesce((SELECT arrived_at FROM uploads WHERE customer = :customer
                  AND state IN ('received', 'held', 'applied') AND arrived_at > :now
                  ORDER BY arrived_at DESC LIMIT 1), :now), :size, :object,
        :sha256, :evidence, :evidence_note, :waits_for, :wait_until, :node)
RETURNING *;

-- name: uploads.get
SELECT * FROM uploads WHERE id = :id;

-- name: uploads.list
-- By the state that people see.
SELECT * FROM uploads
WHERE (:customer IS NULL OR customer = :customer)
  AND (:state IS NULL OR CASE WHEN undone_at IS NOT NULL THEN 'undone' ELSE state END = :state)
ORDER BY id DESC LIMIT :limit;

-- name: uploads.forget
-- Its file was never taken out of the drop folder.
DELETE FROM uploads WHERE id = :id AND state = 'received' AND waits_for = 'pick_up';

-- name: uploads.settle
-- Only what is still open: the first evidence stands.
UPDATE uploads SET evidence = :evidence, evidence_note = :note WHERE id = :id AND evidence IS NULL;

-- name: uploads.mark_changed
-- It is not the file that was seen, or not as it was seen: nobody can say that it is whole.
UPDATE uploads SET evidence = 'cut', evidence_note = :note, size = :size WHERE id = :id AND state = 'received';

-- name: uploads.settle_orphans
-- The daemon died between the 226 and its verdict: nobody saw how the client left, so the file counts as cut. Said by
-- the node that took the file in, when it starts again.
UPDATE uploads SET evidence = 'cut', evidence_note = :note
WHERE evidence IS NULL AND state = 'received' AND node IN (:node, '') RETURNING id;

-- name: uploads.unsettled
-- Files that came before, and of which nobody has said yet whether they are whole.
SELECT id, node FROM uploads WHERE evidence IS NULL AND state = 'received' AND received_at <= :since;

-- name: uploads.picking_up
-- Files on their way out of this node's drop folder; nobody else can see where they are.
SELECT * FROM uploads
WHERE state = 'received' AND waits_for = 'pick_up' AND node IN (:node, '') ORDER BY arrived_at, id;

-- name: uploads.picked_up_by
SELECT node, count(*) AS n FROM uploads WHERE state = 'received' AND waits_for = 'pick_up' GROUP BY node ORDER BY node;

-- name: uploads.last_arrival
-- Of the others that are in force or may still be; none where all of them came before.
SELECT arrived_at AS at FROM uploads
WHERE customer = :customer AND state IN ('received', 'held', 'applied') AND arrived_at >= :now AND id <> :id
ORDER BY arrived_at DESC LIMIT 1;

-- name: uploads.rename
-- A rename is the upload's arrival: it queues from now on under its final name.
UPDATE uploads
SET name = :name, folder = :folder, feed = :feed, arrived_at = :now, waits_for = :waits_for, wait_until = :wait_until
WHERE id = :id AND customer = :customer AND state = 'received' AND lease_owner IS NULL;

-- name: uploads.hold_back
-- Takes an upload out of the queue while its rename is under way. Fails (0 rows) once a worker has it.
UPDATE uploads SET waits_for = 'rename', wait_until = :until
WHERE id = :id AND state = 'received' AND lease_owner IS NULL;

-- name: uploads.place
-- Into the queue (waits_for NULL) or out of it, at the old place in the order.
UPDATE uploads SET feed = :feed, waits_for = :waits_for, wait_until = :wait_until
WHERE id = :id AND state = 'received' AND lease_owner IS NULL;

-- name: uploads.withdraw
-- Its sender deleted it. It is erased at once, so that a listing does not show it any more.
UPDATE uploads
SET state = 'discarded', reason = :reason, finished_at = :now, erased_at = :now, waits_for = NULL, wait_until = NULL
WHERE id = :id AND state = 'received' AND lease_owner IS NULL
RETURNING object;

-- name: uploads.of_object
SELECT id FROM uploads WHERE customer = :customer AND object = :object AND state = 'received';

-- name: uploads.withdraw_object
-- Its sender was told that it was not kept.
UPDATE uploads
SET state = 'discarded', reason = :reason, finished_at = :now, erased_at = :now, waits_for = NULL, wait_until = NULL
WHERE customer = :customer AND object = :object AND state = 'received' AND lease_owner IS NULL
RETURNING id;

-- name: uploads.expired_waits
-- What is asked of a sidecar first takes reading it: see below.
SELECT * FROM uploads
WHERE state = 'received' AND waits_for IS NOT NULL AND waits_for <> 'file' AND wait_until <= :now ORDER BY id;

-- name: uploads.expired_sidecars
SELECT * FROM uploads
WHERE state = 'received' AND waits_for = 'file' AND wait_until <= :now ORDER BY id;

-- name: uploads.without_sidecar
-- The newest file of that name, where it went on without a sidecar: none if one has met it.
SELECT u.* FROM uploads u
WHERE u.id = (SELECT n.id FROM uploads n WHERE n.customer = :customer AND n.folder = :folder AND n.name = :name
              ORDER BY n.arrived_at DESC, n.id DESC LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM uploads s
                  WHERE s.customer = :customer AND s.folder = :folder AND s.name = :sidecar
                    AND s.reason = 'sidecar of ' || u.id);

-- name: uploads.add_doubt
-- Something speaks against it after its end.
UPDATE uploads SET evidence_note = :note, amended_at = :now WHERE id = :id;

-- name: uploads.end_wait
-- Who ends a wait has the upload to itself until its commit. Nothing (0 rows) where it does not wait for that any more:
-- a rename, or another node, was quicker.
UPDATE uploads SET wait_until = NULL
WHERE id = :id AND state = 'received' AND lease_owner IS NULL AND waits_for = :waits_for AND wait_until = :wait_until;

-- name: uploads.waiting
SELECT * FROM uploads WHERE state = 'received' AND waits_for = :waits_for ORDER BY arrived_at, id;

-- name: uploads.session_open
SELECT * FROM uploads WHERE session = :session AND state = 'received' AND waits_for IS NOT NULL ORDER BY id;

-- name: uploads.recent
-- What LIST and SIZE still answer for, the newest last. What its sender deleted is erased.
SELECT * FROM uploads
WHERE customer = :customer AND channel IN ('ftp', 'ftps') AND erased_at IS NULL
  AND (received_at >= :since OR state = 'received' OR (session = :session AND session <> ''))
ORDER BY arrived_at, id;

-- name: uploads.awaiting_sidecar
-- The newest settled file of that name that waits, or is held, for want of its sidecar.
SELECT * FROM uploads
WHERE customer = :customer AND folder = :folder AND name = :name AND evidence IS NOT NULL
  AND ((state = 'received' AND waits_for = 'sidecar') OR (state = 'held' AND hold LIKE '%"code": "sidecar_missing"%'))
ORDER BY arrived_at DESC, id DESC LIMIT 1;

-- name: uploads.join_sidecar
-- The file queues at its old place. Nothing (0 rows) if somebody else has decided about it meanwhile.
UPDATE uploads
SET state = 'received', evidence = :evidence, evidence_note = :note, waits_for = NULL, wait_until = NULL, hold = NULL,
    reason = '', held_at = NULL, finished_at = NULL
WHERE id = :id AND evidence = :was
  AND ((state = 'received' AND waits_for = 'sidecar') OR (state = 'held' AND hold LIKE '%"code": "sidecar_missing"%'));

-- name: uploads.due_customers
-- Customers whose oldest due upload is settled, and who have none in work. One not yet settled blocks those behind it:
-- order is kept. One pass over what waits: the dispatcher asks often, and thousands may wait.
SELECT customer, min(arrived_at) AS since FROM uploads
WHERE state = 'received' AND waits_for IS NULL
GROUP BY customer
HAVING count(CASE WHEN lease_until > :now THEN 1 END) = 0
   AND coalesce(min(CASE WHEN evidence IS NULL THEN arrived_at END) > min(arrived_at), true)
ORDER BY since;

-- name: uploads.next
-- The customer's oldest upload that does not wait for anything.
SELECT * FROM uploads
WHERE customer = :customer AND state = 'received' AND waits_for IS NULL
ORDER BY arrived_at, id LIMIT 1;

-- name: uploads.leased
SELECT id, lease_owner FROM uploads
WHERE customer = :customer AND state = 'received' AND lease_owner IS NOT NULL AND lease_until > :now LIMIT 1;

-- name: uploads.lease
-- Nothing (0 rows) where somebody has decided about it meanwhile: it is out of the queue, or another owner's.
UPDATE uploads
SET lease_owner = :owner, lease_until = :until, attempts = attempts + 1, started_at = :now
WHERE id = :id AND state = 'received' AND waits_for IS NULL AND evidence IS NOT NULL
  AND coalesce(lease_owner, '') = coalesce(:seen, '');

-- name: uploads.extend_leases
UPDATE uploads SET lease_until = :until WHERE lease_owner = :owner AND state = 'received';

-- name: uploads.drop_lease
UPDATE uploads SET lease_owner = NULL, lease_until = NULL WHERE id = :id AND lease_owner = :owner;

-- name: uploads.give_back
-- A passing trouble, which does not count as an attempt.
UPDATE uploads SET lease_owner = NULL, lease_until = NULL, attempts = attempts - 1
WHERE id = :id AND lease_owner = :owner;

-- name: uploads.leases
SELECT id, lease_owner FROM uploads WHERE state = 'received' AND lease_owner IS NOT NULL;

-- name: uploads.finish
-- The lease is the fence: a worker that lost it changes nothing (0 rows, and its transaction is rolled back). What an
-- end without a reading does not know stays as it was. What was allowed under another configuration is not any more.
UPDATE uploads
SET state = :state, reason = :reason, hold = :hold, feed = :feed, mode = :mode,
    waived = CASE WHEN coalesce(:config, config, '') = coalesce(config, :config, '') THEN waived END,
    config = coalesce(:config, config), sha256 = coalesce(:sha256, sha256),
    evidence = :evidence, evidence_note = :evidence_note, version = :version, never_seen = :never_seen,
    finished_at = :now, held_at = CASE WHEN :state = 'held' THEN :now END, lease_owner = NULL,
    lease_until = NULL,
    applied_order = CASE WHEN :state = 'applied' THEN
                    (SELECT coalesce(max(a.applied_order), 0) + 1 FROM uploads a
                     WHERE a.customer = uploads.customer AND a.applied_order IS NOT NULL) END
WHERE id = :id AND state = 'received' AND lease_owner = :owner;

-- name: uploads.requeue
-- A release: the upload queues again, at its old place in the order. Held once more, its 30 days begin anew.
-- A failed one too: after the program's fault is mended it is tried again.
UPDATE uploads
SET state = 'received', waived = :waived, released_by = :by, released_at = :at, attempts = 0, reason = '',
    waits_for = NULL, wait_until = NULL, finished_at = NULL, reminded_at = NULL
WHERE id = :id AND state IN ('held', 'failed');

-- name: uploads.discard
UPDATE uploads SET state = 'discarded', reason = :reason, finished_at = :now, waits_for = NULL
WHERE id = :id AND state IN ('received', 'held') AND lease_owner IS NULL;

-- name: uploads.reject_waiting
UPDATE uploads SET state = 'rejected', reason = :reason, finished_at = :now, waits_for = NULL, wait_until = NULL
WHERE id = :id AND state = 'received' AND lease_owner IS NULL;

-- name: uploads.hold_without_sidecar
UPDATE uploads
SET state = 'held', reason = :reason, hold = :hold, held_at = :now, finished_at = :now, waits_for = NULL,
    wait_until = NULL
WHERE id = :id AND state = 'received' AND lease_owner IS NULL;

-- name: uploads.supersede
-- A later file of the same feed was applied: the older held ones can only do harm now. Older by both measures: a
-- rename is a new arrival, and a clock that was set back makes a new upload look old.
UPDATE uploads SET state = 'discarded', reason = 'superseded by ' || :id, finished_at = :now
WHERE customer = :customer AND feed = :feed AND state = 'held' AND id < :id AND arrived_at <= :arrived_at
RETURNING id;

-- name: uploads.overtaken_by
-- The same from the older one's side, for what was neither held nor due when the later one was applied.
SELECT id FROM uploads
WHERE customer = :customer AND feed = :feed AND state = 'applied' AND undone_at IS NULL
  AND id > :id AND arrived_at >= :arrived_at
ORDER BY id DESC LIMIT 1;

-- name: uploads.held_for
-- Held for this reason code, oldest first; without a feed, of all feeds.
SELECT * FROM uploads
WHERE customer = :customer AND (:feed IS NULL OR feed = :feed) AND state = 'held'
  AND hold LIKE '%"code": "' || :code || '"%'
ORDER BY arrived_at, id;

-- name: uploads.customers_held_for
SELECT DISTINCT customer FROM uploads WHERE state = 'held' AND hold LIKE '%"code": "' || :code || '"%' ORDER BY customer;

-- name: uploads.hold_waiting
-- Holds what nobody can work: its customer's configuration is gone.
UPDATE uploads
SET state = 'held', reason = :reason, hold = :hold, held_at = :now, finished_at = :now
WHERE customer = :customer AND state = 'received' AND waits_for IS NULL AND evidence IS NOT NULL
  AND lease_owner IS NULL
RETURNING id;

-- name: uploads.held
SELECT * FROM uploads WHERE state = 'held' ORDER BY id;

-- name: uploads.failed
-- As long as their files are there, a release tries them again.
SELECT * FROM uploads WHERE state = 'failed' AND erased_at IS NULL ORDER BY id;

-- name: uploads.reminded
-- Unless somebody else has reminded since.
UPDATE uploads SET reminded_at = :now
WHERE id = :id AND state = 'held' AND coalesce(reminded_at, held_at) <= :before;

-- name: uploads.unwanted
-- Held for so long that nobody can want it any more.
UPDATE uploads SET state = 'discarded', reason = :reason, finished_at = :now
WHERE id = :id AND state = 'held' AND held_at <= :before;

-- name: uploads.later_applied
-- Later by the order of the commits: a clock may have been set back.
SELECT id, mode FROM uploads
WHERE customer = :customer AND feed = :feed AND state = 'applied' AND undone_at IS NULL
  AND applied_order > (SELECT applied_order FROM uploads WHERE id = :id)
ORDER BY applied_order;

-- name: uploads.applied_before
-- A first upload that was undone leaves the next one the first.
SELECT id FROM uploads
WHERE customer = :customer AND feed = :feed AND state = 'applied' AND undone_at IS NULL LIMIT 1;

-- name: uploads.of_version
-- The file that made this version of the list, if it was of this feed, size and configuration. By way of the change:
-- a customer may have years of uploads.
SELECT u.id, u.sha256 FROM changes c JOIN uploads u ON u.id = c.upload
WHERE c.list = :list AND c.version = :version AND u.customer = :customer AND u.state = 'applied'
  AND u.version = :version AND u.feed = :feed AND u.size = :size AND u.config = :config;

-- name: uploads.mark_undone
UPDATE uploads SET undone_by = :by, undone_at = :now, amended_at = :now WHERE id = :id AND undone_at IS NULL;

-- name: uploads.erasable
-- Held files are kept whole until a person or the 30 days decide.
SELECT id, customer, object FROM uploads
WHERE erased_at IS NULL AND state IN ('applied', 'rejected', 'failed', 'discarded') AND finished_at < :before;

-- name: uploads.erased
UPDATE uploads SET erased_at = :now WHERE id = :id;

-- name: uploads.objects
SELECT object FROM uploads WHERE erased_at IS NULL;

-- name: uploads.unreported
SELECT * FROM uploads u
WHERE state IN ('held', 'rejected', 'failed') AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.upload = u.id)
ORDER BY id;

-- name: uploads.reported
-- What the customer finds reports of, ended since, or amended since. `told_at` is when the last of it became known.
SELECT id, customer, name, CASE WHEN amended_at > finished_at THEN amended_at ELSE finished_at END AS told_at FROM uploads u
WHERE customer = :customer AND (finished_at > :since OR amended_at > :since) AND state <> 'received'
  AND EXISTS (SELECT 1 FROM reports r WHERE r.upload = u.id);

-- name: uploads.reported_one
SELECT id, customer, name, CASE WHEN amended_at > finished_at THEN amended_at ELSE finished_at END AS told_at FROM uploads u
WHERE id = :id AND customer = :customer AND state <> 'received' AND finished_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM reports r WHERE r.upload = u.id);

-- name: uploads.reported_since
-- The same of all customers. In no order: for that SQLite would go through all uploads there are.
SELECT id, customer, name, CASE WHEN amended_at > finished_at THEN amended_at ELSE finished_at END AS told_at FROM uploads u
WHERE (finished_at > :since OR amended_at > :since) AND state <> 'received'
  AND EXISTS (SELECT 1 FROM reports r WHERE r.upload = u.id);

-- name: uploads.oldest_in_work
-- When it was taken up; now, where nothing is in work.
SELECT coalesce(min(started_at), :now) AS taken_up_at FROM uploads WHERE state = 'received' AND lease_owner IS NOT NULL;

-- name: uploads.with_report
SELECT u.*, CASE WHEN u.amended_at > u.finished_at THEN u.amended_at ELSE u.finished_at END AS told_at, r.json, r.rejects
FROM uploads u JOIN reports r ON r.upload = u.id
WHERE u.id = :id AND u.state <> 'received' AND u.finished_at IS NOT NULL;

-- name: uploads.usage
-- By month and mode: how many uploads were applied and how many addresses were new to the list.
SELECT substr(finished_at, 1, 7) AS month, mode, count(*) AS uploads, sum(never_seen) AS never_seen_before
FROM uploads
WHERE customer = :customer AND state = 'applied' AND (:month IS NULL OR substr(finished_at, 1, 7) = :month)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: reports.forget
-- It tells of an earlier hold; a new one is written.
DELETE FROM reports WHERE upload = :upload;

-- name: reports.get
SELECT json, rejects, read_with FROM reports WHERE upload = :upload;
