"""Storage that is away, busy, slow, or breaks off: nobody is told of a file that is not there, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from structlog.testing import capture_logs

from alp_daemon.channels.watch import DropWatcher
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import ConfigurationError, TryAgain
from alp_daemon.files import s3client
from alp_daemon.files.bucket import Bucket
from alp_daemon.files.objects import Kept, ObjectLost, StorageAway
from alp_daemon.files.spool import open_spool
from alp_daemon.services.decisions import approval
from alp_daemon.services.processing import process
from alp_daemon.services.receiving.intake import Received, Sender
from alp_daemon.services.safekeeping import retention
from tests.intake.test_drop import put, scan_twice
from tests.intake.world import NOW
from tests.s3.conftest import PREFIX
from tests.s3.proxy import Fault, Proxy
from tests.s3.world import OURS, World
from tests.services.provider import SENDER, Provider, feed, numbers

NAME = f"acme/{'0' * 32}"


@pytest.fixture
def place(bucket: Any, tmp_path: Path) -> Bucket:
    return Bucket(bucket.name, PREFIX, tmp_path / "room")


@pytest.fixture
def acme(spool: str, tmp_path: Path) -> Provider:
    provider = Provider(tmp_path)
    provider.settings = provider.settings.model_copy(update={"spool": spool})
    return provider


def files_of(bucket: Any) -> list[str]:
    return [each.key for each in bucket.objects.all() if each.key.rpartition("/")[2] not in OURS]


def kept(place: Bucket, folder: Path, content: bytes) -> Kept:
    file = folder / "file"
    file.write_bytes(content)
    return place.put(file, NAME)


LARGE = 20 * 2**20
"""Of four parts."""


class TestOnTheWayIn:
    @pytest.mark.parametrize("fault", [Fault.busy, Fault.forgets])
    def test_a_passing_fault_is_waited_out(self, bucket_world: World, proxy: Proxy, fault: Fault) -> None:
        proxy.next.extend([fault] * 2)
        upload = bucket_world.send("members.csv", b"content")
        assert bucket_world.content(upload) == b"content"
        assert len(proxy.of("PUT", "/acme/")) == 3

    @pytest.mark.usefixtures("hasty")
    @pytest.mark.parametrize("fault", [Fault.busy, Fault.denied, Fault.silent])
    def test_a_fault_that_stays_is_a_passing_refusal_that_keeps_nothing(
        self, bucket_world: World, proxy: Proxy, fault: Fault
    ) -> None:
        with proxy.broken(fault), pytest.raises(TryAgain, match="storage of uploaded files is away"):
            bucket_world.send("members.csv")
        assert bucket_world.rows() == []
        assert bucket_world.spooled() == []
        upload = bucket_world.send("members.csv", b"again")
        assert bucket_world.content(upload) == b"again"

    @pytest.mark.usefixtures("hasty")
    def test_a_batch_waits_once(self, bucket_world: World, proxy: Proxy) -> None:
        world, sender = bucket_world, Sender("ftp", "acme")
        files = []
        for _ in range(100):
            incoming = world.intake.begin("acme")
            incoming.file.write(b"x")
            files.append(Received(incoming, world.intake.arrival("acme", "members.csv", "", sender, NOW, None, "")))
        with proxy.broken(Fault.silent):
            told = world.intake.receive_all(files)
        assert {type(each) for each in told} == {StorageAway}
        assert len(set(proxy.of("PUT", "/acme/"))) <= 8, "those side by side; nobody after them has tried"
        assert world.rows() == []
        assert world.spooled() == []

    def test_a_large_file_goes_in_parts_and_none_of_them_is_lost(
        self, place: Bucket, bucket: Any, proxy: Proxy, tmp_path: Path
    ) -> None:
        content = bytes(range(256)) * (LARGE // 256)
        proxy.next.extend([Fault.busy, Fault.busy, Fault.forgets])
        stored = kept(place, tmp_path, content)
        assert bucket.Object(f"{PREFIX}/{NAME}").get()["Body"].read() == content
        assert stored.size == LARGE

    @pytest.mark.parametrize("size", [3 * 2**20, 6 * 2**20])
    def test_a_slow_uplink_is_no_silence(
        self, bucket: Any, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        monkeypatch.setattr(s3client, "PATIENCE", s3client.Patience(timedelta(seconds=1), timedelta(seconds=1)))
        place = Bucket(bucket.name, PREFIX, tmp_path / "room")
        with proxy.broken(Fault.slow):
            kept(place, tmp_path, bytes(size))
        assert bucket.Object(f"{PREFIX}/{NAME}").content_length == size

    def test_a_large_file_is_kept_before_the_common_commit(self, bucket_world: World, bucket: Any) -> None:
        incoming = bucket_world.intake.begin("acme")
        incoming.file.write(b"large")
        bucket_world.intake.write_out(incoming)
        assert len(files_of(bucket)) == 1
        upload = bucket_world.intake.receive(incoming, "acme", "members.csv", "", Sender("ftp", "acme"), NOW)
        assert files_of(bucket) == [f"{PREFIX}/{bucket_world.row(upload)['object']}"]
        assert bucket_world.spooled() == [bucket_world.row(upload)["object"]]

    @pytest.mark.usefixtures("hasty")
    def test_a_dropped_file_stays_until_the_storage_is_back(self, bucket_world: World, proxy: Proxy) -> None:
        world = bucket_world
        watcher = DropWatcher(world.settings, world.registry, world.intake)
        for number in range(3):
            put(world.home() / f"members-{number}.csv", str(number).encode())
        with proxy.broken(Fault.busy):
            scan_twice(watcher)
        assert not any(world.is_due(row["id"]) for row in world.rows())
        scan_twice(watcher, 200.0)
        assert [world.content(row["id"]) for row in world.rows()] == [b"0", b"1", b"2"]
        assert all(world.is_due(row["id"]) for row in world.rows())
        assert [path for path in world.home().rglob("*") if path.is_file()] == []


class TestOnTheWayOut:
    @pytest.mark.usefixtures("hasty")
    @pytest.mark.parametrize("fault", [Fault.busy, Fault.denied, Fault.silent, Fault.breaks_off])
    def test_an_upload_waits_for_the_storage_however_often_it_is_tried(
        self, acme: Provider, proxy: Proxy, fault: Fault
    ) -> None:
        upload = acme.send("append.csv", numbers(2))
        tries = process.MAX_ATTEMPTS + 1 if fault is Fault.denied else 1
        with proxy.broken(fault):
            for _ in range(tries):
                with pytest.raises(TryAgain, match="storage of uploaded files is away"):
                    acme.work()
        assert (acme.upload(upload).state, acme.upload(upload).attempts) == ("received", 0)
        assert acme.work()["state"] == "applied"

    def test_a_body_that_breaks_off_is_fetched_to_its_end(self, place: Bucket, proxy: Proxy, tmp_path: Path) -> None:
        content = bytes(range(256)) * 4096
        stored = kept(place, tmp_path, content)
        proxy.next.append(Fault.breaks_off)
        with place.local(stored) as path:
            assert path.read_bytes() == content

    def test_a_file_that_is_gone_ends_its_upload_in_plain_words(self, acme: Provider, bucket: Any) -> None:
        upload = acme.send("append.csv", numbers(2))
        bucket.objects.delete()
        report = acme.work()
        assert (report["upload"], report["state"]) == (upload, "failed")
        assert report["reason"] == "its file is not in the spool any more; ask for it to be sent again"

    def test_a_bucket_that_is_gone_ends_no_upload(self, acme: Provider, bucket: Any) -> None:
        upload = acme.send("append.csv", numbers(2))
        bucket.objects.delete()
        bucket.delete()
        with pytest.raises(TryAgain):
            acme.work()
        assert acme.upload(upload).state == "received"

    @pytest.mark.parametrize("other", [b"shorter", b"other content"])
    def test_another_file_in_its_place_is_not_taken_for_it(
        self, place: Bucket, bucket: Any, tmp_path: Path, other: bytes
    ) -> None:
        stored = kept(place, tmp_path, b"whole content")
        bucket.put_object(Key=f"{PREFIX}/{NAME}", Body=other)
        with pytest.raises(ObjectLost, match="is not the one that was received"), place.local(stored):
            pass

    def test_it_is_fetched_once(self, acme: Provider, proxy: Proxy) -> None:
        acme.process("append.csv", numbers(3))
        assert len(proxy.of("GET", "/acme/")) == 1
        assert acme.process("append.csv", numbers(3))["changes"]["unchanged"] == 3
        assert len(proxy.of("GET", "/acme/")) == 2

    def test_a_spreadsheet_is_read_from_there_too(self, acme: Provider) -> None:
        sheet = acme.folder / "sheet.xlsx"
        with xlsxwriter.Workbook(sheet) as book:
            book.add_worksheet().write_column("A1", ["Phone", *numbers(3)])
        acme.configure({"sheet": feed("append", match="*.xlsx", file={"format": "xlsx"}, tags=[])})
        approval.approve(acme.store, acme.settings, acme.customer, "sheet", sheet, "Ann", acme.tick())
        acme.intake.take(sheet, "acme", sheet.name, "", SENDER, acme.tick(), evidence=Evidence.assumed)
        report = acme.work()
        assert (report["state"], report["rows"]["listed"]) == ("applied", 3), report["reason"]

    def test_what_was_fetched_leaves_nothing_even_if_its_process_is_killed(self, place: Bucket, tmp_path: Path) -> None:
        stored = kept(place, tmp_path, b"content")
        with place.local(stored) as path:
            assert path.is_file()
            assert list((tmp_path / "room").iterdir()) == []
        assert not path.exists()


class TestRemoving:
    @pytest.mark.usefixtures("hasty")
    def test_retention_erases_the_file_and_then_says_so(self, acme: Provider, bucket: Any, proxy: Proxy) -> None:
        acme.process("append.csv", numbers(2))
        acme.tick(days=31)
        with proxy.broken(Fault.busy), pytest.raises(TryAgain):
            retention.erase_old_files(acme.store, acme.settings, acme.now)
        assert acme.upload(1).erased_at is None
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 1
        assert files_of(bucket) == []
        assert acme.upload(1).erased_at is not None

    def test_a_file_that_is_gone_already_is_no_trouble(self, acme: Provider, bucket: Any) -> None:
        acme.process("append.csv", numbers(2))
        bucket.objects.delete()
        acme.tick(days=31)
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 1

    @pytest.mark.usefixtures("hasty")
    def test_a_deleted_upload_goes_also_while_the_storage_is_away(self, bucket_world: World, proxy: Proxy) -> None:
        upload = bucket_world.send("members.csv")
        with proxy.broken(Fault.busy):
            assert bucket_world.intake.own.delete(upload, "acme", NOW)
        assert bucket_world.row(upload)["erased_at"] is not None
        assert len(bucket_world.spooled()) == 1, "the daily clean-up takes it"


class TestState:
    def test_the_spool_says_how_it_is(self, bucket_world: World, bucket: Any, proxy: Proxy) -> None:
        assert bucket_world.intake.spool_trouble() is None
        with proxy.broken(Fault.busy):
            assert bucket_world.intake.spool_trouble() == "does not answer"
        bucket.objects.delete()
        bucket.delete()
        assert bucket_world.intake.spool_trouble() == "does not answer"

    def test_an_end_point_without_tls_has_to_be_allowed(self, spool: str, acme: Provider, monkeypatch: Any) -> None:
        monkeypatch.delenv("AWS_ALLOW_HTTP")
        with pytest.raises(ConfigurationError, match="AWS_ALLOW_HTTP=true"):
            open_spool(acme.settings)

    def test_the_log_says_what_is_wrong_and_names_no_key(self, acme: Provider, proxy: Proxy) -> None:
        with capture_logs() as lines, proxy.broken(Fault.denied), pytest.raises(TryAgain):
            acme.send("append.csv", numbers(1))
        (line,) = [line for line in lines if line["event"] == "storage_away"]
        assert "403" in line["error"]
        assert "Signature" not in str(lines)
