"""What a sender may still do to an upload, and how every wait ends."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.services.decisions import holds
from alp_daemon.services.receiving import sidecar as sidecars
from alp_daemon.services.receiving.intake import Verdict
from tests.intake.world import NOW, World

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def state(world: World, upload: int) -> tuple[str, str | None, str]:
    row = world.row(upload)
    return row["state"], row["waits_for"], row["reason"]


# Names


def test_a_rename_is_the_arrival(world: World) -> None:
    early = world.send("a.tmp", now=NOW)
    late = world.send("members-2.csv", now=NOW + SECOND)
    assert [row["id"] for row in world.rows() if row["waits_for"] is None] == [late]
    world.rung.clear()
    assert world.intake.own.rename(early, "acme", "members-1.csv", "", NOW + 2 * SECOND)
    assert len(world.rung) == 1
    assert [row["id"] for row in world.rows()] == [late, early]
    row = world.row(early)
    assert (row["name"], row["feed"], row["waits_for"]) == ("members-1.csv", "members", None)


def test_a_rename_to_another_temporary_name_goes_on_waiting(world: World) -> None:
    upload = world.send("a.tmp")
    assert world.intake.own.rename(upload, "acme", "a.part", "", NOW + SECOND)
    assert world.row(upload)["waits_for"] == "rename"


def test_a_rename_into_preformatted_changes_the_feed(world: World) -> None:
    upload = world.send("x.dat")
    assert world.intake.own.rename(upload, "acme", "x.dat", "preformatted", NOW)
    assert (world.row(upload)["feed"], world.is_due(upload)) == ("preformatted", True)


def test_nobody_renames_another_customers_upload(world: World) -> None:
    upload = world.send("a.tmp")
    assert not world.intake.own.rename(upload, "school", "members.csv", "", NOW)
    assert world.row(upload)["name"] == "a.tmp"


def test_a_temporary_name_is_rejected_after_a_day(world: World) -> None:
    upload = world.send("members.csv.part")
    world.intake.own.end_session("s1", NOW + SECOND)
    world.intake.upkeep.tick(NOW + DAY - SECOND)
    assert state(world, upload) == ("received", "rename", "")
    world.intake.upkeep.tick(NOW + DAY)
    assert state(world, upload) == (
        "rejected",
        None,
        'it kept the temporary name "members.csv.part" for 24 hours; rename it when the upload is complete',
    )


NO_FEED = (
    'no feed takes the name "list.xlsx"; expected "members*.csv" (members), "hashed*.csv" (hashed),'
    ' "done*.csv" (done), or the standard format in the folder preformatted/'
)


def test_an_unknown_name_is_rejected_after_a_minute_naming_the_patterns(world: World) -> None:
    upload = world.send("list.xlsx")
    world.intake.upkeep.tick(NOW + MINUTE - SECOND)
    assert state(world, upload) == ("received", "match", "")
    world.intake.upkeep.tick(NOW + MINUTE)
    assert state(world, upload) == ("rejected", None, NO_FEED)


def test_an_unknown_name_is_rejected_when_its_session_ends(world: World) -> None:
    upload = world.send("list.xlsx", session="s1")
    world.intake.own.end_session("s2", NOW + SECOND)
    assert world.row(upload)["state"] == "received"
    world.intake.own.end_session("s1", NOW + SECOND)
    assert state(world, upload) == ("rejected", None, NO_FEED)


def test_a_rename_within_the_minute_is_in_time(world: World) -> None:
    upload = world.send("list.xlsx")
    assert world.intake.own.rename(upload, "acme", "members.csv", "", NOW + MINUTE - SECOND)
    world.intake.own.end_session("s1", NOW + MINUTE)
    world.intake.upkeep.tick(NOW + DAY)
    assert world.is_due(upload)


def test_a_feed_added_meanwhile_takes_the_waiting_file(world: World) -> None:
    upload = world.send("list.xlsx")
    yaml = world.settings.customers_dir / "acme.yaml"
    yaml.write_text(yaml.read_text().replace("members*.csv", "*.xlsx"))
    world.registry.reload(NOW)
    world.rung.clear()
    world.intake.upkeep.tick(NOW + MINUTE)
    assert (world.row(upload)["feed"], world.is_due(upload), len(world.rung)) == ("members", True, 1)


def test_waiting_uploads_do_not_block_the_queue(world: World) -> None:
    for name in ("a.tmp", "list.xlsx", "hashed.csv", "done.csv.done"):
        world.send(name)
    due = world.send("members.csv")
    with world.store.read() as transaction:
        assert transaction.one("uploads.next", customer="acme")["id"] == due


# Commands


def test_hold_back_takes_it_out_of_the_queue_and_release_puts_it_back_at_its_place(world: World) -> None:
    first = world.send("members-1.csv", now=NOW)
    world.send("members-2.csv", now=NOW + SECOND)
    assert world.intake.own.hold_back(first, NOW + SECOND)
    assert not world.is_due(first)
    world.rung.clear()
    world.intake.own.release_hold_back(first, NOW + 2 * SECOND)
    assert world.is_due(first)
    assert len(world.rung) == 1
    assert world.rows()[0]["id"] == first


def test_release_without_hold_back_changes_nothing(world: World) -> None:
    upload = world.send("hashed.csv")
    world.intake.own.release_hold_back(upload, NOW + 5 * MINUTE)
    assert world.row(upload)["wait_until"] == "2026-11-21T06:10:00.000000Z"


@pytest.mark.parametrize("ending", ["session", "minute"])
def test_a_rename_that_never_comes_ends_with_the_session_or_after_a_minute(world: World, ending: str) -> None:
    upload = world.send("members.csv")
    world.intake.own.hold_back(upload, NOW)
    if ending == "session":
        world.intake.own.end_session("s1", NOW + SECOND)
    else:
        world.intake.upkeep.tick(NOW + MINUTE)
    assert world.is_due(upload)


def test_hold_back_does_not_shorten_the_day_of_a_temporary_name(world: World) -> None:
    upload = world.send("members.tmp")
    world.intake.own.hold_back(upload, NOW + MINUTE)
    world.intake.upkeep.tick(NOW + 3 * MINUTE)
    assert state(world, upload) == ("received", "rename", "")


def test_what_a_worker_has_cannot_be_taken_back(world: World) -> None:
    upload = world.send("members.csv")
    world.lease(upload)
    assert not world.intake.own.hold_back(upload, NOW)
    assert not world.intake.own.rename(upload, "acme", "other.csv", "", NOW)
    assert not world.intake.own.delete(upload, "acme", NOW)
    assert [recent.picked_up for recent in world.intake.own.recent("acme", NOW)] == [True]
    row = world.row(upload)
    assert (row["name"], row["state"], row["waits_for"]) == ("members.csv", "received", None)


def test_delete_erases_the_bytes_and_keeps_the_record(world: World) -> None:
    upload = world.send("members.csv")
    assert world.intake.own.delete(upload, "acme-2", NOW)
    assert state(world, upload) == ("discarded", None, "deleted by acme-2")
    assert world.spooled() == []
    assert world.intake.own.recent("acme", NOW) == []
    assert not world.intake.own.delete(upload, "acme-2", NOW)


# Listing


def test_recent_answers_for_ten_minutes_for_the_session_and_for_what_is_in_the_queue(world: World) -> None:
    done = world.send("members.csv", b"12345", session="long")
    with world.store.write() as transaction:
        transaction.run("uploads.discard", id=done, reason="superseded", now="2026-11-21T06:00:01.000000Z")
    queued = world.send("members-2.csv", session="other")

    def names(after: timedelta, session: str = "") -> list[str]:
        return [recent.name for recent in world.intake.own.recent("acme", NOW + after, session=session)]

    assert names(10 * MINUTE) == ["members.csv", "members-2.csv"]
    assert names(10 * MINUTE + SECOND) == ["members-2.csv"]
    assert names(DAY, session="long") == ["members.csv", "members-2.csv"]
    first = world.intake.own.recent("acme", NOW)[0]
    assert (first.upload, first.size, first.received_at, first.picked_up) == (done, 5, NOW, True)
    assert world.intake.own.recent("acme", NOW)[1].upload == queued
    assert world.intake.own.recent("school", NOW) == []


def test_recent_shows_the_newest_of_a_name(world: World) -> None:
    world.send("members.csv", b"old")
    newest = world.send("members.csv", b"newer", now=NOW + SECOND)
    world.send("members.csv", b"elsewhere", folder="preformatted")
    shown = {(recent.folder, recent.upload, recent.size) for recent in world.intake.own.recent("acme", NOW + SECOND)}
    assert ("", newest, 5) in shown
    assert len(shown) == 2


# Sidecars


def digest(content: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(content).hexdigest().encode()


@pytest.mark.parametrize("order", ["file first", "sidecar first"])
@pytest.mark.parametrize(
    "written",
    [
        lambda digest: digest,
        lambda digest: digest.upper() + b"  hashed.csv\r\n",
        lambda digest: b"SHA256 (hashed.csv) = " + digest,
        lambda digest: b"\xff\xfe" + digest.decode().encode("utf-16-le"),
    ],
    ids=["bare", "sha256sum", "bsd", "powershell"],
)
def test_a_good_sha256_proves_the_file(world: World, order: str, written) -> None:
    parts = [("hashed.csv", b"content"), ("hashed.csv.sha256", written(digest(b"content")))]
    if order == "sidecar first":
        parts.reverse()
    ids = {name: world.send(name, content, now=NOW + i * SECOND) for i, (name, content) in enumerate(parts)}
    assert world.rung == []
    world.intake.upkeep.tick(NOW + 2 * SECOND)
    file, sidecar = ids["hashed.csv"], ids["hashed.csv.sha256"]
    assert world.is_due(file)
    assert len(world.rung) == 1
    assert (world.row(file)["evidence"], world.row(file)["evidence_note"]) == ("proven", "sidecar hashed.csv.sha256")
    assert state(world, sidecar) == ("discarded", None, f"sidecar of {file}")


def test_a_sha256_that_differs_is_a_cut(world: World) -> None:
    file = world.send("hashed.csv", b"cont")
    world.send("hashed.csv.sha256", digest(b"content"))
    world.intake.upkeep.tick(NOW)
    assert world.is_due(file)
    assert (world.row(file)["evidence"], world.row(file)["evidence_note"]) == (
        "cut",
        "sha256 differs from its sidecar's",
    )


def test_a_good_sha256_outweighs_how_the_client_left(world: World) -> None:
    file = world.send("hashed.csv", b"content", evidence=Evidence.cut)
    world.send("hashed.csv.sha256", digest(b"content"))
    world.intake.upkeep.tick(NOW)
    assert world.row(file)["evidence"] == "proven"


def test_done_proves_what_was_not_seen_to_break(world: World) -> None:
    whole = world.send("done-1.csv")
    broken = world.send("done-2.csv", evidence=Evidence.cut)
    world.send("done-1.csv.done", b"")
    world.send("done-2.csv.done", b"")
    world.intake.upkeep.tick(NOW)
    assert (world.row(whole)["evidence"], world.row(broken)["evidence"]) == ("proven", "cut")
    assert world.is_due(whole)
    assert world.is_due(broken)


def test_a_sidecar_waits_until_its_file_is_settled(world: World) -> None:
    file = world.send("done.csv", evidence=None)
    world.send("done.csv.done", b"")
    world.intake.upkeep.tick(NOW)
    assert world.row(file)["waits_for"] == "sidecar"
    world.intake.settle({file: Verdict(Evidence.cut, "the client was killed")})
    world.intake.upkeep.tick(NOW)
    assert (world.row(file)["evidence"], world.row(file)["evidence_note"]) == ("cut", "the client was killed")


def test_a_sidecar_without_a_digest_says_nothing(world: World) -> None:
    file = world.send("hashed.csv")
    sidecar = world.send("hashed.csv.sha256", digest(b"x")[:63])
    world.intake.upkeep.tick(NOW)
    assert state(world, sidecar) == ("discarded", None, "it is a sidecar that holds no SHA-256; send it again")
    assert world.row(file)["waits_for"] == "sidecar"


def test_a_missing_sidecar_holds_the_file_and_a_late_one_frees_it(world: World) -> None:
    file = world.send("hashed.csv", b"content")
    world.intake.upkeep.tick(NOW + 10 * MINUTE - SECOND)
    assert world.row(file)["waits_for"] == "sidecar"
    world.intake.upkeep.tick(NOW + 10 * MINUTE)
    reason = "its sidecar hashed.csv.sha256 did not arrive; send it, or release the file"
    assert state(world, file) == ("held", None, reason)
    assert [(hold["code"], hold["message"]) for hold in json.loads(world.row(file)["hold"])] == [
        ("sidecar_missing", reason)
    ]
    later = NOW + timedelta(days=2)
    world.send("hashed.csv.sha256", digest(b"content"), now=later)
    world.intake.upkeep.tick(later)
    row = world.row(file)
    assert world.is_due(file)
    assert (row["evidence"], row["hold"], row["reason"], row["held_at"]) == ("proven", None, "", None)


def test_a_sidecar_belongs_to_the_newest_file_of_its_name(world: World) -> None:
    old = world.send("hashed.csv", b"first try")
    new = world.send("hashed.csv", b"second try", now=NOW + SECOND)
    world.send("hashed.csv.sha256", digest(b"second try"), now=NOW + 2 * SECOND)
    world.intake.upkeep.tick(NOW + 3 * SECOND)
    assert (world.is_due(old), world.is_due(new)) == (False, True)


def test_a_sidecar_whose_file_never_comes_is_discarded(world: World) -> None:
    sidecar = world.send("hashed.csv.sha256", digest(b"x"))
    world.intake.upkeep.tick(NOW + 10 * MINUTE)
    assert state(world, sidecar) == ("discarded", None, "it is a sidecar, and its file did not arrive")


def gone_on(world: World, content: bytes = b"x", sent: bytes = b"x") -> tuple[int, int]:
    """A file that was released without its sidecar, which says ``sent`` and has come at last and waited in vain."""
    file = world.send("hashed.csv", content)
    world.intake.upkeep.tick(NOW + 10 * MINUTE)
    holds.release(world.store, file, "Ann", NOW)
    sidecar = world.send("hashed.csv.sha256", digest(sent), now=NOW + 11 * MINUTE)
    world.intake.upkeep.tick(NOW + 12 * MINUTE)
    assert world.row(sidecar)["state"] == "received"
    return file, sidecar


def mails(world: World) -> list[dict]:
    with world.store.read() as transaction:
        return [dict(row) for row in transaction.all("outbox.due", now="9999", limit=10)]


def test_a_sidecar_that_contradicts_what_went_on_without_it_is_told_of(world: World) -> None:
    file, sidecar = gone_on(world, sent=b"y")
    world.intake.upkeep.tick(NOW + 21 * MINUTE)
    assert state(world, sidecar)[2] == f"it is a sidecar that contradicts upload {file}, which had gone on without it"
    row = world.row(file)
    doubt = "hashed.csv.sha256, which came at 2026-11-21T06:11:00.000000Z, holds another SHA-256"
    assert (row["state"], row["evidence"], row["evidence_note"]) == ("received", "assumed", doubt)
    (mail,) = mails(world)
    assert mail["recipients"] == '["ops@provider.example"]'
    assert doubt in mail["body"]
    assert f"alp-daemon show {file}" in mail["body"]
    world.intake.upkeep.tick(NOW + 22 * MINUTE)
    assert len(mails(world)) == 1


def test_it_waits_for_the_report_of_what_is_at_work(world: World) -> None:
    file, sidecar = gone_on(world, sent=b"y")
    world.lease(file)
    world.intake.upkeep.tick(NOW + 21 * MINUTE)
    assert (world.row(sidecar)["state"], mails(world)) == ("received", [])
    with world.store.write() as transaction:
        transaction.run("uploads.drop_lease", id=file, owner="w")
    world.intake.upkeep.tick(NOW + 21 * MINUTE)
    assert (world.row(sidecar)["state"], len(mails(world))) == ("discarded", 1)


def test_what_its_client_renames_meanwhile_is_not_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file, sidecar = gone_on(world, sent=b"y")
    real = sidecars.read_sha256

    def slowly(path: Path) -> str | None:
        assert world.intake.own.rename(sidecar, "acme", "members.csv", "", NOW + 21 * MINUTE)
        return real(path)

    monkeypatch.setattr(sidecars, "read_sha256", slowly)
    world.intake.upkeep.tick(NOW + 21 * MINUTE)
    assert world.is_due(sidecar)
    assert (world.row(file)["evidence_note"], mails(world)) == ("", [])


@pytest.mark.parametrize("ended", ["", "discarded"])
def test_one_that_does_not_is_ended_with_the_truth(world: World, ended: str) -> None:
    file, sidecar = gone_on(world, sent=b"y" if ended else b"x")
    if ended:
        holds.discard(world.store, file, "Ann", NOW + 13 * MINUTE)
    world.intake.upkeep.tick(NOW + 21 * MINUTE)
    assert state(world, sidecar) == ("discarded", None, f"it is a sidecar, and upload {file} had gone on without it")
    assert (world.row(file)["evidence_note"], mails(world)) == ("", [])


def test_the_next_file_that_does_not_come_is_not_compared_with_the_last(world: World) -> None:
    world.send("hashed.csv", b"x")
    world.send("hashed.csv.sha256", digest(b"x"))
    world.intake.upkeep.tick(NOW + SECOND)
    sidecar = world.send("hashed.csv.sha256", digest(b"y"), now=NOW + DAY)
    world.intake.upkeep.tick(NOW + DAY + 10 * MINUTE)
    assert state(world, sidecar)[2] == "it is a sidecar, and its file did not arrive"
    assert mails(world) == []


def test_a_sidecar_of_another_customer_or_folder_is_none(world: World) -> None:
    file = world.send("hashed.csv")
    other = world.send("hashed.csv.sha256", digest(b"x"), customer="school")
    assert world.row(other)["feed"] == "preformatted"
    elsewhere = world.send("hashed.csv.sha256", digest(b"x"), folder="preformatted")
    assert world.is_due(elsewhere)
    world.intake.upkeep.tick(NOW)
    assert world.row(file)["waits_for"] == "sidecar"


def test_a_sidecar_that_is_renamed_into_its_name_counts(world: World) -> None:
    file = world.send("hashed.csv", b"content")
    sidecar = world.send("hashed.csv.sha256.tmp", digest(b"content"))
    assert world.intake.own.rename(sidecar, "acme", "hashed.csv.sha256", "", NOW + SECOND)
    world.intake.upkeep.tick(NOW + SECOND)
    assert world.is_due(file)
