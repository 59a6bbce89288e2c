from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.crash.provider import Provider

Copy = Callable[[Provider], Provider]

ACME = """\
name: Acme Water
keyword: ACME
modes: [soft_opt_out_tags]
report_to: [lists@acme.example]
feeds:
  members:
    match: "members*.csv"
    mode: soft_opt_out_tags
    phones: [Phone]
    tags: [{column: Feeder}]
"""

BEFORE = "Phone,Feeder\n2125550101,north\n2125550102,north\n2125550103,south\n2125550104,south\n"
"""The list before the crash. 2125550104 says STOP afterwards."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """A customer with an approved feed and a list; not to be changed, but copied."""
    provider = Provider(tmp_path_factory.mktemp("made") / "provider")
    provider.set_up({"acme": ACME})
    before = str(provider.write("members-before.csv", BEFORE))
    provider.done("approve", "acme", "--sample", before, "--by", "ann")
    provider.done("process", "acme", before)
    provider.done("message", "acme", "2125550104", "STOP", "--id", "m1")
    return provider


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Makes a copy of a provider, for each run of the same story."""

    def copy(of: Provider) -> Provider:
        folder = tmp_path_factory.mktemp("run") / "provider"
        shutil.copytree(of.folder, folder)
        return Provider(folder)

    return copy
