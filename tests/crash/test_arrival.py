"""The daemon dies while a file comes in, by FTP or through the drop folder."""

from __future__ import annotations

import ftplib
import io
import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.crash.outcome import assert_sound
from tests.crash.processes import Daemon, Step
from tests.crash.provider import Provider
from tests.eventually import eventually

YAML = "name: School\nkeyword: JOIN\nfeeds: {}\n"


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    provider = Provider(tmp_path / "provider")
    provider.set_up({"acme": YAML})
    return provider


RECEIVING = [
    # step, whether the client is told 226, what becomes of its file after the restart
    (Step("alp_daemon.channels.ftp.transfer:_Receiver._keep", "after"), False, None),
    (Step("pathlib:Path.rename", "before", ".part"), False, None),
    (Step("pathlib:Path.rename", "after", ".part"), False, None),
    (Step("alp_daemon.services.receiving.intake:Intake._record", "after"), False, "held"),
    (Step("alp_daemon.services.receiving.intake:Intake.settle", "before"), True, "held"),
    (Step("alp_daemon.services.receiving.intake:Intake.settle", "after"), True, "applied"),
]


def test_ftp_a_file_is_there_once_or_its_client_was_not_told(provider: Provider) -> None:
    """Each daemon finds what the one before it has left, and dies of the next step."""
    login = json.loads(provider.done("credentials", "issue", "acme", "--for", "ftp", "--json"))
    found = []
    for number, (step, told, state) in enumerate(RECEIVING):
        name = f"list-{number}.csv"
        with provider.daemon([step]) as daemon:
            recovered(provider, found)
            assert send(provider, daemon, login, name) is told, step
            assert daemon.was_killed(), step
        found += [(name, state)] if state else []
    with provider.daemon() as daemon:
        recovered(provider, found)
        for number, (_, told, _) in enumerate(RECEIVING):
            assert told or send(provider, daemon, login, f"list-{number}.csv")
        provider.wait_until_idle()
        for row in provider.uploads():
            if row["state"] == "held":
                assert row["reason"].endswith("the daemon stopped before it saw how the client left")
                provider.done("release", str(row["id"]), "--by", "ann", "--though-cut")
        provider.wait_until_idle()
    assert {row["state"] for row in provider.uploads()} == {"applied"}
    assert provider.export() == listed(range(len(RECEIVING)))
    assert_sound(provider)


def send(provider: Provider, daemon: Daemon, login: dict[str, str], name: str) -> bool:
    """Whether the client was told that its file is received."""
    told = False
    with provider.login(daemon, login["user"], login["password"]) as client:
        client.cwd("preformatted")
        with suppress(EOFError, OSError, ftplib.Error):
            told = client.storbinary(f"STOR {name}", io.BytesIO(content(name))).startswith("226")
            # An answer to the next command shows that the client has lived to see the 226.
            client.voidcmd("NOOP")
    return told


def content(name: str) -> bytes:
    """One number, other than that of any other file."""
    return f"212555010{name.removeprefix('list-').removesuffix('.csv')},bus\n".encode()


def listed(numbers: range) -> str:
    return "number,status,tags\n" + "".join(f"+1212555010{number},opted_in,bus\n" for number in numbers)


def recovered(provider: Provider, expected: list[tuple[str, str]]) -> None:
    provider.wait_until_idle()
    assert provider.states() == expected
    assert_sound(provider)


PICKING_UP = [
    ("alp_daemon.files.dropclaim:claim", "before"),
    ("alp_daemon.files.dropclaim:claim", "after"),
    ("alp_daemon.services.receiving.pickup:PickUp._move", "after"),
]


def test_drop_every_file_is_picked_up_once(provider: Provider) -> None:
    """Each daemon picks up what the one before it has died of, and dies of its own file."""
    names = [f"list-{number}.csv" for number in range(len(PICKING_UP))]
    for number, (at, when) in enumerate(PICKING_UP):
        with provider.daemon([Step(at, when, about=names[number])]) as daemon:
            picked_up(provider, names[:number])
            provider.drop("acme", f"preformatted/{names[number]}", content(names[number]).decode())
            assert daemon.was_killed(), at
    with provider.daemon():
        picked_up(provider, names)
    assert provider.export() == listed(range(len(names)))


def picked_up(provider: Provider, names: list[str]) -> None:
    eventually(lambda: len(provider.states()) == len(names), otherwise=provider.log)
    recovered(provider, [(name, "applied") for name in names])


def test_what_a_killed_daemon_had_in_work_is_done_once(provider: Provider) -> None:
    stand_still = Step("alp_daemon.services.processing.process:read_source", "before", by="SIGSTOP")
    provider.drop("acme", "preformatted/list-0.csv", content("list-0.csv").decode())
    with provider.daemon([stand_still]) as daemon:
        eventually(provider.deaths, otherwise=provider.log)
        daemon.kill()
    os.kill(provider.leases()["acme"], signal.SIGCONT)
    with provider.daemon():
        recovered(provider, [("list-0.csv", "applied")])
    assert provider.export() == listed(range(1))
