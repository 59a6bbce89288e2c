-- name: restore.newest
-- How far a database has come. What an earlier restore gave up (`reason`) is not in it any more; its number is.
SELECT (SELECT count(*) FROM changes) AS changes, (SELECT count(*) FROM uploads WHERE reason <> :given_up) AS uploads,
       (SELECT coalesce(max(id), 0) FROM uploads) AS last_upload, (SELECT max(at) FROM changes) AS changed_at,
       (SELECT max(received_at) FROM uploads WHERE reason <> :given_up) AS received_at;

-- name: restore.after
-- The uploads that came after this one.
SELECT id, customer, feed, name, folder, received_at, actor, state, object, erased_at FROM uploads
WHERE id > :upload AND reason <> :given_up ORDER BY id;

-- name: restore.given_up
-- What is kept of them. Who deleted a file, or sent a sidecar, was never told of it in a report.
SELECT id, customer, feed, mode, name, folder, channel, actor, received_at, size, sha256, object, evidence, evidence_note,
       state <> 'discarded' OR EXISTS (SELECT 1 FROM reports r WHERE r.upload = u.id) AS is_reported,
       CASE WHEN reason = :reason THEN finished_at END AS given_up_at
FROM uploads u WHERE id > :upload ORDER BY id;

-- name: restore.give_up
-- Erased at its end, as what its sender deleted: nobody lists it, and what was expected has not come.
INSERT INTO uploads (id, customer, feed, mode, name, folder, channel, actor, received_at, arrived_at, size, sha256, object,
                     evidence, evidence_note, state, reason, finished_at, erased_at)
VALUES (:id, :customer, :feed, :mode, :name, :folder, :channel, :actor, :received_at, :received_at, :size, :sha256, :object,
        :evidence, :evidence_note, 'discarded', :reason, :given_up_at, :given_up_at);

-- name: restore.open
-- What is still to be worked, or may be.
SELECT id, customer, name, object FROM uploads
WHERE state IN ('received', 'held', 'failed') AND erased_at IS NULL AND (waits_for IS NULL OR waits_for <> 'pick_up')
ORDER BY id;

-- name: restore.credentials
-- Who was let in, and until when. A name may be issued anew, so it is known by its moment too.
SELECT customer, kind, "user", issued_at, revoked_at FROM credentials ORDER BY customer, id;

-- name: restore.approvals
SELECT customer, feed, fingerprint, at, approved_by FROM approvals ORDER BY customer, feed;

-- name: restore.interests
SELECT replace(l.customer, '/mail', '') AS customer, i.name AS interest, i.created_at, i.created_by
FROM interests i JOIN lists l ON l.id = i.list ORDER BY l.customer, i.name;

-- name: restore.changes
SELECT version, digest, at, actor, source, channel FROM changes WHERE list = :list ORDER BY version;
