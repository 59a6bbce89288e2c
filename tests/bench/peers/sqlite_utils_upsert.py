"""The same with ``sqlite_utils`` doing the upsert."""

import csv
import sys

import sqlite_utils

from tests.bench.peers.shared import OMITTED, TAG_COLUMNS, joined, number

path, name, mode = sys.argv[1:]
listed: dict[str, set[str]] = {}
with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123  as people write it
    for row in csv.DictReader(file):
        found = number(row["Phone"])
        if found:
            listed.setdefault(found, set()).update(row[column] for column in TAG_COLUMNS)
database = sqlite_utils.Database(name)
table = database["list"]
if not table.exists():
    table.create({"number": str, "status": str, "tags": str}, pk="number")
out = {row["number"] for row in table.rows_where("status = 'opted_out'")}
table.upsert_all(
    ({"number": n, "status": "opted_in", "tags": joined(tags)} for n, tags in listed.items() if n not in out),
    pk="number",
)
if OMITTED[mode]:
    gone = [row["number"] for row in table.rows_where("status = 'opted_in'") if row["number"] not in listed]
    table.upsert_all(({"number": n, "status": OMITTED[mode]} for n in gone), pk="number")
database.close()
