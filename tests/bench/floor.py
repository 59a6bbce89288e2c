"""The floor: a fresh process that scans the mapped columns with polars, and does nothing with them."""

import sys

import polars

polars.scan_csv(sys.argv[1]).select("Phone", "Region", "Feeder", "Program").collect()
