"""What one customer's storage cannot do costs no other customer anything, and that one only as long as it lasts."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.files import drop, dropclaim
from alp_daemon.files.spool import open_spool
from alp_daemon.services.receiving.pickup import PickUp, _aside
from tests.intake.world import NOW, World

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
WHOLE = b"Phone\n2125550123\n"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged."""
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        yield logs


def told(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


# Pick-ups that a crash has left half-way


def half_picked_up(world: World, customer: str, *, in_spool: bool) -> int:
    """Its record is there, and its file in the spool already or put aside on its way there."""
    (world.home(customer) / "members.csv").write_bytes(WHOLE)
    (found,) = drop.look(world.home(customer))
    pick_up = PickUp(world.store, open_spool(world.settings), world.registry, world.settings.node_name)
    with world.store.write() as transaction:
        row = pick_up._announce(transaction, customer, found, NOW)
    dropclaim.claim(found, world.settings.spool_dir / row["object"] if in_spool else None, _aside(row))
    return int(row["id"])


def gone(spool: Path) -> Callable[[], object]:
    away = spool.rename(spool.with_name("away"))
    return lambda: away.rename(spool)


def unusable(spool: Path) -> Callable[[], object]:
    spool.rmdir()
    spool.write_text("a file in the place of the folder")
    return spool.unlink


@pytest.mark.parametrize(("in_spool", "trouble"), [(True, gone), (False, unusable)])
def test_a_pick_up_that_cannot_be_ended_keeps_no_other_waiting(
    world: World, in_spool: bool, trouble: Callable[[Path], Callable[[], object]]
) -> None:
    ours, theirs = (half_picked_up(world, customer, in_spool=in_spool) for customer in ("acme", "school"))
    mend = trouble(world.settings.spool_dir / "acme")
    for _ in range(2):
        (named,) = world.intake.upkeep.finish_pick_ups(NOW)
        assert named.path == world.home() / "members.csv"
        assert (world.is_due(ours), world.is_due(theirs)) == (False, True)
    mend()
    assert world.intake.upkeep.finish_pick_ups(NOW) == []
    assert [world.content(row["id"]) for row in world.rows() if world.is_due(row["id"])] == [WHOLE, WHOLE]


def test_a_spool_that_cannot_be_cleaned_is_no_reason_not_to_start(world: World, lines: list[Any]) -> None:
    unsettled = world.send("members.csv", evidence=None)
    (world.settings.spool_dir / "acme" / "4567").write_bytes(b"a stray")
    in_the_way = world.settings.spool_dir / ".strays"
    in_the_way.write_text("")
    world.intake.upkeep.recover()
    assert world.row(unsettled)["evidence"] == "cut"
    assert len(told(lines, "spool_not_cleaned")) == 1
    in_the_way.unlink()
    world.intake.upkeep.recover()
    assert [line["object"] for line in told(lines, "stray_put_aside")] == ["acme/4567"]


# Waits


def sent(world: World, name: str, content: bytes, now: datetime = NOW) -> tuple[int, int]:
    """A file and its sidecar."""
    digest = hashlib.sha256(content).hexdigest().encode()
    return world.send(name, content, now=now), world.send(f"{name}.sha256", digest, now=now)


def stands(world: World, upload: int) -> tuple[str, str | None]:
    row = world.row(upload)
    return row["state"], row["waits_for"]


def test_sidecars_that_are_away_let_all_other_waits_end(world: World, lines: list[Any]) -> None:
    ours = [sent(world, f"hashed-{number}.csv", b"content") for number in range(2)]
    theirs = world.send("list.tmp", customer="school")
    back = gone(world.settings.spool_dir / "acme")
    day = NOW + timedelta(days=1)
    for after in range(3):
        world.intake.upkeep.tick(day + after * SECOND)
    assert world.row(theirs)["state"] == "rejected"
    assert len(told(lines, "sidecar_not_read")) == 1, "a storage that is away is not asked for every file"
    assert [stands(world, sidecar) for _, sidecar in ours] == [("received", "file")] * 2
    back()
    world.intake.upkeep.tick(day + 2 * MINUTE)
    assert all(world.is_due(file) for file, _ in ours)
    assert {world.row(file)["evidence"] for file, _ in ours} == {Evidence.proven}


def unreadable(world: World, upload: int) -> Callable[[], object]:
    path = world.settings.spool_dir / world.row(upload)["object"]
    content = path.read_bytes()
    path.unlink()
    path.symlink_to(path.name)

    def mend() -> None:
        path.unlink()
        path.write_bytes(content)

    return mend


@pytest.mark.parametrize("after", [SECOND, 10 * MINUTE], ids=["while it waits", "at its end"])
def test_a_sidecar_that_cannot_be_read_is_so_alone(world: World, lines: list[Any], after: timedelta) -> None:
    good, (bad, sidecar) = (sent(world, f"hashed-{which}.csv", b"content") for which in ("good", "bad"))
    mend = unreadable(world, sidecar)
    for late in range(3):
        world.intake.upkeep.tick(NOW + after + late * SECOND)
    assert world.is_due(good[0])
    assert not world.is_due(bad)
    assert stands(world, sidecar) == ("received", "file")
    assert [line["sidecar"] for line in told(lines, "sidecar_not_read")] == [sidecar]
    mend()
    world.intake.upkeep.tick(NOW + after + 2 * MINUTE)
    assert world.is_due(bad)


def test_an_older_one_of_its_name_does_not_stand_in_for_it(world: World) -> None:
    old, new = (
        sent(world, "hashed.csv", content, NOW + late) for late, content in ((0 * SECOND, b"1"), (SECOND, b"2"))
    )
    mend = unreadable(world, new[1])
    world.intake.upkeep.tick(NOW + 2 * SECOND)
    assert [stands(world, file) for file, _ in (old, new)] == [("received", "sidecar")] * 2
    mend()
    for late in (2, 3):
        world.intake.upkeep.tick(NOW + late * MINUTE)
    assert [(world.is_due(file), world.row(file)["evidence"]) for file, _ in (old, new)] == [(True, "proven")] * 2


def test_waits_end_whatever_befalls_the_sidecars(world: World) -> None:
    """No error of ours: the program does not expect a trigger."""
    ours, _ = sent(world, "hashed.csv", b"content")
    theirs = world.send("list.tmp", customer="school")
    with closing(sqlite3.connect(world.settings.database_path, timeout=30)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER trouble BEFORE UPDATE ON uploads WHEN NEW.reason LIKE 'sidecar of%'"
            " BEGIN SELECT RAISE(ABORT, 'trouble'); END"
        )
    with pytest.raises(sqlite3.IntegrityError, match="trouble"):
        world.intake.upkeep.tick(NOW + timedelta(days=1))
    assert world.row(theirs)["state"] == "rejected"
    assert not world.is_due(ours)
