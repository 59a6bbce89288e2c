"""From the first byte to the record: what is answered for is kept, what is not answered for is not."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, TryAgain
from alp_daemon.services.receiving.intake import Intake, Sender, Verdict
from alp_daemon.store.sqlite import SqliteStore
from tests.intake.crash import in_a_child, kill_at
from tests.intake.world import NOW, World, build

OPERATOR = Sender("cli", "root")


def test_a_received_file_is_an_object_of_its_own_with_a_record(world: World) -> None:
    upload = world.send("members.csv", b"one", evidence=None)
    again = world.send("members.csv", b"two", evidence=None)
    row = world.row(upload)
    assert (row["customer"], row["feed"], row["name"], row["size"]) == ("acme", "members", "members.csv", 3)
    assert (row["channel"], row["actor"], row["ip"], row["session"]) == ("ftp", "acme", "192.0.2.7", "s1")
    assert (row["state"], row["evidence"], row["waits_for"]) == ("received", None, None)
    assert (world.content(upload), world.content(again)) == (b"one", b"two")
    assert row["object"].startswith("acme/")
    assert len(world.spooled()) == 2


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "members\n.csv", "-rf", "%s", "m" * 255, "mémbers.csv"])
def test_a_name_never_reaches_the_file_system(world: World, name: str) -> None:
    upload = world.send(name)
    assert world.row(upload)["name"] == name
    token = world.row(upload)["object"].removeprefix("acme/")
    assert len(token) == 32
    assert set(token) <= set("0123456789abcdef")


def test_an_aborted_file_leaves_nothing(world: World) -> None:
    incoming = world.intake.begin("acme")
    incoming.file.write(b"half")
    incoming.abort()
    incoming.abort()
    assert world.spooled() == []


def test_due_only_when_settled_and_the_first_word_stands(world: World) -> None:
    upload = world.send("members.csv", evidence=None)
    assert world.rung == []
    assert not world.is_due(upload)
    world.intake.settle({upload: Verdict(Evidence.cut, "the client was killed")})
    world.intake.settle({upload: Verdict(Evidence.proven)})
    assert len(world.rung) == 1
    assert (world.row(upload)["evidence"], world.row(upload)["evidence_note"]) == ("cut", "the client was killed")


def test_a_known_ending_makes_it_due_at_once(world: World) -> None:
    assert world.is_due(world.send("members.csv", evidence=Evidence.proven))
    assert len(world.rung) == 1


def test_a_locked_database_is_a_passing_refusal_that_keeps_nothing(world: World) -> None:
    hasty = Intake(SqliteStore(world.store.path, busy_seconds=0.05), world.settings, world.registry)
    other = sqlite3.connect(world.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    incoming = hasty.begin("acme")
    incoming.file.write(b"x")
    with pytest.raises(TryAgain, match="another program has kept the database locked; try again"):
        hasty.receive(incoming, "acme", "members.csv", "", OPERATOR, NOW)
    other.execute("ROLLBACK")
    assert world.spooled() == []
    assert world.rows() == []


def test_a_full_disk_is_a_passing_refusal_that_keeps_nothing(world: World) -> None:
    limit = 100_000

    def fill() -> None:
        incoming = world.intake.begin("acme")
        incoming.file.write(bytes(limit))
        # The last bytes are in the buffer only: the disk fills up under the hands of receive().
        incoming.file.write(b"x")
        with pytest.raises(TryAgain, match="the file is larger than this system allows; nothing was kept"):
            world.intake.receive(incoming, "acme", "members.csv", "", OPERATOR, NOW)
        assert world.spooled() == []

    in_a_child(fill, file_size=limit)
    assert world.rows() == []


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_no_space_left_keeps_nothing(world: World) -> None:
    incoming = world.intake.begin("acme")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, incoming.file.fileno())
    os.close(full)
    incoming.file.write(b"x")
    with pytest.raises(TryAgain, match="the disk is full; nothing was kept, try again later"):
        world.intake.receive(incoming, "acme", "members.csv", "", OPERATOR, NOW)
    assert world.spooled() == []
    assert world.rows() == []


def test_many_threads_lose_nothing(world: World) -> None:
    def work(number: int) -> None:
        for count in range(20):
            world.send("members.csv", f"{number}:{count}".encode(), session=str(number))
        world.store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = world.rows()
    assert {world.content(row["id"]) for row in rows} == {f"{n}:{c}".encode() for n in range(8) for c in range(20)}
    for number in range(8):
        own = [world.content(row["id"]) for row in rows if row["session"] == str(number)]
        assert own == [f"{number}:{count}".encode() for count in range(20)]


def test_take_copies_a_file_and_leaves_it(world: World, tmp_path: Path) -> None:
    source = tmp_path / "members.csv"
    source.write_bytes(b"content")
    upload = world.intake.take(source, "acme", source.name, "", OPERATOR, NOW, evidence=Evidence.proven)
    assert world.content(upload) == source.read_bytes() == b"content"
    assert (world.row(upload)["feed"], world.row(upload)["sha256"]) == (
        "members",
        hashlib.sha256(b"content").hexdigest(),
    )
    assert world.is_due(upload)


@pytest.mark.parametrize(
    ("name", "feed", "expected"),
    [("hashed.csv", None, "hashed"), ("list.tmp", "members", "members"), ("list.xlsx", None, None)],
)
def test_take_waits_for_nothing(
    world: World, tmp_path: Path, name: str, feed: str | None, expected: str | None
) -> None:
    (tmp_path / name).write_bytes(b"x")
    upload = world.intake.take(tmp_path / name, "acme", name, "", OPERATOR, NOW, evidence=Evidence.assumed, feed=feed)
    assert world.row(upload)["feed"] == expected
    assert world.is_due(upload)


def test_take_reads_a_pipe(world: World, tmp_path: Path) -> None:
    pipe = tmp_path / "members.csv"
    os.mkfifo(pipe)
    content = bytes(range(256)) * 12_000 + b"end"
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    upload = world.intake.take(pipe, "acme", "members.csv", "", OPERATOR, NOW, evidence=Evidence.assumed)
    writer.join()
    row = world.row(upload)
    assert (row["size"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_take_names_a_missing_file(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.csv: there is no such file"):
        world.intake.take(tmp_path / "nowhere.csv", "acme", "x.csv", "", OPERATOR, NOW, evidence=Evidence.assumed)
    assert world.spooled() == []


def test_a_kill_at_any_line_leaves_a_whole_upload_or_none(tmp_path: Path) -> None:
    step, finished = 0, False
    while not finished:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        build(folder).store.close()
        finished = in_a_child(lambda folder=folder, step=step: _send_and_die(folder, step))
        world = build(folder)
        world.intake.upkeep.recover()
        rows = world.rows()
        if finished or (folder / "answered").exists():
            assert len(rows) == 1, step
        for row in rows:
            assert world.content(row["id"]) == b"content", step
            assert row["evidence"] == "cut", step
            assert row["evidence_note"] == "the daemon stopped before it saw how the client left"
        objects = [path for path in world.spooled() if path.parent.name != ".strays"]
        assert len(objects) == len(rows) <= 1, step
        world.store.close()
    assert step > 30


def _send_and_die(folder: Path, step: int) -> None:
    world = build(folder)
    incoming = world.intake.begin("acme")
    incoming.file.write(b"content")
    kill_at(
        step,
        "receive",
        "_receive",
        "receive_all",
        "kept",
        "_in_place",
        "_moved",
        "_record",
        "_transaction",
        "sync_folder",
        "abort",
    )
    world.intake.receive(incoming, "acme", "members.csv", "", OPERATOR, NOW)
    (folder / "answered").touch()
