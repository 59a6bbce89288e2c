"""The tests of ``tests/crash``: killed at every named step once, and at ``rounds`` random moments, against a model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.faults.campaign import Tally

_TESTS = Path(__file__).parents[1] / "crash"


def run(folder: Path, rounds: int, seed: int) -> Tally:
    folder.mkdir()
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'tests'}"]
    environment = {**os.environ, "ALP_CRASH_ROUNDS": str(rounds), "ALP_CRASH_SEED": str(seed)}
    done = subprocess.run(
        [*command, str(_TESTS)], env=environment, cwd=_TESTS.parents[1], capture_output=True, text=True
    )
    tally = Tally(rounds)
    for count, what in re.findall(
        r"(\d+) (passed|failed|errors?|skipped)", done.stdout.rpartition("\n==")[2] or done.stdout
    ):
        tally.counted[f"tests {what}"] += int(count)
    tally.expect(done.returncode == 0, done.stdout[-2_000:] + done.stderr[-500:])
    return tally
