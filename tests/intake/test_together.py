"""Files that come at once share a commit, and none of them shares another one's trouble."""

from __future__ import annotations

import os

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import TryAgain
from alp_daemon.services.receiving.intake import Received, Sender, Verdict
from alp_daemon.store.sqlite import SqliteStore
from tests.intake.world import NOW, World


def received(world: World, name: str, content: bytes, customer: str = "acme") -> Received:
    incoming = world.intake.begin(customer)
    incoming.file.write(content)
    sender = Sender("ftp", customer, "192.0.2.7", "s1")
    return Received(incoming, world.intake.arrival(customer, name, "", sender, NOW, None, ""))


@pytest.mark.parametrize("count", [1, 3, 50])
def test_each_file_has_its_own_record_in_the_order_given(world: World, count: int) -> None:
    files = [
        received(world, f"members-{number}.csv", str(number).encode(), ("acme", "school")[number % 2])
        for number in range(count)
    ]
    numbers = world.intake.receive_all(files)
    assert numbers == sorted(numbers)
    assert [world.content(number) for number in numbers] == [str(number).encode() for number in range(count)]
    assert [world.row(number)["customer"] for number in numbers[:2]] == ["acme", "school"][:count]
    assert len(world.spooled()) == count


def test_verdicts_go_with_the_files(world: World) -> None:
    earlier = world.send("members.csv", evidence=None)
    (later,) = world.intake.receive_all(
        [received(world, "members.csv", b"2")], {earlier: Verdict(Evidence.proven, "TLS close_notify")}
    )
    assert world.is_due(earlier)
    assert world.row(earlier)["evidence_note"] == "TLS close_notify"
    assert world.row(later)["evidence"] is None
    assert len(world.rung) == 1


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
@pytest.mark.parametrize("count", [2, 20])
def test_a_file_that_cannot_be_kept_leaves_the_others_alone(world: World, count: int) -> None:
    files = [received(world, f"members-{number}.csv", b"whole") for number in range(count)]
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, files[1].incoming.file.fileno())
    os.close(full)
    first, second, *others = world.intake.receive_all(files)
    assert isinstance(second, TryAgain)
    assert "the disk is full; nothing was kept" in str(second)
    kept = [first, *others]
    assert [world.content(number) for number in kept] == [b"whole"] * (count - 1)
    assert len(world.spooled()) == count - 1


def test_a_locked_database_keeps_none_of_them(world: World) -> None:
    files = [received(world, "members.csv", b"x") for _ in range(3)]
    world.intake._store = SqliteStore(world.store.path, busy_seconds=0.05)
    with world.store.write(), pytest.raises(TryAgain, match="kept the database locked"):
        world.intake.receive_all(files)
    assert world.spooled() == []
    assert world.rows() == []
