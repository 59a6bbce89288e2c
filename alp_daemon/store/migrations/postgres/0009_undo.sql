-- What an undo must know beside the events.

-- The addresses that an upload was the first of its feed to list, where no event says so, packed as
-- store/firstlistings.py tells. What was applied before has no such row.
CREATE TABLE first_listings (
    list    INTEGER NOT NULL,
    upload  BIGINT NOT NULL,
    keys    BYTEA NOT NULL,
    PRIMARY KEY (list, upload)
);

-- Nobody lists an address that is off the list. An undo did not say so before.
UPDATE addresses SET feeds = 0 WHERE status = 0 AND feeds <> 0;

-- In which order a customer's uploads were applied, also those that changed nothing: no clock tells it for certain.
ALTER TABLE uploads ADD COLUMN applied_order INTEGER;
UPDATE uploads SET applied_order = o.place
FROM (SELECT id, row_number() OVER (PARTITION BY customer ORDER BY finished_at, id) AS place
      FROM uploads WHERE state = 'applied') AS o
WHERE o.id = uploads.id;
CREATE INDEX uploads_applied ON uploads (customer, applied_order) WHERE applied_order IS NOT NULL;
