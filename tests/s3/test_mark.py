"""Shared storage is one database's: another that is pointed at it by mistake keeps nothing there, and moves nothing."""

from __future__ import annotations

import resource
import signal
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon.channels.watch import DropWatcher
from alp_daemon.customers import load_dir
from alp_daemon.errors import ConfigurationError, TryAgain
from alp_daemon.files import objects
from alp_daemon.files.objects import MARK, ForeignStorage, StorageAway
from alp_daemon.services.operations import doctor
from alp_daemon.services.receiving import spoolmark
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.safekeeping.backup import backup
from alp_daemon.services.safekeeping.copydatabase import copy_database
from alp_daemon.services.safekeeping.restore import restore
from alp_daemon.store.store import open_store
from tests.crash.provider import SETTINGS, Provider
from tests.intake import world as plain
from tests.intake.test_drop import put, scan_twice
from tests.intake.world import NOW
from tests.s3.proxy import Fault, Proxy
from tests.s3.world import World


def intake(world: plain.World) -> Intake:
    """That of the daemon's next start."""
    return Intake(world.store, world.settings, world.registry)


@pytest.fixture
def other(world: World, tmp_path: Path) -> plain.World:
    """Another installation, with a database of its own, whose ``alp.yaml`` names the same storage."""
    (tmp_path / "other").mkdir()
    return pointed_at(world.settings.spool, plain.build(tmp_path / "other"))


def pointed_at(spool: str | None, built: plain.World) -> plain.World:
    return plain.World(built.settings.model_copy(update={"spool": spool}), built.registry, built.store)


def said_by_doctor(world: plain.World) -> list[str]:
    findings = doctor.examine(world.store, world.settings, load_dir(world.settings.customers_dir), NOW)
    return [each.message for each in findings if "another installation's" in each.message]


def test_the_first_start_leaves_the_mark_and_later_ones_find_it(world: World) -> None:
    assert world.storage.read(MARK).decode() == spoolmark.mark(world.store)
    intake(world).claim_spool()
    assert said_by_doctor(world) == []


def test_another_installation_is_refused_and_told_what_to_do(world: World, other: plain.World) -> None:
    upload = world.send("members.csv", b"ours")
    where = world.settings.spool
    with pytest.raises(ConfigurationError) as refused:
        intake(other).claim_spool()
    assert str(refused.value).startswith(f"the spool {where} is another installation's")
    assert f"remove {where}/{MARK}" in str(refused.value)
    assert [message.startswith(str(refused.value)) for message in said_by_doctor(other)] == [True]
    assert world.content(upload) == b"ours"


def test_it_moves_and_keeps_nothing_there(world: World, other: plain.World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.row(world.send("members.csv"))["object"]
    monkeypatch.setattr(objects, "FRESH", timedelta(0))
    with pytest.raises(ForeignStorage):
        other.intake.upkeep.clean_shared()
    with pytest.raises(TryAgain, match="storage of uploaded files is away"):
        other.send("members.csv")
    put(other.home() / "members.csv", b"dropped")
    scan_twice(DropWatcher(other.settings, other.registry, other.intake))
    assert (other.home() / "members.csv").read_bytes() == b"dropped"
    assert world.spooled() == [kept]
    world.intake.upkeep.clean_shared()
    assert world.spooled() == [kept]


def test_once_the_other_is_gone_a_person_says_so(world: World, other: plain.World) -> None:
    with pytest.raises(ForeignStorage):
        other.intake.upkeep.clean_shared()
    assert other.intake.spool_trouble() == "is another database's"
    world.storage.remove(MARK)
    intake(other).claim_spool()
    assert world.storage.read(MARK).decode() == spoolmark.mark(other.store)
    with pytest.raises(ConfigurationError):
        intake(world).claim_spool()


def test_a_mark_that_is_gone_is_left_again(world: World) -> None:
    world.storage.remove(MARK)
    assert said_by_doctor(world) == []
    intake(world).claim_spool()
    assert world.storage.read(MARK).decode() == spoolmark.mark(world.store)


def test_of_many_at_once_one_has_it(world: World, tmp_path: Path) -> None:
    world.storage.remove(MARK)
    folders = [tmp_path / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
    rivals = [pointed_at(world.settings.spool, plain.build(folder)) for folder in folders]
    ready = Barrier(len(rivals))

    def is_accepted(rival: plain.World) -> bool:
        try:
            intake(rival).claim_spool()
        except ConfigurationError:
            return False
        finally:
            rival.store.close()
        return True

    def start(rival: plain.World) -> None:
        spoolmark.mark(rival.store)
        ready.wait()
        is_accepted(rival)  # or not yet: while another writes its mark, nobody can tell

    threads = [Thread(target=start, args=(rival,)) for rival in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [rival for rival in rivals if is_accepted(rival)]
    assert world.storage.read(MARK).decode() == spoolmark.mark(winner.store)


def test_a_moved_database_finds_its_files(world: World, tmp_path: Path) -> None:
    upload = world.send("members.csv", b"ours")
    moved = open_store(tmp_path / "moved.db")
    copy_database(world.store, moved)
    world.store = moved
    intake(world).claim_spool()
    assert world.content(upload) == b"ours"


@pytest.mark.parametrize("is_older_than_the_mark", [False, True])
def test_a_restored_backup_finds_its_files(world: World, tmp_path: Path, is_older_than_the_mark: bool) -> None:
    if is_older_than_the_mark:
        with world.store.write() as transaction:
            transaction._connection.execute("DELETE FROM spool_mark")
    backup(world.settings, tmp_path / "backup.db", with_spool=False)
    if is_older_than_the_mark:
        world.storage.remove(MARK)
        intake(world).claim_spool()
    upload = world.send("members.csv", b"newer")
    kept = world.row(upload)["object"]
    world.store.close()
    restore(world.settings, tmp_path / "backup.db", NOW, anyway=True)
    world.store = open_store(world.settings.database_address)
    intake(world).claim_spool()
    assert [(row["id"], row["state"]) for row in world.rows()] == [(upload, "discarded")]
    assert world.spooled() == [kept]


@pytest.mark.usefixtures("hasty")
class TestAwayAtTheStart:
    def test_it_is_asked_before_the_first_file(self, bucket_world: World, proxy: Proxy) -> None:
        proxy.requests.clear()
        with capture_logs() as lines, proxy.broken(Fault.denied):
            started = intake(bucket_world)
            started.claim_spool()
        assert [line["event"] for line in lines][-1] == "spool_not_claimed"
        bucket_world.intake = started
        upload = bucket_world.send("members.csv", b"ours")
        assert bucket_world.content(upload) == b"ours"

    def test_it_may_turn_out_to_be_anothers(
        self, bucket_world: World, proxy: Proxy, bucket: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "other").mkdir()
        other = pointed_at(bucket_world.settings.spool, plain.build(tmp_path / "other"))
        with proxy.broken(Fault.denied):
            other.intake.claim_spool()
        with pytest.raises(TryAgain, match="storage of uploaded files is away"):
            other.send("members.csv")
        assert bucket_world.spooled() == []
        assert other.intake.spool_trouble() == "is another database's"


@pytest.mark.usefixtures("hasty")
def test_a_storage_that_knows_no_conditions_bears_it_too(bucket_world: World, proxy: Proxy, tmp_path: Path) -> None:
    bucket_world.storage.remove(MARK)
    with proxy.broken(Fault.unconditional):
        intake(bucket_world).claim_spool()
        assert bucket_world.storage.read(MARK).decode() == spoolmark.mark(bucket_world.store)
        (tmp_path / "other").mkdir()
        with pytest.raises(ConfigurationError, match="another installation's"):
            intake(pointed_at(bucket_world.settings.spool, plain.build(tmp_path / "other"))).claim_spool()


def test_a_mark_that_is_only_being_written_is_nobodys_yet(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / MARK).touch()
    world = pointed_at(str(tmp_path / "shared"), plain.build(tmp_path))
    with pytest.raises(StorageAway):
        world.send("members.csv")
    (tmp_path / "shared" / MARK).unlink()
    assert world.send("members.csv") == 1


def test_serve_refuses_to_start_on_it(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / MARK).write_text("0" * 32)
    provider = Provider(tmp_path / "provider")
    provider.set_up({})
    provider.write("alp.yaml", f"{SETTINGS}spool: {shared}\n")
    finished = provider.run("serve")
    assert finished.code == 78
    assert f"the spool {shared} is another installation's" in finished.stderr
    assert not (tmp_path / "provider/data/ports.json").exists()


def test_a_shared_folder_without_room_for_its_mark_gets_it_later(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    world = pointed_at(str(tmp_path / "shared"), plain.build(tmp_path))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    spoolmark.mark(world.store)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        with capture_logs() as lines:
            world.intake.claim_spool()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert [line["event"] for line in lines] == ["spool_not_claimed"]
    assert list((tmp_path / "shared").iterdir()) == []
    world.send("members.csv")
    assert (tmp_path / "shared" / MARK).read_text() == spoolmark.mark(world.store)
