-- name: uploads.newest_of
SELECT * FROM uploads WHERE customer = :customer ORDER BY id DESC LIMIT :limit;
