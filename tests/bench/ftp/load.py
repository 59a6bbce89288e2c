"""A worker that is busy: `alp-daemon process` with a large first load (case A), one customer after the other."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.ftp.daemon import Provider


class Heavy:
    """Customers with an empty list each (a load takes some seconds, a measurement may take several), and one whose
    list changes a little with each file."""

    CHANGING = "changing"

    def __init__(self, provider: Provider, first: Path, changed: Path) -> None:
        self._provider = provider
        self._first = first
        self._next = [first, changed]
        self._fresh = [customer for customer in provider.customers if customer.startswith("heavy")]
        self._process(first, self.CHANGING)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One first load after the other while the body runs."""
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                self.load()

        worker = threading.Thread(target=work)
        worker.start()
        try:
            yield
        finally:
            ended.set()
            worker.join()

    def load(self) -> None:
        """Case A: a first load."""
        self._process(self._first, self._fresh.pop())

    def change(self) -> None:
        """Case C: one row in a hundred changes."""
        self._next.reverse()
        self._process(self._next[0], self.CHANGING)

    def _process(self, file: Path, customer: str) -> None:
        subprocess.run(self._provider.site.process(file, customer), capture_output=True, check=True)
