"""The nightly run of a provider: many customers with small files, by store and number of workers."""

from __future__ import annotations

import io
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from alp_daemon import settings as configuration
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.services.addresses import history
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, moment, open_store
from tests.bench.ftp.arrivals import ROWS, Parts
from tests.bench.ours import check
from tests.bench.site import Site

SQLITE, POSTGRES = "SQLite", "PostgreSQL"
_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.02
_STOP_SECONDS = 60.0
_WAITING = "SELECT count(*) FROM uploads WHERE state = 'received'"
_FIRST = "SELECT min(started_at) FROM uploads"


@dataclass(frozen=True)
class Extent:
    """How much waits in the queue, and how many workers take it from there."""

    customers: int = 20
    files_each: int = 50
    workers: tuple[int, ...] = (1, 2, 4)

    @property
    def names(self) -> list[str]:
        return [f"customer-{number}" for number in range(self.customers)]

    @property
    def files(self) -> int:
        return self.customers * self.files_each


@dataclass(frozen=True)
class Speed:
    """Files a second of all runs; the median counts."""

    store: str
    workers: int
    files: int
    values: tuple[float, ...]

    def as_row(self) -> dict[str, object]:
        return {
            "store": self.store,
            "workers": self.workers,
            "files": self.files,
            "rows_each": ROWS,
            "files_per_second": round(median(self.values), 1),
            "slowest": round(min(self.values), 1),
            "fastest": round(max(self.values), 1),
            "runs": len(self.values),
        }


def measure(folder: Path, extent: Extent, runs: int, server: str | None = None) -> list[Speed]:
    """Everything in turn, ``runs`` times; on PostgreSQL too where there is a ``server``. Every list is compared."""
    parts = Parts(folder / "parts", extent.files_each)
    sites = _sites(folder, server)
    for site in sites.values():
        for customer in extent.names:
            site.configure("append_tags", parts.paths[0], customer)
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(runs):
        for workers in extent.workers:
            for store, site in sites.items():
                copy = site.copied_to(folder / f"{store}-run")
                (copy.folder / "alp.yaml").write_text(f"{copy.settings}workers: {workers}\n")
                found[store, workers].append(extent.files / _seconds(copy, parts, extent))
    return [Speed(store, workers, extent.files, tuple(values)) for (store, workers), values in found.items()]


def table(speeds: list[Speed]) -> str:
    """The speeds for a terminal."""
    columns = ("store", "workers", "files_per_second", "slowest", "fastest", "runs")
    rows = [columns, *(tuple(str(speed.as_row()[column]) for column in columns) for speed in speeds)]
    return "\n".join("{:<12}{:>8}{:>18}{:>9}{:>9}{:>6}".format(*row) for row in rows)


def _sites(folder: Path, server: str | None) -> dict[str, Site]:
    sites = {SQLITE: Site(folder / "sqlite")}
    if server:
        from tests.bench.stores import PostgresSite  # who measures SQLite alone needs no psycopg

        sites[POSTGRES] = PostgresSite(folder / "postgres", server.rstrip("/"))
    return sites


def _seconds(site: Site, parts: Parts, extent: Extent) -> float:
    """From the first upload that a worker takes to the last commit. All files wait when the workers begin."""
    settings = configuration.load(site.folder / "alp.yaml")
    store = open_store(settings.database_address)
    try:
        _queue(store, settings, parts, extent)
        with _working(site):
            _wait_until_done(store)
            ended = datetime.now(UTC)
        for customer in extent.names:
            _check(store, customer, parts.expected(extent.files_each))
        return (ended - moment(str(_answer(store, _FIRST)))).total_seconds()
    finally:
        store.close()


def _queue(store: Store, settings: Settings, parts: Parts, extent: Extent) -> None:
    """A file of each customer, and another one of each, as they come in at night."""
    registry = Registry(settings.customers_dir)
    registry.reload(datetime.now(UTC))
    intake = Intake(store, settings, registry)
    for path in parts.paths:
        for customer in extent.names:
            sender, now = Sender("ftp", customer), datetime.now(UTC)
            intake.take(path, customer, path.name, "", sender, now, evidence=Evidence.assumed)


@contextmanager
def _working(site: Site) -> Iterator[None]:
    with (site.folder / "daemon.log").open("ab") as log:
        process = subprocess.Popen(site.command("serve", "--role", "worker"), stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _wait_until_done(store: Store) -> None:
    ends_at = time.monotonic() + _PATIENCE_SECONDS
    while _answer(store, _WAITING):
        assert time.monotonic() < ends_at, f"not worked within {_PATIENCE_SECONDS:.0f} seconds"
        time.sleep(_LOOK_SECONDS)


def _answer(store: Store, select: str) -> object:
    with store.read() as transaction:
        ((value,),) = transaction.rows(select)
        return value


def _check(store: Store, customer: str, expected: str) -> None:
    out = io.StringIO()
    history.export(store, customer, None, out)
    check(out.getvalue(), expected, f"{customer}, {SQLITE if 'alp.db' in store.name else POSTGRES}")
