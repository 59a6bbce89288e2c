-- name: console.habits
-- The feeds of which files were applied that came since a time: how many, when the last one came, and the longest pause
-- between two, in seconds.
SELECT customer, feed, count(*) AS files, max(received_at) AS last_at, max(pause) AS longest_pause
FROM (
    SELECT customer, feed, received_at,
           round(extract(epoch FROM received_at::timestamptz - lag(received_at::timestamptz) OVER of_feed))::float8 AS pause
    FROM uploads WHERE received_at >= :since AND state = 'applied' AND feed IS NOT NULL
    WINDOW of_feed AS (PARTITION BY customer, feed ORDER BY received_at)
) AS arrivals
GROUP BY customer, feed ORDER BY customer, feed;
