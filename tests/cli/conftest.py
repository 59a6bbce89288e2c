from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alp_daemon.cli import run

ACME = """\
name: Acme Water
keyword: ACME
modes: [append, append_tags, soft_opt_out, hard_opt_out]
feeds:
  members:
    match: "members*.csv"
    mode: append
    phones: [Phone]
    tags: [{column: Feeder, prefix: "f-"}]
  full:
    match: "full*.csv"
    mode: hard_opt_out
    phones: [Phone]
    guard: {floor: 1}
"""
MEMBERS = "Phone,Name,Feeder\n(212) 555-0123,Joe,12\n212.555.0124,Ann,13\nnonsense,X,1\n"
JOE, ANN, EVE = "+12125550123", "+12125550124", "+12125550125"


@dataclass
class Said:
    """What one command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Terminal:
    """An installation of one customer, used by its command line in this process."""

    folder: Path
    capture: pytest.CaptureFixture[str] = field(repr=False)

    def __call__(self, *arguments: str) -> Said:
        code = run(arguments)
        captured = self.capture.readouterr()
        return Said(code, captured.out, captured.err)

    def json(self, *arguments: str, code: int = 0) -> Any:
        said = self(*arguments, "--json")
        assert said.code == code, said.err or said.out
        return said.json

    def file(self, name: str, content: str = MEMBERS) -> str:
        (self.folder / name).write_text(content)
        return str(self.folder / name)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, a customer, and both its feeds approved."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "alp.yaml").write_text("data_dir: data\ncustomers_dir: customers\n")
    (folder / "customers").mkdir()
    (folder / "customers" / "acme.yaml").write_text(ACME)
    (folder / "members.csv").write_text(MEMBERS)
    for feed in ("members", "full"):
        sample = ("--sample", str(folder / "members.csv"), "--feed", feed)
        assert run(["approve", "acme", *sample, "--by", "Ann", "--config", str(folder / "alp.yaml")]) == 0
    return folder


@pytest.fixture
def alp(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("ALP_CONFIG", str(tmp_path / "alp.yaml"))
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, capsys)


@pytest.fixture
def configure(alp: Terminal) -> Callable[[str], None]:
    """Writes the customer's file anew."""
    return lambda text: (alp.folder / "customers" / "acme.yaml").write_text(text) and None
