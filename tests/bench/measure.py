"""Fresh processes, measured from outside: seconds from start to end, and peak memory as the system counts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True)
class Figures:
    """Medians of several runs."""

    seconds: float
    cpu: float
    peak_mb: float
    runs: int
    fastest: float
    slowest: float


def run(command: Sequence[str], log: Path) -> Run:
    """Runs a command to its end. Raises ``SystemExit`` with its output where it fails."""
    child = [sys.executable, str(Path(__file__).with_name("child.py")), str(log), *command]
    # Installed programs have their bytecode; a machine that forbids to write it would measure the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found = json.loads(subprocess.run(child, cwd=ROOT, env=environment, check=True, capture_output=True).stdout)
    if found.pop("exit_code"):
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()[-3000:]}")
    return Run(**found)


def figures(runs: Sequence[Run]) -> Figures:
    seconds = [run.seconds for run in runs]
    return Figures(
        round(median(seconds), 3),
        round(median(run.cpu for run in runs), 3),
        round(median(run.peak_mb for run in runs)),
        len(runs),
        round(min(seconds), 3),
        round(max(seconds), 3),
    )
