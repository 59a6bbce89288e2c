-- name: snapshot.triggers
SELECT count(*) AS n FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'addresses';

-- name: snapshot.segments
SELECT first_key, length FROM snapshot_segments WHERE list = :list ORDER BY first_key;

-- name: snapshot.segment
SELECT data FROM snapshot_segments WHERE list = :list AND first_key = :first_key;

-- name: snapshot.add_segment
INSERT INTO snapshot_segments (list, first_key, length, data) VALUES (:list, :first_key, :length, :data);

-- name: snapshot.remove_segment
DELETE FROM snapshot_segments WHERE list = :list AND first_key = :first_key;

-- name: snapshot.size
-- Without segments, all that the list has is read from the table, as what is stale.
SELECT length, CASE WHEN length THEN (SELECT count(*) FROM snapshot_stale WHERE list = :list)
                    ELSE (SELECT count(*) FROM addresses WHERE list = :list) END AS stale
FROM (SELECT coalesce(sum(length), 0) AS length FROM snapshot_segments WHERE list = :list);

-- name: snapshot.nothing_stale
DELETE FROM snapshot_stale WHERE list = :list;
