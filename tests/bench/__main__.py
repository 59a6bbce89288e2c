"""``python -m tests.bench``: measures, prints tables, and writes them as JSON and as an SVG chart."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import api, chart, others, ours, small, subscribers
from tests.bench.cases import CASES, Files
from tests.bench.ftp import run as ftp
from tests.bench.ftp.figure import table
from tests.bench.ftp.run import Extent
from tests.bench.measure import Figures

_WHAT = {case.name: case.what for case in CASES}
_COLUMNS = ("case", "rows", "seconds", "× floor", "krows/s", "peak MB", "× ours", "runs")


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(machine()))
    if options.only == "small":
        _measure_small(options)
        return
    if options.store:
        _measure_stores(options)
        return
    if options.only in (None, "process"):
        _measure_process(options)
    if options.only in (None, "ftp"):
        _measure_ftp(options)
    if options.only in (None, "mail"):
        _measure_mail(options)
    if options.only in (None, "api"):
        _measure_api(options)
    if options.only is None:
        _measure_small(options)


def _measure_process(options: argparse.Namespace) -> None:
    results = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=options.work) as folder:
            files = Files(Path(folder) / "files", rows)
            mine = ours.measure(Path(folder), files, options.runs)
            peers = others.measure(Path(folder), files, options.peer_runs) if options.peer_runs else {}
        results += _table(rows, mine, peers)
    _show(results)
    _write(options.out / "bench.json", results)
    largest = [row for row in results if row["rows"] == max(options.rows) and row["case"] != ours.FLOOR]
    bars = [(f"{row['case']}: {row['what']}"[:46], row["floors"], row["ours"] is None) for row in largest]
    (options.out / "bench.svg").write_text(
        chart.svg(bars, f"{max(options.rows):,} rows: time as a multiple of the floor")
    )


def _measure_ftp(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        figures = ftp.measure(Path(folder), Extent(), options.ftp_runs)
    print(table(figures))
    _write(options.out / "ftp.json", [figure.as_row() for figure in figures])


def _measure_stores(options: argparse.Namespace) -> None:
    from tests.bench import stores

    rows = max(options.rows)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        found = stores.measure(Path(folder), Files(Path(folder) / "files", rows), options.runs, options.store)
    results = [
        {"case": name, "rows": rows, "sqlite": asdict(sqlite), "postgres": asdict(postgres)}
        for name, (sqlite, postgres) in found.items()
    ]
    for name, (sqlite, postgres) in found.items():
        ratio = postgres.seconds / sqlite.seconds
        print(f"{name:<3} SQLite {sqlite.seconds:.2f} s  PostgreSQL {postgres.seconds:.2f} s  ratio {ratio:.2f}")
    _write(options.out / "stores.json", results)


def _measure_mail(options: argparse.Namespace) -> None:
    rows = max(options.rows)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        found = subscribers.measure(Path(folder), rows, options.runs)
    floor = found[subscribers.FLOOR].seconds
    results = [_row(rows, name, subscribers.WHAT[name], each, floor, None) for name, each in found.items()]
    _show(results)
    _write(options.out / "mail.json", results)


def _measure_api(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        figures = api.measure(Path(folder), max(options.rows))
    print(table(figures))
    _write(options.out / "api.json", [figure.as_row() for figure in figures])


def _measure_small(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        speeds = small.measure(Path(folder), small.Extent(), options.runs, options.store)
    print(small.table(speeds))
    _write(options.out / "small.json", [speed.as_row() for speed in speeds])


def _write(path: Path, results: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Where it was measured."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "")
    return {
        "cpu": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_after": round(os.getloadavg()[0], 1),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[10_000, 1_000_000], help="sizes; add 10000000 for case E"
    )
    parser.add_argument("--runs", type=int, default=5, help="of each case, in turn; the median counts")
    parser.add_argument("--peer-runs", type=int, default=5, help="of each peer; 0 leaves them out")
    parser.add_argument("--only", choices=("process", "ftp", "mail", "api", "small"), help="one part; all by default")
    parser.add_argument(
        "--store",
        metavar="ADDRESS",
        help="PostgreSQL beside SQLite: postgresql://USER@HOST (may make databases)",
    )
    parser.add_argument("--ftp-runs", type=int, default=3, help="of each way of sending, in turn; the median counts")
    parser.add_argument("--work", type=Path, help="folder for files and databases (0.5 GB for a million rows)")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for the JSON and the chart")
    return parser.parse_args()


def _table(rows: int, mine: dict[str, Figures], peers: dict[str, dict[str, Figures]]) -> list[dict[str, Any]]:
    floor = mine[ours.FLOOR].seconds
    found = [_row(rows, name, _WHAT.get(name, "bare scan"), each, floor, None) for name, each in mine.items()]
    for peer, cases in peers.items():
        found += [_row(rows, name, peer, each, floor, mine[name].seconds) for name, each in cases.items()]
    return found


def _row(rows: int, case: str, what: str, each: Figures, floor: float, own: float | None) -> dict[str, Any]:
    return {
        "case": case,
        "what": what,
        "rows": rows,
        **asdict(each),
        "floors": round(each.seconds / floor, 2),
        "rows_per_second": round(rows / each.seconds),
        "ours": round(each.seconds / own, 1) if own else None,
    }


def _show(results: list[dict[str, Any]]) -> None:
    print("{:<62}{:>11}{:>9}{:>9}{:>9}{:>9}{:>8}{:>6}".format(*_COLUMNS))
    for row in results:
        own = "" if row["ours"] is None else f"{row['ours']:.1f}"
        print(
            f"{row['case'] + ': ' + row['what']:<62}{row['rows']:>11,}{row['seconds']:>9.2f}{row['floors']:>9.2f}"
            f"{row['rows_per_second'] / 1000:>9.0f}{row['peak_mb']:>9.0f}{own:>8}{row['runs']:>6}"
        )


if __name__ == "__main__":
    main()
