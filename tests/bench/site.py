"""A provider whose customers have one feed each, in a folder of its own, driven by the command line alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("alp-daemon")
SAMPLE_ROWS = 50
# All clients of the benchmark have one address.
SETTINGS = """\
data_dir: data
web: {port: 0}
ftp: {host: 127.0.0.1, port: 0, max_connections: 600, max_connections_per_ip: 600}
"""


@dataclass(frozen=True)
class Site:
    folder: Path

    @property
    def _config(self) -> Path:
        return self.folder / "alp.yaml"

    @property
    def settings(self) -> str:
        return SETTINGS

    def process(self, file: Path, customer: str = "acme") -> list[str]:
        """The command that is measured."""
        return self.command("process", customer, str(file), "--feed", "members", "--json")

    def call(self, *arguments: str) -> str:
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"alp-daemon {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def configure(self, mode: str, sample: Path, customer: str = "acme") -> str:
        """Gives the feed its mode, with the guard raised as for a release, and has it approved.

        Returns what the approval prints: the customer's log-in, as JSON.
        """
        feed = {
            "match": "*.csv",
            "mode": mode,
            "phones": ["Phone"],
            "tags": [{"column": column} for column in ("Region", "Feeder", "Program")],
            "guard": {"max_omitted": "50%"},
        }
        rules = {"name": customer, "keyword": customer, "modes": [mode], "feeds": {"members": feed}}
        (self.folder / "customers").mkdir(parents=True, exist_ok=True)
        (self.folder / f"customers/{customer}.yaml").write_text(json.dumps(rules))  # JSON is YAML
        self._config.write_text(self.settings)
        beginning = self.folder / "sample.csv"
        with sample.open(encoding="utf-8") as file:
            beginning.write_text("".join(next(file) for _ in range(SAMPLE_ROWS)), encoding="utf-8")
        approved = ["approve", customer, "--feed", "members", "--sample", str(beginning), "--by", "bench", "--json"]
        return self.call(*approved)

    def copied_to(self, folder: Path) -> Site:
        """Another site in the same state. Files that were worked stay behind."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("spool", "drop"))
        os.sync()  # so that no run pays for writing out the copy
        return Site(folder)

    def exported(self, customer: str = "acme") -> str:
        return self.call("export", customer)

    def command(self, *arguments: str) -> list[str]:
        name, *rest = arguments
        return [str(PROGRAM), name, *rest, "--config", str(self._config)]


def text_of(rows: Sequence[tuple[str, str, str]]) -> str:
    """A list as ``alp-daemon export`` writes it."""
    return "number,status,tags\n" + "".join(f"{number},{status},{tags}\n" for number, status, tags in sorted(rows))
