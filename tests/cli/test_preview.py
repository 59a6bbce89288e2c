"""``preview`` shows; it writes one file where it is told to, and never over another."""

from __future__ import annotations

from tests.cli.conftest import ANN, JOE, Terminal


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


def test_it_overwrites_nothing(alp: Terminal) -> None:
    sample = alp.file("members.csv")
    before = (alp.folder / "members.csv").read_text()
    said = alp("preview", "acme", sample, "--out", "members.csv")
    assert said.code == 77
    assert "members.csv exists already; name another file" in said.err
    assert (alp.folder / "members.csv").read_text() == before


def test_a_file_that_cannot_be_written_is_named_as_it_was_typed(alp: Terminal) -> None:
    said = alp("preview", "acme", alp.file("members.csv"), "--out", "members.csv/new.csv")
    assert (said.code, said.err) == (69, "alp-daemon: members.csv/new.csv: Not a directory\n")
