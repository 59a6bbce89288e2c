"""What a customer sees of its folder while files in it come and go."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ftp.site import Site


@pytest.fixture
def home(site: Site) -> Path:
    home = site.intake.prepare("acme")
    for folder in ("", "preformatted", "reports"):
        (home / folder / "gone.csv").write_text("x")
        (home / folder / "stays.csv").write_text("x")
    return home


@pytest.fixture
def gone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is called so is removed as soon as the system has listed it, and before anybody can ask more of it."""
    scandir = os.scandir

    @contextmanager
    def listed(folder: Any) -> Iterator[Iterator[os.DirEntry[str]]]:
        with scandir(folder) as entries:
            yield (_removed(folder, entry) for entry in entries)

    monkeypatch.setattr(os, "scandir", listed)


def _removed(folder: Any, entry: os.DirEntry[str]) -> os.DirEntry[str]:
    if entry.name == "gone.csv":
        os.unlink(entry.name, dir_fd=folder)
    return entry


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize("folder", ["/", "/preformatted", "/reports"])
def test_a_file_that_goes_while_the_folder_is_listed_is_left_out(site: Site, folder: str) -> None:
    names = site.enter().nlst(folder)
    assert "stays.csv" in names
    assert "gone.csv" not in names


@pytest.mark.usefixtures("gone")
def test_nor_does_it_keep_another_from_being_asked_about(site: Site) -> None:
    ftp = site.enter()
    assert ftp.size("/stays.csv") == 1
    assert ftp.size("/reports/stays.csv") == 1


def test_what_is_on_its_way_is_not_shown(site: Site, home: Path) -> None:
    for folder, name in (("reports", ".000001-a.report.txt.part"), ("", ".0123.pickup"), ("preformatted", ".a.csv")):
        (home / folder / name).write_text("half")
    ftp = site.enter()
    for folder in ("/", "/preformatted", "/reports"):
        names = [name for name, _ in ftp.mlsd(folder)]
        assert "stays.csv" in names
        assert not [name for name in names if name.startswith(".")]


def test_a_hidden_upload_is_shown_until_its_client_renames_it(site: Site) -> None:
    ftp = site.enter()
    ftp.storbinary("STOR .members.csv", io.BytesIO(b"Phone\n"))
    assert ".members.csv" in ftp.nlst()
