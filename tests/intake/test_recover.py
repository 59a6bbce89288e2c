"""The start after a stop: what was half done is put right, what is at work elsewhere is left alone."""

from __future__ import annotations

from alp_daemon.domain.model import Evidence
from alp_daemon.services.intake import Sender
from tests.intake.world import NOW, World


def test_what_was_not_settled_is_cut_and_says_why(world: World) -> None:
    unsettled = world.send("members.csv", evidence=None)
    settled = world.send("members.csv", evidence=Evidence.proven)
    world.rung.clear()
    world.intake.recover(NOW)
    assert world.row(unsettled)["evidence"] == "cut"
    assert world.row(unsettled)["evidence_note"] == "the daemon stopped before it saw how the client left"
    assert world.row(settled)["evidence"] == "proven"
    assert len(world.rung) == 1


def test_what_a_crash_left_in_the_spool_is_removed(world: World) -> None:
    kept = world.send("members.csv")
    incoming = world.settings.spool_dir / "incoming" / "0123.part"
    unrecorded = world.settings.spool_dir / "acme" / "4567"
    incoming.write_bytes(b"half")
    unrecorded.write_bytes(b"never answered for")
    world.intake.recover(NOW)
    assert world.spooled() == [world.settings.spool_dir / world.row(kept)["object"]]


def test_what_another_process_is_receiving_stays(world: World) -> None:
    live = world.intake.begin("acme")
    live.file.write(b"content")
    world.intake.recover(NOW)
    upload = world.intake.receive(live, "acme", "members.csv", "", Sender("web", "acme"), NOW)
    assert world.content(upload) == b"content"


def test_a_fresh_folder_has_nothing_to_recover(world: World) -> None:
    world.intake.recover(NOW)
    assert world.rows() == []
