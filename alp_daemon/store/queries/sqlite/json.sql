-- A list of values is handed over as JSON, which each database takes apart in its own way.

-- name: numbers.page
-- The list in the order of its numbers, from after one of them on. What an undo took off (status 0) is not on it.
-- `sets`: JSON list of the tag sets that will do, or NULL for any.
SELECT key, status, tag_set FROM addresses
WHERE list = :list AND key > :after AND status <> 0
  AND (:status IS NULL OR status = :status)
  AND (:sets IS NULL OR tag_set IN (SELECT value FROM json_each(:sets)))
ORDER BY key LIMIT :limit;

-- name: tag_sets.some
-- `ids`: JSON list.
SELECT id, tags FROM tag_sets WHERE list = :list AND id IN (SELECT value FROM json_each(:ids));

-- name: tag_sets.of_tags
-- Those of the given tags (`texts`: JSON list of joined tags), and the one with the highest id: the next is one more.
-- CROSS JOIN looks each text up: with IN the planner reads all sets of the list.
SELECT t.id, t.tags FROM json_each(:texts) e CROSS JOIN tag_sets t ON t.list = :list AND t.tags = e.value
UNION SELECT id, tags FROM tag_sets WHERE list = :list AND id = (SELECT max(id) FROM tag_sets WHERE list = :list);
