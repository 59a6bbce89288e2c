"""An FTP server under measurement, and how clients speak to it. All of them do so through ``ftplib``."""

from __future__ import annotations

import ftplib
import io
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

HOST = "127.0.0.1"
_AT_ONCE = 2**20
# Clients of a process share an interpreter, so a crowd is spread over some; there are two cores to be had.
_CROWD_PROCESSES = 2
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """Where it listens, and the log-ins it takes; clients use them in turn."""

    name: str
    port: int
    logins: Sequence[tuple[str, str]]

    def enter(self, client: int = 0) -> ftplib.FTP:
        ftp = ftplib.FTP(timeout=_PATIENCE_SECONDS)
        ftp.connect(HOST, self.port)
        ftp.login(*self.logins[client % len(self.logins)])
        return ftp


def send_large(server: Server, path: Path) -> float:
    """Seconds from STOR to the 226 of one file."""
    with server.enter() as ftp, path.open("rb") as file:
        began = time.perf_counter()
        ftp.storbinary(f"STOR {path.name}", file, _AT_ONCE)
        return time.perf_counter() - began


def send_small(server: Server, content: bytes, files: int) -> float:
    """Seconds from the first STOR to the last 226 on one connection."""
    with server.enter() as ftp:
        began = time.perf_counter()
        _send(ftp, "small", content, files)
        return time.perf_counter() - began


def send_crowd(server: Server, content: bytes, clients: int, files: int) -> float:
    """Seconds from the first STOR to the last 226 of so many clients with so many files each; log-ins do not count."""
    processes = get_context("spawn")
    start = processes.Barrier(_CROWD_PROCESSES + 1)
    share = clients // _CROWD_PROCESSES
    ended = processes.SimpleQueue()
    crowd = [
        processes.Process(target=_crowd, args=(server, content, first, share, files, start, ended))
        for first in range(0, share * _CROWD_PROCESSES, share)
    ]
    for process in crowd:
        process.start()
    try:
        start.wait(_PATIENCE_SECONDS)
        # One clock for all processes of the machine (CLOCK_MONOTONIC).
        began = time.perf_counter()
        for process in crowd:
            process.join()
            assert process.exitcode == 0, f"clients of {server.name} failed; see above"
    finally:
        for process in crowd:
            process.kill()
    return float(max(ended.get() for _ in crowd) - began)


def _crowd(server: Server, content: bytes, first: int, clients: int, files: int, start: Barrier, ended: object) -> None:
    """A process of the crowd: logs its clients in, waits for the others, and lets all of them send."""
    connections = [server.enter(first + number) for number in range(clients)]
    sent: list[int] = []

    def send(number: int) -> None:
        _send(connections[number], f"client-{first + number}", content, files)
        sent.append(number)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(clients)]
    start.wait(_PATIENCE_SECONDS)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended.put(time.perf_counter())  # type: ignore[attr-defined]
    assert len(sent) == clients
    for connection in connections:
        connection.quit()


def _send(ftp: ftplib.FTP, name: str, content: bytes, files: int) -> None:
    for number in range(files):
        ftp.storbinary(f"STOR {name}-{number}.csv", io.BytesIO(content))
