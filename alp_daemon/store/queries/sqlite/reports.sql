-- name: reports.put
INSERT INTO reports (upload, json, rejects, read_with) VALUES (:upload, :json, :rejects, :read_with)
ON CONFLICT (upload) DO UPDATE SET json = excluded.json, rejects = excluded.rejects, read_with = excluded.read_with;

-- name: reports.add
-- Unless there is one: a worker's, or what another node has written.
INSERT INTO reports (upload, json, rejects, read_with) VALUES (:upload, :json, :rejects, :read_with)
ON CONFLICT (upload) DO NOTHING;
