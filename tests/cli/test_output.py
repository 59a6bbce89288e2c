"""Where ``--out`` writes: a file is replaced whole, and whatever leads to it, or is none, stays what it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE, S_ISFIFO
from typing import IO

import pytest

from alp_daemon.cli.output import write_whole
from alp_daemon.errors import UsageProblem


def rows(file: IO[str]) -> int:
    return file.write("new\n")


def break_off(file: IO[str]) -> int:
    file.write("half")
    raise KeyError


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "there" / "list.csv"
    path.parent.mkdir()
    path.write_text("old\n")
    return path


def link(tmp_path: Path, target: Path | str) -> Path:
    path = tmp_path / "link"
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_keeps_its_permissions(old: Path, mode: int) -> None:
    old.chmod(mode)
    assert write_whole(old, rows) == 4
    assert (old.read_text(), S_IMODE(old.stat().st_mode)) == ("new\n", mode)


def test_and_its_owner(old: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(old, 12345, 12346)
    write_whole(old, rows)
    assert (old.stat().st_uid, old.stat().st_gid) == (12345, 12346)


def test_a_new_one_gets_the_usual(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_whole(tmp_path / "new.csv", rows)
    assert (tmp_path / "new.csv").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("target", ["there/list.csv", "there/new.csv"], ids=["a file", "none yet"])
def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path, old: Path, target: str) -> None:
    out = link(tmp_path, target)
    write_whole(out, rows)
    assert (out.is_symlink(), (tmp_path / target).read_text()) == (True, "new\n")
    assert not [*old.parent.glob(".*.part")]


def test_what_breaks_off_leaves_all_as_it_was(tmp_path: Path, old: Path) -> None:
    with pytest.raises(KeyError):
        write_whole(link(tmp_path, old), break_off)
    assert ([*old.parent.iterdir()], old.read_text()) == ([old], "old\n")


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(link(tmp_path, pipe), rows)
        assert os.read(reader, 100) == b"new\n"
    finally:
        os.close(reader)
    assert S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_no_file_to_be_replaced(tmp_path: Path) -> None:
    """One of a terminal that is ours alone."""
    ours, terminal = os.openpty()
    device = Path(os.ttyname(terminal))
    inode = device.stat().st_ino
    try:
        write_whole(link(tmp_path, device), rows)
        assert os.read(ours, 100) == b"new\r\n"
        assert device.stat().st_ino == inode
    finally:
        os.close(terminal)
        os.close(ours)


@pytest.mark.parametrize("name", ["/proc/self/fd/{}", "/dev/fd/{}"])
@pytest.mark.parametrize("lead", [lambda _, name: Path(name), link], ids=["by its name", "by a link"])
def test_what_is_open_already_is_written_on(
    tmp_path: Path, old: Path, name: str, lead: Callable[[Path, str], Path]
) -> None:
    """``{ echo head; alp-daemon export acme --out /dev/stdout; echo tail; } > list.csv``"""
    with old.open("w") as file:
        file.write("head\n")
        file.flush()
        write_whole(lead(tmp_path, name.format(file.fileno())), rows)
        file.write("tail\n")
    assert old.read_text() == "head\nnew\ntail\n"
    assert [*old.parent.iterdir()] == [old]


@pytest.mark.parametrize("name", [".", "/", "there", "link"])
def test_a_folder_is_refused(tmp_path: Path, old: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    link(tmp_path, old.parent)
    with pytest.raises(UsageProblem, match="expected the name of a file"):
        write_whole(Path(name), rows)


def test_links_in_a_circle_are_an_error_of_the_name_typed(tmp_path: Path) -> None:
    out = link(tmp_path, "link")
    with pytest.raises(OSError, match="Too many levels") as error:
        write_whole(out, rows)
    assert (error.value.filename, out.is_symlink()) == (str(out), True)
