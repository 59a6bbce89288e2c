"""All that is measured of FTP, in its order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.cases import Files
from tests.bench.ftp import arrivals, throughput, waiting
from tests.bench.ftp.arrivals import Parts
from tests.bench.ftp.daemon import Provider
from tests.bench.ftp.figure import Figure
from tests.bench.ftp.load import Heavy
from tests.bench.ftp.throughput import Size


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    size: Size = field(default_factory=Size)
    rows: int = 1_000_000
    """Of the list that keeps a worker busy."""
    customers: int = 20
    files_each: int = 50
    single_files: int = 40
    commands: int = 10
    heavy_loads: int = 30


def measure(folder: Path, extent: Extent, runs: int) -> list[Figure]:
    files = Files(folder / "lists", extent.rows)
    first, changed = files.path("first"), files.path("changed")
    names = [f"customer-{number}" for number in range(extent.customers)]
    heavy_names = [f"heavy-{number}" for number in range(extent.heavy_loads)]
    modes = dict.fromkeys([*names, "single", *heavy_names], "append_tags") | {Heavy.CHANGING: "soft_opt_out_tags"}
    provider = Provider(folder / "site", modes, first)
    parts = Parts(folder / "parts", max(extent.files_each, extent.single_files))
    figures = [arrivals.one_by_one(provider, parts, "single", extent.single_files)]
    figures += arrivals.all_at_once(provider, parts, names, extent.files_each)
    heavy = Heavy(provider, first, changed)
    figures += waiting.measure(
        provider, names[0], {"a first load": heavy.load, "a change": heavy.change}, extent.commands
    )
    return figures + throughput.measure(folder, provider, heavy, extent.size, runs)
