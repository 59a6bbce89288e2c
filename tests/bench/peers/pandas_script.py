"""pandas: read_csv, map, groupby, merge, to_sql."""

import sqlite3
import sys

import pandas as pd

from tests.bench.peers.shared import OMITTED, TAG_COLUMNS, number

path, database, mode = sys.argv[1:]
frame = pd.read_csv(path, usecols=["Phone", *TAG_COLUMNS], dtype=str, keep_default_na=False)
frame["number"] = frame["Phone"].map(number)
frame = frame[frame["number"].notna()]
tags = frame.melt("number", value_vars=list(TAG_COLUMNS))[["number", "value"]].drop_duplicates()
listed = tags.sort_values(["number", "value"]).groupby("number")["value"].agg(";".join).rename("new").to_frame()
connection = sqlite3.connect(database)
try:
    known = pd.read_sql("SELECT number, status, tags FROM list", connection, index_col="number")
except pd.errors.DatabaseError:
    known = pd.DataFrame({"status": [], "tags": []}, dtype=str).rename_axis("number")
merged = known.join(listed, how="outer")
here = merged["new"].notna() & (merged["status"] != "opted_out")
merged.loc[here, "tags"] = merged.loc[here, "new"]
merged.loc[here, "status"] = "opted_in"
if OMITTED[mode]:
    merged.loc[merged["new"].isna() & (merged["status"] == "opted_in"), "status"] = OMITTED[mode]
merged[["status", "tags"]].to_sql("list", connection, if_exists="replace", chunksize=100_000)
connection.commit()
connection.close()
