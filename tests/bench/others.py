"""The peers: the same files through what one would write instead, with the same end list."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from tests.bench.cases import CASES, Case, Files
from tests.bench.measure import Figures, Run, figures, run
from tests.bench.ours import check
from tests.bench.site import text_of

PEERS = {
    "sqlite-utils upsert": ("sqlite_utils_upsert", "sqlite_utils"),
    "csv + phonenumbers + SQL": ("csv_script", "phonenumbers"),
    "pandas": ("pandas_script", "pandas"),
    "DuckDB only": ("duckdb_script", "duckdb"),
}
MEASURED = [case for case in CASES if case.name in ("A", "C")]
_DUMP = "SELECT number, status, tags FROM list"


def measure(folder: Path, files: Files, runs: int) -> dict[str, dict[str, Figures]]:
    """Medians by peer and case; a peer whose library is not installed is left out with a word on stderr."""
    found = {}
    for name, (module, library) in PEERS.items():
        if find_spec(library) is None:
            print(f"{name}: NOT MEASURED, {library} is not installed (pip install '.[bench]')", file=sys.stderr)
            continue
        found[name] = {case.name: _of_peer(folder / module, module, files, case, runs) for case in MEASURED}
    return found


def _of_peer(folder: Path, module: str, files: Files, case: Case, runs: int) -> Figures:
    """Case A leaves its list behind for those that begin with it."""
    folder.mkdir(exist_ok=True)
    database, loaded = folder / "list.db", folder / "loaded.db"
    done: list[Run] = []
    for _ in range(runs):
        database.unlink(missing_ok=True)
        if case.loaded:
            shutil.copyfile(loaded, database)
        command = [sys.executable, "-m", f"tests.bench.peers.{module}", str(files.path(case.file)), str(database)]
        done.append(run([*command, case.mode], folder / "log"))
    check(_exported(module, database), files.expected(case), f"{module}, case {case.name}")
    if not case.loaded:
        shutil.copyfile(database, loaded)
    return figures(done)


def _exported(module: str, database: Path) -> str:
    if module == "duckdb_script":
        import duckdb

        return text_of(duckdb.connect(str(database)).execute(_DUMP).fetchall())
    with closing(sqlite3.connect(database)) as connection:
        return text_of(connection.execute(_DUMP).fetchall())
