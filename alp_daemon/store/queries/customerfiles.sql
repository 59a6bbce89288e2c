-- name: customer_versions.newest
-- Asked by every node every few seconds: whether there is anything new.
SELECT * FROM customer_versions ORDER BY version DESC LIMIT 1;

-- name: customer_versions.list
SELECT * FROM customer_versions ORDER BY version DESC;

-- name: customer_versions.add
INSERT INTO customer_versions (version, pushed_at, pushed_by, customers, fingerprint, repeats)
VALUES (:version, :now, :by, :customers, :fingerprint, :repeats);

-- name: customer_versions.forget
DELETE FROM customer_versions WHERE version < :oldest;

-- name: customer_files.of_version
SELECT customer, content FROM customer_files WHERE since <= :version AND (until IS NULL OR until > :version);

-- name: customer_files.end
-- The newest version that had this file is the one before `version`.
UPDATE customer_files SET until = :version WHERE customer = :customer AND until IS NULL;

-- name: customer_files.add
INSERT INTO customer_files (customer, since, content) VALUES (:customer, :version, :content);

-- name: customer_files.forget
-- Those that no version has any more.
DELETE FROM customer_files WHERE until <= :oldest;
