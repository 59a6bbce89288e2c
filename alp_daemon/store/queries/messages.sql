-- name: messages.get
SELECT * FROM messages WHERE customer = :customer AND id = :id;

-- name: messages.add
INSERT INTO messages (customer, id, at, key, text, intent, status, reply)
VALUES (:customer, :id, :at, :key, :text, :intent, :status, :reply);

-- name: messages.put_aside
-- The gateway uses its id anew.
UPDATE messages SET id = :aside WHERE customer = :customer AND id = :id;

-- name: messages.stops
-- What the sender said STOP with, and to whom.
SELECT customer, id, at, key, text FROM messages WHERE key = :key AND at >= :since AND intent = 'opt_out';

-- name: messages.others
SELECT * FROM messages WHERE customer = :customer AND intent = 'other' ORDER BY at DESC LIMIT :limit;

-- name: addressees.all
SELECT customer AS id, name, keyword, region, brand FROM addressees;

-- name: addressees.get
SELECT customer AS id, name, keyword, region, brand FROM addressees WHERE customer = :customer;

-- name: addressees.put
INSERT INTO addressees (customer, name, keyword, region, brand) VALUES (:id, :name, :keyword, :region, :brand)
ON CONFLICT (customer) DO UPDATE
SET name = excluded.name, keyword = excluded.keyword, region = excluded.region, brand = excluded.brand;

-- name: addressees.of_code
SELECT a.customer AS id, a.name, a.keyword, a.region, a.brand
FROM codes c JOIN addressees a ON a.customer = c.customer WHERE c.code = :code;

-- name: addressees.of_brand
-- By the brand's id, or by the customer's own.
SELECT customer FROM addressees WHERE brand = :id OR (customer = :id AND brand IS NOT NULL);

-- name: addressees.unread
-- Customers with a list of whom nothing was ever read, or not since a release that remembers it.
SELECT customer FROM lists WHERE customer NOT IN (SELECT customer FROM addressees);

-- name: codes.all
SELECT customer, code FROM codes;

-- name: codes.clear
DELETE FROM codes WHERE customer = :customer;

-- name: codes.add
INSERT INTO codes (customer, code) VALUES (:customer, :code);
