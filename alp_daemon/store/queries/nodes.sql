-- name: nodes.of_name
SELECT * FROM nodes WHERE name = :name;

-- name: nodes.all
SELECT * FROM nodes ORDER BY name, role;

-- name: nodes.enter
INSERT INTO nodes (name, role, process, version, customers, started_at, seen_at)
VALUES (:name, :role, :process, :version, '', :now, :now)
ON CONFLICT (name, role) DO UPDATE SET process = excluded.process, version = excluded.version,
    customers = excluded.customers, started_at = excluded.started_at, seen_at = excluded.seen_at;

-- name: nodes.seen
-- Nothing (0 rows) where the row is another daemon's by now.
INSERT INTO nodes (name, role, process, version, customers, started_at, seen_at)
VALUES (:name, :role, :process, :version, :customers, :started_at, :now)
ON CONFLICT (name, role) DO UPDATE SET customers = excluded.customers, seen_at = excluded.seen_at
    WHERE nodes.process = excluded.process;

-- name: nodes.remove
DELETE FROM nodes WHERE name = :name AND role = :role AND process = :process;

-- name: nodes.forget
DELETE FROM nodes WHERE seen_at <= :before;
