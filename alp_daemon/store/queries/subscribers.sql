-- name: emails.part
SELECT key AS id, address AS text FROM emails WHERE list = :list AND key > :after ORDER BY key LIMIT :limit;

-- name: emails.find
SELECT key FROM emails WHERE list = :list AND address = :address;

-- name: emails.highest
SELECT coalesce(max(key), 0) AS key FROM emails WHERE list = :list;

-- name: attribute_sets.part
SELECT id, attributes AS text FROM attribute_sets WHERE list = :list AND id > :after ORDER BY id LIMIT :limit;

-- name: attribute_sets.get
SELECT attributes FROM attribute_sets WHERE list = :list AND id = :id;

-- name: interests.all
SELECT name, created_at, created_by FROM interests WHERE list = :list ORDER BY name;

-- name: interests.add
INSERT INTO interests (list, name, created_at, created_by) VALUES (:list, :name, :now, :by)
ON CONFLICT (list, name) DO NOTHING;

-- name: fields.all
SELECT name, type, data_type, demographic, is_multiple, upload FROM fields WHERE list = :list ORDER BY name;

-- name: fields.add
-- What a field is was decided when it was made.
INSERT INTO fields (list, name, type, data_type, demographic, is_multiple, upload)
VALUES (:list, :name, :type, :data_type, :demographic, :is_multiple, :upload)
ON CONFLICT (list, name) DO NOTHING;

-- name: target_groups.add
INSERT INTO target_groups (list, field, name) VALUES (:list, :field, :name)
ON CONFLICT (list, field, name) DO NOTHING;
