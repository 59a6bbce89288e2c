-- A list of values is handed over as JSON, which each database takes apart in its own way.

-- name: numbers.page
-- See the other one.
SELECT key, status, tag_set FROM addresses
WHERE list = :list AND key > :after AND status <> 0
  AND (:status IS NULL OR status = :status)
  AND (:sets IS NULL OR tag_set IN (SELECT value::integer FROM json_array_elements_text(:sets) AS value))
ORDER BY key LIMIT :limit;

-- name: tag_sets.some
-- `ids`: JSON list.
SELECT id, tags FROM tag_sets
WHERE list = :list AND id IN (SELECT value::integer FROM json_array_elements_text(:ids) AS value);

-- name: tag_sets.of_tags
-- Those of the given tags (`texts`: JSON list of joined tags), and the one with the highest id: the next is one more.
SELECT t.id, t.tags FROM json_array_elements_text(:texts) AS value
JOIN tag_sets t ON t.list = :list AND md5(t.tags) = md5(value)
UNION SELECT id, tags FROM tag_sets WHERE list = :list AND id = (SELECT max(id) FROM tag_sets WHERE list = :list);
