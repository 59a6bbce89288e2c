"""csv, phonenumbers and SQL: the script that most people write first."""

import csv
import sqlite3
import sys

from tests.bench.peers.shared import CREATE, OMITTED, TAG_COLUMNS, UPSERT, joined, number

path, database, mode = sys.argv[1:]
listed: dict[str, set[str]] = {}
with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123  as people write it
    for row in csv.DictReader(file):
        found = number(row["Phone"])
        if found:
            listed.setdefault(found, set()).update(row[column] for column in TAG_COLUMNS)
connection = sqlite3.connect(database)
with connection:
    connection.execute(CREATE)
    connection.executemany(UPSERT, ((found, joined(tags)) for found, tags in listed.items()))
    if OMITTED[mode]:
        gone = [
            n for (n,) in connection.execute("SELECT number FROM list WHERE status = 'opted_in'") if n not in listed
        ]
        connection.executemany("UPDATE list SET status = ? WHERE number = ?", ((OMITTED[mode], n) for n in gone))
connection.close()
