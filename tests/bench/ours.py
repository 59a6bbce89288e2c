"""`alp-daemon process` as a whole process, beside the floor, in turn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tests.bench.cases import CASES, Case, Files
from tests.bench.measure import Figures, Run, figures, run
from tests.bench.site import Site

FLOOR = "floor"


def measure(folder: Path, files: Files, runs: int) -> dict[str, Figures]:
    """Medians by case, and of the floor. Every end list of the first round is compared with what it must be."""
    starts = {case: start(Site(folder), files, case) for case in CASES}
    found: dict[str, list[Run]] = {FLOOR: [], **{case.name: [] for case in CASES}}
    for round_ in range(runs):
        floor = [sys.executable, str(Path(__file__).with_name("floor.py")), str(files.path("first"))]
        found[FLOOR].append(run(floor, folder / "log"))
        for case in CASES:
            site = starts[case].copied_to(folder / "run")
            found[case.name].append(run(site.process(files.path(case.file)), folder / "log"))
            if round_ == 0:
                check(site.exported(), files.expected(case), f"case {case.name}")
    return {name: figures(each) for name, each in found.items()}


def check(found: str, expected: str, what: str) -> None:
    if found == expected:
        return
    missing = set(expected.splitlines()) - set(found.splitlines())
    surplus = set(found.splitlines()) - set(expected.splitlines())
    sys.exit(f"{what}: the wrong list; missing {sorted(missing)[:3]}, surplus {sorted(surplus)[:3]}")


def start(sites: Site, files: Files, case: Case) -> Site:
    """The site as it is before a case, in the folder of ``sites``."""
    site = replace(sites, folder=sites.folder / f"start-{case.mode}-{case.loaded}-{case.stopped}")
    if site.folder.exists():
        return site
    if not case.loaded:
        site.configure(case.mode, files.path("first"))
        return site
    first = start(sites, files, CASES[0])
    site = first.copied_to(site.folder)
    site.call("process", "acme", str(files.path("first")), "--feed", "members")
    if case.stopped:
        site.call("opt-out", "acme", files.somebody())
    if case.mode != CASES[0].mode:
        site.configure(case.mode, files.path("first"))
    return site
