-- name: reports.put
-- The customer is the first part of the key here.
INSERT INTO reports (customer, upload, json, rejects, read_with)
SELECT customer, id, :json, :rejects, :read_with FROM uploads WHERE id = :upload
ON CONFLICT (customer, upload)
DO UPDATE SET json = excluded.json, rejects = excluded.rejects, read_with = excluded.read_with;

-- name: reports.add
-- Unless there is one: a worker's, or what another node has written.
INSERT INTO reports (customer, upload, json, rejects, read_with)
SELECT customer, id, :json, :rejects, :read_with FROM uploads WHERE id = :upload
ON CONFLICT (customer, upload) DO NOTHING;
