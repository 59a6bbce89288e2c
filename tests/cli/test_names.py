"""Whose name is kept with what is done."""

from __future__ import annotations

import getpass

import pytest

from tests.cli.conftest import ACME, JOE, Terminal

BRAND = ACME + 'brand: {id: "9999"}\n'


@pytest.fixture(autouse=True)
def maria(monkeypatch: pytest.MonkeyPatch) -> None:
    """She said `sudo -u alp-daemon alp-daemon …`."""
    monkeypatch.setenv("SUDO_USER", "maria")


@pytest.mark.parametrize("arguments", [(), ("--by", " Ann ")], ids=["by sudo", "said"])
@pytest.mark.parametrize("command", ["opt-in", "opt-out"])
def test_commands_for_one_number(alp: Terminal, command: str, arguments: tuple[str, ...]) -> None:
    alp.json(command, "acme", JOE, *arguments)
    (event,) = alp.json("status", "acme", JOE)["history"]
    assert (event["by"], event["source"], event["channel"]) == ("Ann" if arguments else "maria", "operator", "cli")


def test_without_sudo_it_is_the_user(alp: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):  # anybody may set these
        monkeypatch.delenv(name, raising=False)
    alp.json("opt-in", "acme", JOE)
    assert alp.json("status", "acme", JOE)["history"][0]["by"] == getpass.getuser()


def test_a_file(alp: Terminal) -> None:
    assert alp.json("process", "acme", alp.file("members.csv"))["sent_by"] == "maria"
    assert alp.json("process", "acme", "members.csv", "--by", "Ann")["sent_by"] == "Ann"


def test_a_log_in_and_a_subscriber(alp: Terminal) -> None:
    (alp.folder / "customers" / "acme.yaml").write_text(BRAND)
    alp.json("credentials", "issue", "acme")
    assert [each["issued_by"] for each in alp.json("credentials", "list", "acme")] == ["Ann", "maria"]
    found = alp.json("unsubscribe", "9999", "joe@example.com")
    assert [event["by"] for event in found["history"]] == ["maria"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("opt-out", "acme", JOE),
        ("process", "acme", "members.csv"),
        ("release", "1"),
        ("import", "acme", "--starts-empty"),
        ("credentials", "issue", "acme"),
        ("customers", "push"),
        ("unsubscribe", "9999", "joe@example.com"),
        ("interests", "add", "9999", "news"),
        ("preview", "acme", "members.csv", "--send"),
    ],
    ids=" ".join,
)
def test_a_blank_one_is_none(alp: Terminal, arguments: tuple[str, ...]) -> None:
    said = alp(*arguments, "--by", "\t ")
    assert said.code == 64
    assert "'--by': expected a name" in said.err
