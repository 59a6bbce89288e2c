"""The same cases on SQLite and on PostgreSQL, in turn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench import ours
from tests.bench.cases import CASES, Case, Files
from tests.bench.measure import Figures, Run, figures, run
from tests.bench.site import Site


@dataclass(frozen=True)
class PostgresSite(Site):
    """Its database is called after its folder."""

    server: str
    """An address up to the name of a database; its user may make databases."""

    @property
    def _name(self) -> str:
        return "bench_" + re.sub(r"\W", "_", self.folder.name).lower()

    @property
    def settings(self) -> str:
        return f"{super().settings}database: {self.server}/{self._name}\n"

    def configure(self, mode: str, sample: Path, customer: str = "acme") -> str:
        if not self.folder.exists():
            self._make()
            self.folder.mkdir(parents=True)
            self._config.write_text(self.settings)
            self.call("migrate")
        return super().configure(mode, sample, customer)

    def copied_to(self, folder: Path) -> PostgresSite:
        copied = PostgresSite(super().copied_to(folder).folder, self.server)
        # As the server itself would have done by the next file.
        self._run("VACUUM ANALYZE", self._name)
        copied._make(f"TEMPLATE {self._name} STRATEGY FILE_COPY")
        copied._config.write_text(copied.settings)
        return copied

    def _make(self, how: str = "") -> None:
        self._run(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._run(f"CREATE DATABASE {self._name} {how}")

    def _run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(f"{self.server}/{database}", autocommit=True) as connection:
            connection.execute(statement)


def measure(folder: Path, files: Files, runs: int, server: str) -> dict[str, tuple[Figures, Figures]]:
    """Medians by case: on SQLite, on PostgreSQL. Every end list of the first round is compared with what it must be."""
    sites = (Site(folder / "sqlite"), PostgresSite(folder / "postgres", server.rstrip("/")))
    starts = {case: [ours.start(each, files, case) for each in sites] for case in CASES}
    found: dict[Case, tuple[list[Run], list[Run]]] = {case: ([], []) for case in CASES}
    for round_ in range(runs):
        for case in CASES:
            for start, done in zip(starts[case], found[case], strict=True):
                site = start.copied_to(start.folder.with_name(f"{start.folder.name}-run"))
                done.append(run(site.process(files.path(case.file)), folder / "log"))
                if round_ == 0:
                    ours.check(site.exported(), files.expected(case), f"case {case.name} in {site.folder}")
    return {case.name: (figures(sqlite), figures(postgres)) for case, (sqlite, postgres) in found.items()}
