"""From the client's last byte to the changed list: one file, and many at once. Every list in the end is compared."""

from __future__ import annotations

import ftplib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from tests.bench import data
from tests.bench.ftp.daemon import OURS, Provider
from tests.bench.ftp.figure import Figure
from tests.bench.ours import check
from tests.bench.site import text_of

ROWS = 100
_PATIENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.001
_DONE = "SELECT count(*) FROM uploads WHERE state <> 'received' AND id > ?"


class Parts:
    """One list in files of so many people each."""

    def __init__(self, folder: Path, files: int) -> None:
        self._everybody = data.people(files * ROWS)
        folder.mkdir(parents=True, exist_ok=True)
        self.paths = [folder / f"part-{number}.csv" for number in range(files)]
        for number, path in enumerate(self.paths):
            data.write(path, self._everybody.take(np.arange(number * ROWS, (number + 1) * ROWS)))

    def expected(self, files: int) -> str:
        """The list after the first files."""
        numbers = self._everybody.numbers[: files * ROWS].tolist()
        rows = [(f"+1{data.digits(number)}", row) for row, number in enumerate(numbers)]
        return text_of([(phone, "opted_in", ";".join(data.tags(self._everybody, row))) for phone, row in rows])


def one_by_one(provider: Provider, parts: Parts, customer: str, files: int) -> Figure:
    """Milliseconds from the 226 to the commit. The client leaves with QUIT, by which it proves to be alive."""
    number, waited = provider.customers.index(customer), []
    with provider.serving() as server, _watch(provider) as watch:
        for path in parts.paths[:files]:
            before = watch.last()
            ftp = server.enter(number)
            _send(ftp, path)
            began = time.perf_counter()
            ftp.quit()
            watch.wait_for(1, before)
            waited.append((time.perf_counter() - began) * 1000)
    check(provider.site.exported(customer), parts.expected(files), f"{files} files one by one")
    return Figure("one file of 100 rows: 226 to commit", OURS, "ms", tuple(waited))


def all_at_once(provider: Provider, parts: Parts, customers: Sequence[str], files: int) -> list[Figure]:
    """Every customer sends every file on one connection; seconds from the first byte to the last commit."""
    with provider.serving() as server, _watch(provider) as watch:
        before, total = watch.last(), len(customers) * files
        connections = [server.enter(provider.customers.index(customer)) for customer in customers]
        senders = [threading.Thread(target=_send_all, args=(ftp, parts.paths[:files])) for ftp in connections]
        began = time.perf_counter()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        received = time.perf_counter() - began
        watch.wait_for(total, before)
        applied = time.perf_counter() - began
    for customer in customers:
        check(provider.site.exported(customer), parts.expected(files), f"{customer}, all at once")
    what = f"{total} files of 100 rows from {len(customers)} customers"
    return [
        Figure(f"{what}: first byte to last 226", OURS, "s", (received,)),
        Figure(f"{what}: first byte to last commit", OURS, "s", (applied,)),
        Figure(f"{what}: applied", OURS, "files/s", (total / applied,)),
    ]


def _send_all(ftp: ftplib.FTP, paths: Sequence[Path]) -> None:
    with ftp:
        for path in paths:
            _send(ftp, path)


def _send(ftp: ftplib.FTP, path: Path) -> None:
    with path.open("rb") as file:
        ftp.storbinary(f"STOR {path.name}", file)


class _Watch:
    """Looks at the queue as another process does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last(self) -> int:
        """The newest upload's number."""
        return self._number("SELECT coalesce(max(id), 0) FROM uploads WHERE ? IS NULL", None)

    def wait_for(self, count: int, after: int) -> None:
        """Returns when so many uploads after that one are at their end, whichever it is."""
        ends_at = time.monotonic() + _PATIENCE_SECONDS
        while self._number(_DONE, after) < count:
            assert time.monotonic() < ends_at, f"not worked within {_PATIENCE_SECONDS:.0f} seconds"
            time.sleep(_LOOK_SECONDS if count == 1 else _LOOK_SECONDS * 20)

    def _number(self, query: str, value: int | None) -> int:
        (number,) = self._connection.execute(query, (value,)).fetchone()
        return int(number)


@contextmanager
def _watch(provider: Provider) -> Iterator[_Watch]:
    with closing(sqlite3.connect(provider.database)) as connection:
        yield _Watch(connection)
