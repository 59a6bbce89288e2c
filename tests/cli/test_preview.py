"""``preview`` shows; it writes one file where it is told to, and never over the one it reads."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from tests.cli.conftest import ACME, ANN, JOE, MEMBERS, Terminal

ONE_FEED = ACME.partition("  full:")[0]


def names(alp: Terminal) -> set[str]:
    return {each.name for each in alp.folder.iterdir()}


def test_it_leaves_nothing_behind(alp: Terminal) -> None:
    sample = alp.file("members.csv")
    before = names(alp)
    assert alp.json("preview", "acme", sample)["out"] is None
    assert names(alp) == before


def test_it_writes_what_it_is_asked_for(alp: Terminal) -> None:
    before = names(alp)
    said = alp("preview", "acme", alp.file("members.csv"), "--out", "new.csv")
    assert said.err == "wrote new.csv: 2 numbers with their tags in the standard format\n"
    assert (alp.folder / "new.csv").read_text() == f"{JOE},f-12\n{ANN},f-13\n"
    assert names(alp) == before | {"new.csv"}


def test_it_is_done_again_after_a_correction(alp: Terminal, configure: Callable[[str], None]) -> None:
    sample = alp.file("members.csv")
    assert alp("preview", "acme", sample, "--out", "new.csv").code == 0
    configure(ACME.replace("f-", "feeder "))
    assert alp("preview", "acme", sample, "--out", "new.csv").code == 0
    assert (alp.folder / "new.csv").read_text() == f"{JOE},feeder 12\n{ANN},feeder 13\n"


@pytest.mark.parametrize("out", ["members.csv", "link.csv"])
def test_what_it_reads_it_does_not_write(alp: Terminal, out: str) -> None:
    sample = alp.file("members.csv")
    (alp.folder / "link.csv").symlink_to("members.csv")
    said = alp("preview", "acme", sample, "--out", out)
    assert (said.code, f"--out {out} is the file that is previewed" in said.err) == (64, True)
    assert (alp.folder / "members.csv").read_text() == MEMBERS


def test_to_stdout_goes_the_file_alone(alp: Terminal) -> None:
    before = names(alp)
    said = alp("preview", "acme", alp.file("members.csv"), "--out", "-")
    assert (said.code, said.out) == (0, f"{JOE},f-12\n{ANN},f-13\n")
    assert "members.csv was read and planned only" in said.err
    assert "row 4, Phone: '•••' (not_a_number)" in said.err, "masked as all on stderr"
    assert names(alp) == before


def test_whose_folder_is_not_ones_own_is_told_what_to_do(alp: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("alp_daemon.cli.output._open_text", refuse)  # for root there is no such folder
    said = alp("preview", "acme", alp.file("members.csv"), "--out", "new.csv")
    assert said.code == 69
    assert "new.csv: Permission denied for user " in said.err
    assert "; `--out - > new.csv` has your shell write it" in said.err


def test_a_name_that_ftp_would_refuse_is_taken_and_told(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(ONE_FEED)
    told = (
        "november.csv: taken as feed members, although its pattern members*.csv does not match: by FTP this name would"
        " be rejected\n"
    )
    sample = alp.file("november.csv")
    for command in (["preview", "acme", sample], ["approve", "acme", "--sample", sample, "--by", "Ann"]):
        said = alp(*command)
        assert (said.code, told in said.err) == (0, True), said.err
    assert alp("preview", "acme", alp.file("members.csv")).err == ""


@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
class TestProcess:
    """Unlike a preview it has to do as an upload would."""

    def test_guesses_no_feed(self, alp: Terminal, configure: Callable[[str], None], dry_run: list[str]) -> None:
        configure(ONE_FEED)
        said = alp("process", "acme", alp.file("november.csv"), *dry_run)
        assert said.code == 64
        assert "no feed of acme takes this name; say --feed (one of: members, preformatted)" in said.err

    def test_takes_what_is_named_and_says_what_ftp_would_do(self, alp: Terminal, dry_run: list[str]) -> None:
        sample = alp.file("november.csv")
        said = alp("process", "acme", sample, "--feed", "members", *dry_run)
        assert said.code == 0
        assert "by FTP this name would be rejected" in said.err
        said = alp("process", "acme", alp.file("full.csv"), "--feed", "members", *dry_run)
        assert "by FTP this name would be taken as feed full" in said.err

    def test_says_nothing_where_ftp_does_the_same(self, alp: Terminal, dry_run: list[str]) -> None:
        preformatted = alp.file("0123456789abcdef", f"{JOE},a\n")
        for arguments in ([preformatted, "--feed", "preformatted"], [alp.file("members.csv")]):
            said = alp("process", "acme", *arguments, *dry_run)
            assert (said.code, said.err) == (0, "")


def test_a_file_that_cannot_be_written_is_named_as_it_was_typed(alp: Terminal) -> None:
    said = alp("preview", "acme", alp.file("members.csv"), "--out", "members.csv/new.csv")
    assert (said.code, said.err) == (69, "alp-daemon: members.csv/new.csv: Not a directory\n")
