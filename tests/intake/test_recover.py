"""The start after a stop: what was half done is put right, what is at work elsewhere is left alone."""

from __future__ import annotations

import resource
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import time_machine

from alp_daemon.domain.model import Evidence
from alp_daemon.services.receiving.intake import Sender
from alp_daemon.services.safekeeping import retention
from tests.intake.world import NOW, World


def test_what_was_not_settled_is_cut_and_says_why(world: World) -> None:
    unsettled = world.send("members.csv", evidence=None)
    settled = world.send("members.csv", evidence=Evidence.proven)
    world.rung.clear()
    world.intake.upkeep.recover()
    assert world.row(unsettled)["evidence"] == "cut"
    assert world.row(unsettled)["evidence_note"] == "the daemon stopped before it saw how the client left"
    assert world.row(settled)["evidence"] == "proven"
    assert len(world.rung) == 1


def test_what_a_crash_left_in_the_spool_is_removed_or_put_aside(world: World) -> None:
    kept = world.send("members.csv")
    incoming = world.settings.spool_dir / "incoming" / "0123.part"
    unrecorded = world.settings.spool_dir / "acme" / "4567"
    incoming.write_bytes(b"half")
    unrecorded.write_bytes(b"never answered for, or the database is an older one")
    half = world.settings.spool_dir / "acme" / ".89ab.part"
    half.write_bytes(b"half")
    aside = world.settings.spool_dir / ".strays" / "acme-4567"
    for _ in range(2):
        world.intake.upkeep.recover()
        assert sorted(world.spooled()) == sorted([aside, world.settings.spool_dir / world.row(kept)["object"]])
    assert aside.read_bytes() == b"never answered for, or the database is an older one"


def test_under_an_older_database_there_may_be_more_of_them_than_files_can_be_open(world: World) -> None:
    folder = world.settings.spool_dir / "acme"
    folder.mkdir(parents=True)
    for number in range(600):
        (folder / f"{number:032x}").write_bytes(b"of a newer database")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit_that_leaves(350), hard))
    try:
        world.intake.upkeep.recover()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [path.parent.name for path in world.spooled()] == [".strays"] * 600


def limit_that_leaves(free: int) -> int:
    """Of descriptors; other tests may have left some open."""
    taken = {int(each.name) for each in Path("/proc/self/fd").iterdir()}
    return next(limit for limit in count(free) if limit - sum(each < limit for each in taken) == free)


def test_what_was_put_aside_is_erased_after_retention(world: World) -> None:
    world.home()
    (world.settings.spool_dir / "acme").mkdir(parents=True)
    (world.settings.spool_dir / "acme" / "4567").write_bytes(b"never answered for")
    world.intake.upkeep.recover()
    assert retention.erase_strays(world.settings) == 0
    assert len(world.spooled()) == 1
    with time_machine.travel(datetime.now(UTC) + world.settings.retention, tick=True):
        assert retention.erase_strays(world.settings) == 1
    assert world.spooled() == []


def test_the_objects_of_a_customer_called_incoming_stay(world: World) -> None:
    kept = world.settings.spool_dir / "incoming" / ("0" * 32)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of a customer's")
    world.intake.upkeep.recover()
    assert world.spooled() == [kept]


def test_who_does_not_settle_cleans_what_nobody_receives_any_more(world: World) -> None:
    dead, live = world.intake.begin("acme"), world.intake.begin("acme")
    dead.file.close()
    world.intake.upkeep.clean_incoming()
    assert world.spooled() == [live.path]


def test_what_another_process_is_receiving_stays(world: World) -> None:
    live = world.intake.begin("acme")
    live.file.write(b"content")
    world.intake.upkeep.recover()
    upload = world.intake.receive(live, "acme", "members.csv", "", Sender("web", "acme"), NOW)
    assert world.content(upload) == b"content"


def test_a_fresh_folder_has_nothing_to_recover(world: World) -> None:
    world.intake.upkeep.recover()
    assert world.rows() == []
