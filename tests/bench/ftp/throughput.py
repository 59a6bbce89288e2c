"""How fast files come in: one large one, many small ones on one connection, and a crowd of clients.

Nobody works the files meanwhile, as nobody works those of the peers; but beside some of it a worker has a large list.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.ftp import peers, sink
from tests.bench.ftp.daemon import OURS, Provider
from tests.bench.ftp.figure import Figure
from tests.bench.ftp.load import Heavy
from tests.bench.ftp.server import Server, send_crowd, send_large, send_small

BUSY = f"{OURS}, worker busy"
SINK = "socket + write + fsync"
KEEP = "file + record, durable, not sent"


@dataclass(frozen=True)
class Size:
    """How much is sent."""

    large_bytes: int = 2**30
    small_bytes: int = 10_000
    files: int = 1_000
    clients: int = 200
    files_each: int = 25


@dataclass(frozen=True)
class _Way:
    """A way of sending, and how much it sends."""

    what: str
    unit: str
    amount: float
    send: Callable[[Server], float]


def measure(folder: Path, provider: Provider, heavy: Heavy, size: Size, runs: int) -> list[Figure]:
    """Everything in turn, ``runs`` times."""
    large = folder / "large.csv"
    _write_large(large, size.large_bytes)
    ways = _ways(large, size)
    _, small, _ = ways
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    with _servers(folder, provider) as servers:
        for _ in range(runs):
            found["one large file", SINK, "MiB/s"].append(size.large_bytes / 2**20 / sink.send(large, folder / "sunk"))
            found[small.what, KEEP, small.unit].append(size.files / _kept(folder, size))
            for way in ways:
                for server in servers:
                    found[way.what, server.name, way.unit].append(_rate(way, server))
                    _forget_files(folder, provider)
                with heavy.at_work():
                    found[way.what, BUSY, way.unit].append(_rate(way, servers[0]))
                _forget_files(folder, provider)
    large.unlink()
    return [Figure(what, server, unit, tuple(values)) for (what, server, unit), values in found.items()]


def _ways(large: Path, size: Size) -> list[_Way]:
    content = _small(size)
    crowd = f"{size.clients} clients, {size.files_each} × {size.small_bytes // 1000} kB each"
    return [
        _Way("one large file", "MiB/s", size.large_bytes / 2**20, lambda server: send_large(server, large)),
        _Way(
            f"{size.files} × {size.small_bytes // 1000} kB on one connection",
            "files/s",
            size.files,
            lambda server: send_small(server, content, size.files),
        ),
        _Way(
            crowd,
            "files/s",
            size.clients * size.files_each,
            lambda server: send_crowd(server, content, size.clients, size.files_each),
        ),
    ]


def _small(size: Size) -> bytes:
    return b"2125550123,bus\n" * (size.small_bytes // 15)


def _kept(folder: Path, size: Size) -> float:
    os.sync()
    return sink.keep(_small(size), size.files, folder / "kept")


def _rate(way: _Way, server: Server) -> float:
    # What others have left to be written out is not this one's business.
    os.sync()
    return way.amount / way.send(server)


@contextmanager
def _servers(folder: Path, provider: Provider) -> Iterator[list[Server]]:
    """Ours first."""
    with ExitStack() as stack:
        servers = [stack.enter_context(provider.serving("ftp"))]
        servers += [stack.enter_context(peers.serving(name, folder / name)) for name in peers.installed()]
        yield servers


def _forget_files(folder: Path, provider: Provider) -> None:
    """A gigabyte an upload fills a disk. Nobody will read them."""
    kept = [path for customer in provider.customers for path in (provider.spool / customer).glob("*")]
    for path in [*kept, *(path for name in peers.PEERS for path in (folder / name / "root").glob("*"))]:
        path.unlink()


def _write_large(path: Path, size: int) -> None:
    block = b"2125550123,bus\n" * 2**16
    with path.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
        file.write(block[: size % len(block)])
