"""Which alp.yaml a command goes by, and that asking makes nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alp_daemon.cli import configuration
from alp_daemon.errors import ConfigurationError
from tests.cli.conftest import ACME, JOE, Terminal

NOBODY = 65534


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A checkout's file, below the working folder, and an installed one."""
    here, installed = tmp_path / "checkout" / "configs" / "alp.yaml", tmp_path / "etc" / "alp.yaml"
    for each in (here, installed):
        each.parent.mkdir(parents=True)
        each.write_text("")
    monkeypatch.setattr(configuration, "_INSTALLED", installed)
    monkeypatch.delenv("ALP_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path / "checkout")
    return here, installed


@contextmanager
def of_somebody_else(folder: Path) -> Iterator[None]:
    """Meanwhile this process may not look into the folder; root may, so it becomes somebody else."""
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


class TestWhichFile:
    def test_that_of_the_working_folder_comes_first_and_is_told_of(
        self, places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert configuration.find(None).absolute() == places[0]
        assert f"by {places[0]}; --config or ALP_CONFIG names another" in capsys.readouterr().err

    def test_the_installed_one_needs_no_word(
        self, places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        places[0].unlink()
        assert configuration.find(None) == places[1]
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("by", ["--config", "ALP_CONFIG"])
    def test_one_that_is_named_needs_no_word(
        self,
        places: tuple[Path, Path],
        by: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        if by == "ALP_CONFIG":
            monkeypatch.setenv("ALP_CONFIG", str(places[0]))
        assert configuration.find(places[0] if by == "--config" else None) == places[0]
        assert capsys.readouterr().err == ""

    def test_there_is_none(self, places: tuple[Path, Path]) -> None:
        for each in places:
            each.unlink()
        with pytest.raises(ConfigurationError, match=r"neither configs/alp.yaml nor .* can be read"):
            configuration.find(None)

    def test_a_named_one_must_be_there(self, places: tuple[Path, Path]) -> None:
        with pytest.raises(ConfigurationError, match=r"gone\.yaml: there is no such file to read"):
            configuration.find(Path("gone.yaml"))

    def test_a_working_folder_that_cannot_be_read_has_none(
        self, places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Such as root's own, where an operator says `sudo -u alp-daemon alp-daemon uploads`."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            (installed := Path(folder) / "alp.yaml").touch(0o644)
            monkeypatch.setattr(configuration, "_INSTALLED", installed)
            with of_somebody_else(places[0].parent):
                assert configuration.find(None) == installed
                with pytest.raises(ConfigurationError, match="no such file to read"):
                    configuration.find(places[0])


ASKING = [
    ["verify"],
    ["uploads"],
    ["show", "1"],
    ["export", "acme"],
    ["status", "acme", JOE],
    ["number", JOE],
    ["usage", "acme"],
    ["messages", "acme"],
    ["lockouts"],
    ["unlock", "192.0.2.7"],
    ["credentials", "list"],
    ["credentials", "revoke", "acme", "acme"],
    ["release", "1", "--by", "Ann"],
    ["discard", "1", "--by", "Ann"],
    ["undo", "1", "--by", "Ann"],
    ["customers", "versions"],
    ["customers", "pull", "--out", "pulled"],
]


class TestNothingIsThereYet:
    @pytest.fixture
    def new(self, alp: Terminal) -> Terminal:
        (alp.folder / "alp.yaml").write_text("data_dir: new\ncustomers_dir: customers\n")
        return alp

    @pytest.mark.parametrize("arguments", ASKING, ids=" ".join)
    def test_asking_makes_no_database(self, new: Terminal, arguments: list[str]) -> None:
        said = new(*arguments)
        assert (said.code, said.out) == (66, "")
        assert f"{new.folder}/new/alp.db: there is no database yet (`alp-daemon serve` makes it)" in said.err
        assert f"{new.folder}/alp.yaml is the wrong file" in said.err
        assert not (new.folder / "new").exists()

    @pytest.mark.parametrize("arguments", [["preview"], ["process", "--dry-run"]], ids=" ".join)
    def test_what_a_file_would_do_is_told_all_the_same(self, new: Terminal, arguments: list[str]) -> None:
        report = new.json(arguments[0], "acme", new.file("members.csv"), *arguments[1:], code=79 * (len(arguments) - 1))
        assert report["changes"]["opted_in"] == 2
        assert not (new.folder / "new").exists()

    def test_the_doctor_says_so(self, new: Terminal) -> None:
        said = new("doctor")
        assert (said.code, said.out.splitlines()[0][:7]) == (69, "error: ")
        assert "there is no database yet" in said.out
        assert not (new.folder / "new").exists()

    def test_a_reload_finds_no_daemon(self, new: Terminal) -> None:
        assert new("reload").code == 69
        assert not (new.folder / "new").exists()

    def test_what_puts_something_into_it_makes_it(self, new: Terminal) -> None:
        assert new("opt-out", "acme", JOE).code == 0
        assert new.json("status", "acme", JOE)["status"] == "opted_out"


def test_a_broken_customer_has_uploads_and_log_ins(alp: Terminal) -> None:
    (alp.folder / "customers" / "acme.yaml").write_text(ACME + "nonsense: 1\n")
    assert alp.json("uploads", "--customer", "acme") == []
    assert [each["user"] for each in alp.json("credentials", "list", "acme")] == ["acme"]
