"""What one would write instead: ``python -m tests.bench.peers.NAME FILE.csv LIST.db MODE``.

Each does the same to the list as `alp-daemon process`, and less besides: no report, no history, no guard, no undo, no
reasons for what it refuses. The list is the table ``list (number, status, tags)`` of a SQLite (or DuckDB) file.
"""
