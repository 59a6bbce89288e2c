"""Objects without a record are put aside, and erased late; those that another node is about to record stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from alp_daemon.files import objects
from alp_daemon.files.objects import strays
from alp_daemon.services.safekeeping import retention
from tests.intake.world import NOW
from tests.s3.world import World

LEFT = f"acme/{'0' * 32}"
ASIDE = f".strays/acme-{'0' * 32}"


def test_a_fresh_object_without_a_record_stays(world: World) -> None:
    kept = world.row(world.send("members.csv"))["object"]
    world.storage.put(LEFT, b"another node records it in a moment")
    world.intake.upkeep.recover()
    world.intake.upkeep.clean_shared()
    assert sorted(world.spooled()) == sorted([LEFT, kept])


def test_an_old_object_without_a_record_is_put_aside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.row(world.send("members.csv"))["object"]
    world.storage.put(LEFT, b"nobody was told of it, or the database is an older one")
    monkeypatch.setattr(objects, "FRESH", timedelta(0))
    for _ in range(2):
        world.intake.upkeep.clean_shared()
        assert sorted(world.spooled()) == sorted([ASIDE, kept])
    assert world.storage.read(ASIDE) == b"nobody was told of it, or the database is an older one"


def test_what_was_put_aside_is_erased_after_retention(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.row(world.send("members.csv"))["object"]
    world.storage.put(LEFT, b"nobody was told of it")
    monkeypatch.setattr(objects, "FRESH", timedelta(0))
    world.intake.upkeep.clean_shared()
    assert retention.erase_strays(world.settings) == 0
    assert sorted(world.spooled()) == sorted([ASIDE, kept])
    assert retention.erase_strays(world.settings.model_copy(update={"retention": timedelta(microseconds=-1)})) == 1
    assert world.spooled() == [kept]


def test_a_node_whose_clock_is_fast_takes_nothing(world: World) -> None:
    world.storage.put(LEFT, b"fresh")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=5), tick=True):
        # Keys and a server are not asked for the time: the signature of a request has the library's own.
        world.intake.upkeep.clean_shared()
    assert world.spooled() == [LEFT]


def test_what_is_not_ours_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.storage.put("acme/notes.txt", b"an operator's")
    monkeypatch.setattr(objects, "FRESH", timedelta(0))
    world.intake.upkeep.clean_shared()
    assert world.spooled() == ["acme/notes.txt"]


def test_what_this_node_was_receiving_when_it_died_goes_at_its_start(world: World) -> None:
    world.intake.begin("acme").file.close()
    assert len(world.spooled()) == 1
    world.intake.upkeep.recover()
    assert world.spooled() == []


@pytest.mark.parametrize(("minutes", "found"), [(59, []), (61, [LEFT])])
def test_an_hour_by_the_clock_of_the_storage(minutes: int, found: list[str]) -> None:
    assert strays([(LEFT, NOW)], NOW + timedelta(minutes=minutes), set) == found


def test_what_is_recorded_after_the_listing_stays() -> None:
    assert strays([(LEFT, NOW)], NOW + timedelta(hours=2), lambda: {LEFT}) == []
