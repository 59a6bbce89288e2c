"""What is refused is named on the terminal, where no ``rejects.csv`` is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Terminal


@pytest.mark.parametrize("command", [("preview",), ("process", "--dry-run")])
def test_a_file_that_was_planned_only(alp: Terminal, command: tuple[str, ...]) -> None:
    said = alp(command[0], "acme", alp.file("members.csv"), *command[1:])
    assert "Refused (1)\n" in said.out
    assert said.out.endswith("row 4, Phone: 'nonsense' (not_a_number)\n")


def test_an_upload_that_has_a_rejects_csv(alp: Terminal) -> None:
    said = alp("process", "acme", alp.file("members.csv"))
    assert "Refused (1; rejects.csv names each row)\n" in said.out
    assert "nonsense" not in said.out


def test_more_than_fit_are_counted(alp: Terminal) -> None:
    bad = "".join(f"nobody,{n},1\n" for n in range(25))
    said = alp("preview", "acme", alp.file("members.csv", f"Phone,Name,Feeder\n{bad}"))
    assert said.out.count("(not_a_number)\n") == 20
    assert said.out.endswith("  and 5 more\n")


def test_an_import_of_an_opt_out_that_cannot_be_read(alp: Terminal, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("number,status,tags\n+12125550123,opted_in,\n555-01,opted_out,\n", encoding="utf-8")
    said = alp("import", "acme", str(old), "--by", "maria")
    assert said.out.endswith(" 1 rejected\n  row 3, number: '555-01' (invalid)\n")


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-1", "202611", "２０２６-11"])
def test_a_month_that_is_none(alp: Terminal, month: str) -> None:
    said = alp("usage", "acme", "--month", month)
    assert (said.code, said.out) == (64, "")
    assert "such as 2026-11" in said.err
