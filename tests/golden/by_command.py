"""A case through the command line: import, approve, process, export."""

from __future__ import annotations

import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from alp_daemon.cli import run
from alp_daemon.demo.samples import Sample, normalised


@dataclass(frozen=True)
class Result:
    exit_code: int
    report: str
    after: str


def process(sample: Sample, folder: Path) -> Result:
    """What becomes of a case in an installation of its own. Raises where even the set-up fails."""
    (folder / "customers").mkdir(parents=True)
    (folder / "alp.yaml").write_text("")
    shutil.copy(sample.customer_file, folder / "customers" / f"{sample.name}.yaml")
    config = ["--config", str(folder / "alp.yaml")]

    succeed("import", sample.name, str(sample.before), "--by", "golden", *config)
    if sample.approved_with:
        succeed("approve", sample.name, "--sample", str(sample.approved_with), "--by", "golden", *config)
    exit_code, report = execute("process", sample.name, str(sample.upload), *config)
    return Result(exit_code, normalised(report), succeed("export", sample.name, *config))


def succeed(*arguments: str) -> str:
    exit_code, output = execute(*arguments)
    assert exit_code == 0, f"alp-daemon {' '.join(arguments)} exits with {exit_code}: {output}"
    return output


def execute(*arguments: str) -> tuple[int, str]:
    """The exit code and what was printed; talk on stderr is taken where there is nothing else."""
    output, talk = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(talk):
        exit_code = run(arguments)
    return exit_code, output.getvalue() or talk.getvalue()
