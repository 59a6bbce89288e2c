"""What the campaigns have found by chance, staged on purpose."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.files.preformattedlimits import MAX_COLUMNS
from alp_daemon.store import uploads
from tests.eventually import eventually
from tests.faults.connections import reset
from tests.faults.hostile import zipped
from tests.faults.installation import Installation
from tests.ftp.site import Wire
from tests.services.provider import SENDER, Provider, csv, numbers


def test_a_client_that_is_gone_when_it_is_answered_leaves_nothing_behind(tmp_path: Path) -> None:
    """The answer that its data connection has come to nothing could not be sent, and the session stayed for ever."""
    installation = Installation(tmp_path / "site")
    installation.issue()
    with installation.running() as door:
        wire = Wire(door)
        wire.log_in(door)
        numbers = wire.ask("PASV").split("(")[1].split(")")[0].split(",")
        assert wire.ask("STOR members.csv").startswith("150 ")
        descriptors = door.descriptors()
        os.kill(door.daemon.pid, signal.SIGSTOP)
        try:
            reset(socket.create_connection(("127.0.0.1", int(numbers[4]) * 256 + int(numbers[5])), 20))
            reset(wire.socket)
            wire._file.close()
        finally:
            os.kill(door.daemon.pid, signal.SIGCONT)
        eventually(lambda: door.descriptors() < descriptors)
        assert installation.at_rest() == []
    assert "Traceback" not in installation.provider.log()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        # Fields of the central directory's entry (APPNOTE.TXT 4.3.12), by their distance from its signature.
        (10, 9, "packed in a way that is not understood here (That compression method is not supported)"),
        (6, 255, "packed in a way that is not understood here (zip file version 25.5)"),
        (46, 0xFF, "the archive cannot be unpacked, it is damaged or cut off"),
    ],
    ids=["Deflate64", "a version to come", "a name in no encoding"],
)
def test_an_archive_that_is_not_understood_is_rejected(tmp_path: Path, field: int, value: int, told: str) -> None:
    archive = bytearray(zipped(csv(numbers(2)).encode()))
    entry = archive.index(b"PK\x01\x02")
    archive[entry + field] = value
    archive[entry + 9] |= 0x08  # names are UTF-8
    provider = Provider(tmp_path)
    (provider.folder / "list.zip").write_bytes(archive)
    provider.intake.take(
        provider.folder / "list.zip", "acme", "append.csv", "", SENDER, provider.tick(), evidence=Evidence.assumed
    )
    report = provider.work()
    assert report is not None
    assert (report["state"], told in report["reason"]) == ("rejected", True), report["reason"]


@pytest.mark.parametrize(("columns", "state"), [(MAX_COLUMNS, "applied"), (30_000, "rejected")])
def test_a_preformatted_file_of_many_columns(tmp_path: Path, columns: int, state: str) -> None:
    """Of 30,000 columns each took the memory of a column of tags: 600 MB for a file of 3 MB."""
    provider = Provider(tmp_path)
    content = f"2125550101{',' * (columns - 2)},north\n" * 100
    report = provider.process("list.csv", content, folder="preformatted")
    assert (report["state"], "columns" in report["reason"]) == (state, state == "rejected")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_held_file_is_overtaken_whatever_the_clock_says(tmp_path: Path, hours: int) -> None:
    """Set back, the clock had the later file look like the earlier one, and the held one could be released over it."""
    provider = Provider(tmp_path)
    provider.send("soft_opt_out.csv", csv(numbers(1)) + "nobody,\nnobody,\n")
    held = provider.work()
    assert held is not None
    assert held["state"] == "held"
    provider.tick(hours=hours)
    provider.process("soft_opt_out.csv", numbers(3))
    with provider.store.read() as transaction:
        assert uploads.get(transaction, held["upload"]).reason == f"superseded by {held['upload'] + 1}"
