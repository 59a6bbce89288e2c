"""How long an `alp-daemon opt-out` takes while a large file is applied in the same database."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable

from tests.bench.ftp.daemon import OURS, Provider
from tests.bench.ftp.figure import Figure


def measure(provider: Provider, customer: str, works: dict[str, Callable[[], object]], commands: int) -> list[Figure]:
    """Seconds of each of so many commands: when nothing else runs, and during each of the works."""

    def opt_out(turn: int) -> float:
        return _opt_out(provider, customer, f"+1212556{turn + 1:04}")

    idle = tuple(opt_out(turn) for turn in range(commands))
    found = [Figure("opt-out by command: nothing else at work", OURS, "s", idle)]
    for what, work in works.items():
        found.append(Figure(f"opt-out by command: during {what}", OURS, "s", _during(opt_out, work, commands)))
    return found


def _during(opt_out: Callable[[int], float], work: Callable[[], object], commands: int) -> tuple[float, ...]:
    """Commands that began during the work count; the work is done again until there are enough."""
    seconds: list[float] = []
    while len(seconds) < commands:
        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive() and len(seconds) < commands:
            seconds.append(opt_out(len(seconds)))
        worker.join()
    return tuple(seconds)


def _opt_out(provider: Provider, customer: str, number: str) -> float:
    began = time.perf_counter()
    subprocess.run(provider.site.command("opt-out", customer, number), check=True, capture_output=True)
    return time.perf_counter() - began
