-- name: restore.newest
-- How far a database has come.
SELECT (SELECT count(*) FROM changes) AS changes, (SELECT coalesce(max(id), 0) FROM uploads) AS upload,
       (SELECT max(at) FROM changes) AS changed_at, (SELECT max(received_at) FROM uploads) AS received_at;

-- name: restore.after
-- The uploads that came after this one.
SELECT id, customer, name, folder, received_at, actor, state, object, erased_at FROM uploads WHERE id > :upload ORDER BY id;

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
