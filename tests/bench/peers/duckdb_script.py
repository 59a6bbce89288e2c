"""DuckDB only: one staging query and one MERGE by hand. It knows the shape of a number, not whether it exists."""

import sys

import duckdb

from tests.bench.peers.shared import OMITTED

path, database, mode = sys.argv[1:]
connection = duckdb.connect(database)
connection.execute("BEGIN")
connection.execute("CREATE TABLE IF NOT EXISTS list (number TEXT PRIMARY KEY, status TEXT, tags TEXT)")
connection.execute(
    """
    CREATE TEMP TABLE listed AS
    WITH cells AS (
        SELECT regexp_replace(regexp_replace(Phone, '[^0-9]', '', 'g'), '^1(\\d{10})$', '\\1') AS digits,
               Phone, Region, Feeder, Program
        FROM read_csv(?, all_varchar = true)
    )
    SELECT '+1' || digits AS number,
           array_to_string(list_sort(list_distinct(flatten(list([Region, Feeder, Program])))), ';') AS tags
    FROM cells
    WHERE regexp_full_match(digits, '[2-9]\\d{2}[2-9]\\d{6}') AND NOT regexp_matches(Phone, '[A-Za-z]')
    GROUP BY digits
    """,
    [path],
)
connection.execute(
    "UPDATE list SET tags = listed.tags, status = 'opted_in' FROM listed WHERE list.number = listed.number"
    " AND status != 'opted_out' AND (status != 'opted_in' OR list.tags != listed.tags)"
)
if OMITTED[mode]:
    connection.execute(
        "UPDATE list SET status = ? WHERE status = 'opted_in' AND number NOT IN (SELECT number FROM listed)",
        [OMITTED[mode]],
    )
connection.execute(
    "INSERT INTO list SELECT number, 'opted_in', tags FROM listed WHERE number NOT IN (SELECT number FROM list)"
)
connection.execute("COMMIT")
connection.close()
