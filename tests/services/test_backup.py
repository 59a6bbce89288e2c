"""A backup brings back what was there; a restore loses neither what is newer nor anybody's STOP."""

from __future__ import annotations

import csv
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from alp_daemon.errors import ConfigurationError, NotFound, Refused, TryAgain, Unavailable, UnusableFile
from alp_daemon.services.addresses.importing import import_list
from alp_daemon.services.safekeeping import restore as restoring
from alp_daemon.services.safekeeping.backup import backup
from alp_daemon.services.safekeeping.restore import restore
from alp_daemon.settings import Settings
from alp_daemon.store import sqlite
from alp_daemon.store.sql import migrations
from alp_daemon.store.store import open_store
from tests.databases import sqlite_only
from tests.services.backups import back_up, bring_back, contents, faults
from tests.services.provider import Provider, number, numbers

pytestmark = sqlite_only


@pytest.fixture
def worked(acme: Provider) -> Provider:
    acme.process("append_tags.csv", {number(1): "a|b", number(2): "", number(3): "ü"})
    acme.text(number(1), "STOP", "m1")
    acme.process("soft_opt_out.csv", numbers(3))
    return acme


def leftovers(provider: Provider) -> list[str]:
    """What is neither the database nor what stands beside an open one."""
    folder = provider.settings.data_dir
    return sorted(
        each.name for each in folder.glob("*") if each.name not in ("alp.db-wal", "alp.db-shm", "alp.db-locks")
    )


def test_what_was_there_comes_back(worked: Provider) -> None:
    before = contents(worked.store)
    done = back_up(worked)
    assert (done.faults, done.bytes) == ((), (worked.folder / "backup.db").stat().st_size)
    (worked.settings.data_dir / "alp.db").unlink()
    worked.store.close()
    (restored := bring_back(worked))
    assert (restored.replaced, restored.put_aside, restored.without_file) == (None, 0, ())
    assert contents(worked.store) == before
    assert faults(worked) == []
    assert worked.process("append.csv", numbers(5))["state"] == "applied"


def test_on_a_new_machine(worked: Provider, tmp_path: Path) -> None:
    before = contents(worked.store)
    back_up(worked, "backup", with_spool=True)
    elsewhere = Settings(data_dir=tmp_path / "new" / "data", customers_dir=worked.settings.customers_dir)
    done = restore(elsewhere, worked.folder / "backup", worked.now, anyway=False)
    assert (done.replaced, done.without_file) == (None, ())
    store = open_store(elsewhere.database_address)
    assert contents(store) == before
    store.close()
    objects = {row["object"] for row in worked.rows("uploads.objects")}
    assert {str(path.relative_to(elsewhere.spool_dir)) for path in elsewhere.spool_dir.rglob("*/*")} == objects


def test_a_backup_is_one_file_for_its_owner_only(worked: Provider) -> None:
    back_up(worked)
    found = worked.folder / "backup.db"
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert [each.name for each in worked.folder.glob("backup*")] == ["backup.db"]


def test_nothing_is_overwritten(worked: Provider) -> None:
    (worked.folder / "backup.db").write_text("precious")
    with pytest.raises(Refused, match="it exists already"):
        back_up(worked)
    assert (worked.folder / "backup.db").read_text() == "precious"


def test_there_is_no_database_yet(worked: Provider) -> None:
    nowhere = worked.settings.model_copy(update={"database": str(worked.folder / "none.db")})
    with pytest.raises(NotFound, match="there is no database yet"):
        backup(nowhere, worked.folder / "backup.db", with_spool=False)
    assert not (worked.folder / "none.db").exists()


def test_a_backup_of_an_earlier_release_is_brought_up_to_date(
    worked: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations("sqlite")
    path = worked.folder / "early.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(sqlite, "migrations", lambda dialect: known[:5])
        open_store(path).close()
    early = worked.settings.model_copy(update={"database": str(path)})
    backup(early, worked.folder / "backup.db", with_spool=False)
    assert schema(worked.folder / "backup.db") == 5, "the release that made it can still use it"
    bring_back(worked, anyway=True)
    worked.store.close()
    assert schema(worked.settings.data_dir / "alp.db") == len(known)


def test_a_database_of_the_very_first_schema_is_restored(worked: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrations("sqlite")
    path = worked.folder / "first.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(sqlite, "migrations", lambda dialect: known[:1])
        first = sqlite.SqliteStore(path).open()
        with first.write() as transaction:
            transaction.run("lists.add", customer="acme", now="2026-01-01T00:00:00.000000Z")
        first.fold_wal()
    assert schema(path) == 1
    bring_back(worked, path.name, anyway=True)
    worked.store.close()
    assert schema(worked.settings.data_dir / "alp.db") == len(known)


def schema(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def test_a_backup_of_a_later_release_is_refused(worked: Provider) -> None:
    with worked.store.write() as transaction:
        transaction._connection.execute("PRAGMA user_version = 99")
    back_up(worked)
    with worked.store.write() as transaction:
        transaction._connection.execute(f"PRAGMA user_version = {len(migrations('sqlite'))}")
    with pytest.raises(Unavailable, match="made by a newer release"):
        bring_back(worked)


def test_it_needs_a_folder_that_is_there(worked: Provider) -> None:
    with pytest.raises(Unavailable, match="there is no folder"):
        back_up(worked, "nowhere/backup.db")


def test_a_leftover_of_a_killed_backup_is_in_nobodys_way(worked: Provider) -> None:
    left = worked.folder / "backup.db.part" / "backup.db"
    left.mkdir(parents=True)
    (left / "alp.db").write_text("half of it")
    back_up(worked)
    assert not left.exists()


def test_a_database_that_was_edited_is_copied_and_said_to_be(worked: Provider) -> None:
    with worked.store.write() as transaction:
        transaction._connection.execute("UPDATE changes SET actor = 'nobody'")
    assert "the history was changed" in back_up(worked).faults[0]
    with pytest.raises(Refused, match="the backup does not hold: acme: the history was changed"):
        bring_back(worked)
    bring_back(worked, anyway=True)


class TestWhatIsNewer:
    """After the backup there came a file, a STOP, and a file that was not worked yet."""

    @pytest.fixture
    def newer(self, worked: Provider) -> Provider:
        back_up(worked)
        worked.process("append.csv", {number(7): "x"})
        worked.text(number(2), "STOP", "m2")
        worked.send("append.csv", numbers(4))
        return worked

    def test_it_is_not_replaced_unasked(self, newer: Provider) -> None:
        before = contents(newer.store)
        with pytest.raises(Refused, match="has come further than the backup \\(2 uploads and 2 changes"):
            bring_back(newer)
        newer.store = open_store(newer.settings.database_address)
        assert contents(newer.store) == before
        assert [name for name in leftovers(newer) if name.startswith("replaced")] == []

    def test_it_is_kept_whole(self, newer: Provider) -> None:
        before = contents(newer.store)
        done = bring_back(newer, anyway=True)
        assert done.replaced is not None
        kept = open_store(Path(done.replaced) / "alp.db")
        assert contents(kept) == before
        kept.close()
        assert number(7) not in newer.list()

    def test_files_that_the_backup_does_not_know_survive_the_next_start(self, newer: Provider) -> None:
        objects = [newer.upload(each).object for each in (3, 4)]
        done = bring_back(newer, anyway=True)
        newer.intake.upkeep.recover()
        assert done.replaced is not None
        assert done.put_aside == 2
        assert not any((newer.settings.spool_dir / each).exists() for each in objects)
        assert all((Path(done.replaced) / "spool" / each).is_file() for each in objects)
        with (Path(done.replaced) / "uploads.csv").open(newline="") as file:
            named = {row["object"]: (row["name"], row["state"]) for row in csv.DictReader(file)}
        assert named == {objects[0]: ("append.csv", "applied"), objects[1]: ("append.csv", "received")}

    def test_a_stop_is_brought_back_by_an_import(self, newer: Provider) -> None:
        done = bring_back(newer, anyway=True)
        before = newer.statuses()
        assert before[number(2)] != "opted_out"
        (path,) = done.opted_out.values()
        import_list(newer.store, newer.customer, Path(path), "Ann", newer.tick())
        assert newer.statuses() == {**before, number(2): "opted_out"}
        assert faults(newer) == []

    def test_restoring_twice_is_no_loss(self, newer: Provider) -> None:
        bring_back(newer, anyway=True)
        again = bring_back(newer)
        assert again.opted_out == {}


def test_waiting_files_come_back_with_the_spool(worked: Provider) -> None:
    upload = worked.send("append.csv", {number(7): ""})
    done = back_up(worked, "backup", with_spool=True)
    assert sorted(each.name for each in (worked.folder / "backup").iterdir()) == ["alp.db", "spool"]
    assert done.files == len(worked.rows("uploads.objects"))
    (worked.settings.spool_dir / worked.upload(upload).object).unlink()
    bring_back(worked, "backup")
    assert [report["upload"] for report in worked.drain()] == [upload]
    assert number(7) in worked.list()


def test_uploads_whose_file_is_gone_are_named(worked: Provider) -> None:
    upload = worked.send("append.csv", numbers(4))
    back_up(worked)
    (worked.settings.spool_dir / worked.upload(upload).object).unlink()
    assert bring_back(worked).without_file == (upload,)


def test_a_damaged_database_gives_way(worked: Provider) -> None:
    back_up(worked)
    worked.process("append.csv", {number(7): "x"})
    worked.store.close()
    path = worked.settings.data_dir / "alp.db"
    damaged = bytearray(path.read_bytes())
    damaged[4096 : 4096 * 6] = bytes(4096 * 5)
    path.write_bytes(damaged)
    done = bring_back(worked)
    assert done.unreadable is not None
    assert done.replaced is not None
    assert (Path(done.replaced) / "alp.db").read_bytes()[4096 : 4096 * 6] == bytes(4096 * 5)
    assert faults(worked) == []


def test_a_damaged_backup_is_refused(worked: Provider) -> None:
    back_up(worked)
    path = worked.folder / "backup.db"
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 2 : 4096 * 8] = bytes(4096 * 6)
    path.write_bytes(damaged)
    before = contents(worked.store)
    with pytest.raises(Unavailable, match="damaged"):
        bring_back(worked, anyway=True)
    worked.store = open_store(worked.settings.database_address)
    assert contents(worked.store) == before


def test_half_a_database_is_refused(worked: Provider) -> None:
    back_up(worked)
    (worked.folder / "backup.db-wal").write_bytes(b"what was not copied into it yet")
    with pytest.raises(Refused, match="a database in use, or a part of one"):
        bring_back(worked)


def test_a_database_in_use_is_left_alone(worked: Provider) -> None:
    back_up(worked)
    before = contents(worked.store)
    other = open_store(worked.settings.database_address)
    with pytest.raises(TryAgain, match="another program"):
        restore(worked.settings, worked.folder / "backup.db", worked.now, anyway=True)
    assert contents(other) == before
    other.close()


def test_a_stop_during_a_restore_is_refused_or_kept_and_never_lost(
    worked: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(worked)
    told: list[str] = []
    bring_files = restoring._bring_files

    def meanwhile(source: Path, spool: Path) -> None:
        with pytest.raises(TryAgain, match="a backup is being put in its place") as refused:
            open_store(worked.settings.database_address)
        told.append(str(refused.value))
        bring_files(source, spool)

    monkeypatch.setattr(restoring, "_bring_files", meanwhile)
    bring_back(worked)
    assert len(told) == 1
    worked.text(number(2), "STOP", "m2")
    assert worked.statuses()[number(2)] == "opted_out"


def test_a_restore_that_fails_lets_everybody_go_on(worked: Provider) -> None:
    with pytest.raises(NotFound):
        bring_back(worked, "nothing.db")
    (worked.folder / "backup.db").write_text("These are my holiday pictures. " * 100)
    with pytest.raises(UnusableFile):
        bring_back(worked)
    worked.text(number(2), "STOP", "m2")
    assert worked.statuses()[number(2)] == "opted_out"


@pytest.mark.parametrize("content", [b"", b"number,status,tags\n", b"another program's database"])
def test_what_is_no_backup_is_called_by_its_name(worked: Provider, content: bytes) -> None:
    path = worked.folder / "members.csv"
    path.write_bytes(content)
    if b"database" in content:
        path.unlink()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
    before = contents(worked.store)
    with pytest.raises(UnusableFile, match=r"/members\.csv: this is no backup of alp-daemon"):
        bring_back(worked, "members.csv", anyway=True)
    worked.store = open_store(worked.settings.database_address)
    assert contents(worked.store) == before


def test_there_is_no_such_backup(worked: Provider) -> None:
    with pytest.raises(NotFound, match="there is no such backup"):
        bring_back(worked, "nothing.db")


def test_postgres_has_its_own_tools(worked: Provider) -> None:
    server = worked.settings.model_copy(update={"database": "postgresql://db.example.net/alp"})
    with pytest.raises(ConfigurationError, match="pg_dump --format=custom"):
        backup(server, worked.folder / "backup.db", with_spool=False)
    with pytest.raises(ConfigurationError, match="pg_restore --single-transaction"):
        restore(server, worked.folder / "backup.db", worked.now, anyway=False)
