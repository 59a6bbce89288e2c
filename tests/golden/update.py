"""Writes ``after.csv`` and ``report.txt`` anew: ``python -m tests.golden.update [CASE…]``. Read the diff."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alp_daemon.demo.samples import all_samples
from tests.golden.by_command import process


def update(names: list[str]) -> None:
    for sample in all_samples():
        if names and sample.name not in names:
            continue
        with TemporaryDirectory() as folder:
            result = process(sample, Path(folder) / "site")
        sample.after.write_text(result.after, encoding="utf-8")
        sample.report.write_text(result.report, encoding="utf-8")
        print(f"{sample.name}: exit code {result.exit_code}")


if __name__ == "__main__":
    update(sys.argv[1:])
