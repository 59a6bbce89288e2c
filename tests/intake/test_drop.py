"""Files that any other program puts into a customer's folder."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.channels import watch as watch_module
from alp_daemon.channels.watch import AT_REST, DropWatcher
from alp_daemon.domain.model import Evidence
from alp_daemon.files import drop, dropclaim
from alp_daemon.files.drop import Found
from alp_daemon.files.dropclaim import Claim
from alp_daemon.files.spool import open_spool
from alp_daemon.services.receiving.arrival import Arrival, Sender
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.receiving.pickup import PickedUp, PickUp
from alp_daemon.services.receiving.place import Place, WaitsFor
from alp_daemon.store.store import Row, stamp
from tests.eventually import eventually
from tests.intake.crash import in_a_child, kill_at
from tests.intake.world import NOW, World, build

WHOLE = b"Phone\n2125550123\n"


@pytest.fixture
def watcher(world: World) -> DropWatcher:
    return watch(world)


def watch(world: World) -> DropWatcher:
    return DropWatcher(world.settings, world.registry, world.intake)


def put(path: Path, content: bytes = WHOLE, *, mtime: float | None = None) -> Path:
    path.write_bytes(content)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def scan_twice(watcher: DropWatcher, moment: float = 100.0) -> None:
    watcher.scan(NOW, moment)
    watcher.scan(NOW, moment + 1.0)


def test_a_file_at_rest_is_moved_into_the_queue(world: World, watcher: DropWatcher) -> None:
    path = put(world.home() / "members.csv")
    scan_twice(watcher)
    (row,) = world.rows()
    assert not path.exists()
    assert world.content(row["id"]) == WHOLE
    assert (row["channel"], row["actor"], row["feed"], row["size"]) == ("drop", path_owner(), "members", len(WHOLE))
    assert (row["evidence"], row["state"], row["waits_for"]) == ("assumed", "received", None)
    assert len(world.rung) == 1


def path_owner() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def test_two_looks_a_second_apart_must_agree(world: World, watcher: DropWatcher) -> None:
    path = put(world.home() / "members.csv", b"half")
    assert watcher.scan(NOW, 100.0)
    assert watcher.scan(NOW, 100.9)
    put(path, WHOLE, mtime=1.0)
    assert watcher.scan(NOW, 101.1)
    assert world.rows() == []
    assert not watcher.scan(NOW, 102.1)
    assert world.content(world.rows()[0]["id"]) == WHOLE


def test_a_file_that_somebody_has_open_for_writing_is_left(world: World, watcher: DropWatcher) -> None:
    path = world.home() / "members.csv"
    with path.open("wb") as writer:
        writer.write(b"half")
        writer.flush()
        scan_twice(watcher)
        assert world.rows() == []
        writer.write(b" and half")
    scan_twice(watcher, 200.0)
    assert world.content(world.rows()[0]["id"]) == b"half and half"


def test_a_reader_does_not_hinder(world: World, watcher: DropWatcher) -> None:
    with put(world.home() / "members.csv").open("rb"):
        scan_twice(watcher)
    assert len(world.rows()) == 1


def test_order_is_by_time_then_name(world: World, watcher: DropWatcher) -> None:
    home = world.home()
    put(home / "members-c.csv", mtime=100)
    put(home / "members-b.csv", mtime=200)
    put(home / "members-a.csv", mtime=200)
    put(home / "preformatted" / "x.csv", mtime=150)
    scan_twice(watcher)
    assert [row["name"] for row in world.rows()] == ["members-c.csv", "x.csv", "members-a.csv", "members-b.csv"]


def test_an_earlier_file_that_is_seen_later_goes_first(world: World, watcher: DropWatcher) -> None:
    """The system lists a folder that grows meanwhile in no particular order: an earlier name may be left out."""
    home = world.home()
    # What lies in a folder of another name is out of sight, and not touched when that gets its own again.
    unseen = (home / "preformatted").rename(home / "unseen")
    put(unseen / "a.csv")
    put(home / "members-b.csv")
    watcher.scan(NOW, 100.0)
    (home / "preformatted").rmdir()
    unseen.rename(home / "preformatted")
    assert watcher.scan(NOW, 101.0)
    assert world.rows() == []
    watcher.scan(NOW, 102.0)
    assert [row["name"] for row in world.rows()] == ["a.csv", "members-b.csv"]


def test_a_copy_that_keeps_old_times_holds_up_nobody(world: World, watcher: DropWatcher) -> None:
    """``cp -p`` and ``rsync -t`` over a slow line: at each look there is one more file, and older than all others."""
    waiting = put(world.home() / "members.csv")
    watcher.scan(NOW, 100.0)
    for second in range(1, 4):
        put(world.home() / f"copied-{second}.txt", mtime=1_000_000_000 + second)
        watcher.scan(NOW, 100.0 + second)
        assert not waiting.exists()
    assert [row["name"] for row in world.rows()] == ["members.csv"]


def test_an_earlier_file_that_is_still_written_keeps_nobody_waiting(world: World, watcher: DropWatcher) -> None:
    slow = put(world.home() / "members-a.csv", b"half", mtime=1_700_000_001)
    put(world.home() / "members-b.csv", mtime=1_700_000_002)
    watcher.scan(NOW, 100.0)
    put(slow, mtime=1_700_000_001)
    watcher.scan(NOW, 101.0)
    assert [row["name"] for row in world.rows()] == ["members-b.csv"]


def test_only_regular_files_with_a_final_name_are_picked_up(world: World, watcher: DropWatcher) -> None:
    home = world.home()
    put(home / "members.csv.part")
    put(home / ".members.csv")
    put(home / "reports" / "members.csv")
    (home / "members-folder.csv").mkdir()
    put(home / "members-folder.csv" / "members.csv")
    os.mkfifo(home / "members-pipe.csv")
    (home / "members-link.csv").symlink_to("/etc/hostname")
    before = sorted(home.rglob("*"))
    scan_twice(watcher)
    assert world.rows() == []
    assert sorted(home.rglob("*")) == before


def test_a_name_that_no_feed_takes_may_still_be_renamed_in_the_folder(world: World, watcher: DropWatcher) -> None:
    path = put(world.home() / "list.dat")
    watcher.scan(NOW, 100.0)
    watcher.scan(NOW, 159.0)
    path.rename(path.with_name("members.csv"))
    watcher.scan(NOW, 160.0)
    watcher.scan(NOW, 161.0)
    assert [(row["name"], row["feed"]) for row in world.rows()] == [("members.csv", "members")]


def test_a_name_that_no_feed_takes_is_rejected_after_a_minute(world: World, watcher: DropWatcher) -> None:
    path = put(world.home() / "list.dat")
    watcher.scan(NOW, 100.0)
    watcher.scan(NOW, 160.0)
    world.intake.upkeep.tick(NOW)
    (row,) = world.rows()
    assert not path.exists()
    assert row["state"] == "rejected"
    assert row["reason"].startswith('no feed takes the name "list.dat"; expected "members*.csv" (members)')


def test_odd_bytes_in_a_name_are_shown_and_harmless(world: World, watcher: DropWatcher) -> None:
    (Path(os.fsdecode(os.fsencode(world.home()) + b"/members\xff\n.csv"))).write_bytes(WHOLE)
    scan_twice(watcher)
    assert [row["name"] for row in world.rows()] == ["members\\xdcff\\x0a.csv"]


def test_sidecars_work_in_the_folder_too(world: World, watcher: DropWatcher) -> None:
    put(world.home() / "done.csv")
    put(world.home() / "done.csv.done", b"")
    scan_twice(watcher)
    world.intake.upkeep.tick(NOW)
    assert {row["name"]: (row["state"], row["evidence"]) for row in world.rows()} == {
        "done.csv": ("received", "proven"),
        "done.csv.done": ("discarded", "assumed"),
    }


def test_a_folder_without_a_customer_is_left_alone(world: World, watcher: DropWatcher) -> None:
    stranger = world.settings.drop_dir / "nobody"
    stranger.mkdir(parents=True)
    put(stranger / "members.csv")
    scan_twice(watcher)
    assert world.rows() == []
    assert (stranger / "members.csv").exists()


def test_an_unreadable_file_stays_and_is_told_once() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = build(folder)
        put(world.home() / "members.csv")
        private = put(world.home() / "members-private.csv")
        private.chmod(0)
        world.store.close()
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
            os.chown(private, 0, 0)
        assert in_a_child(lambda: _scan_as_nobody(folder))


NOBODY = 65534


def _scan_as_nobody(folder: Path) -> None:
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    world = build(folder)
    watcher = watch(world)
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        for moment in range(100, 105):
            watcher.scan(NOW, moment)
    assert [row["name"] for row in world.rows()] == ["members.csv"]
    told = [line["reason"] for line in logs if line["event"] == "drop_file_not_picked_up"]
    assert told == ["cannot be read: Permission denied"]
    assert (world.home() / "members-private.csv").exists()


# Races


def test_a_file_replaced_since_the_look_is_looked_at_again(world: World, watcher: DropWatcher) -> None:
    path = put(world.home() / "members.csv", b"old")
    (found,) = drop.look(world.home())
    put(path.with_name("new"), b"new").replace(path)
    assert world.intake.pick_up("acme", [found], NOW) == []
    assert world.rows() == []
    assert path.read_bytes() == b"new"


def test_a_file_replaced_while_it_is_taken_is_neither_lost_nor_taken_for_the_other(world: World) -> None:
    path = put(world.home() / "members.csv", b"old")
    (found,) = drop.look(world.home())
    put(path.with_name("new"), b"newer").replace(path)
    target = world.settings.data_dir / "target"
    assert dropclaim.claim(found, target, ".aside") is Claim.changed
    assert target.read_bytes() == b"newer"


NO_FILES: dict[str, tuple[Callable[[Path], None], Callable[[Path], bool]]] = {
    "a link": (lambda path: path.symlink_to("/etc/hostname"), Path.is_symlink),
    "a pipe": (os.mkfifo, Path.is_fifo),
    "a folder": (lambda path: (path / "within").mkdir(parents=True), lambda path: (path / "within").is_dir()),
}


@pytest.mark.parametrize("target", ["target", None])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_not_a_file_any_more_is_put_back(world: World, kind: str, target: str | None) -> None:
    make, is_there = NO_FILES[kind]
    path = put(world.home() / "members.csv")
    (found,) = drop.look(world.home())
    path.unlink()
    make(path)
    assert dropclaim.claim(found, target and world.settings.data_dir / target, ".aside") is Claim.gone
    assert is_there(path)
    assert not (world.settings.data_dir / "target").exists()
    assert not is_there(path.with_name(".aside"))


@pytest.mark.parametrize("kind", NO_FILES)
def test_and_never_in_the_place_of_a_file_that_came_meanwhile(
    world: World, watcher: DropWatcher, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    make, is_there = NO_FILES[kind]
    path = put(world.home() / "members.csv", b"old")
    (found,) = drop.look(world.home())
    move = dropclaim._move

    def meanwhile(*how: Any) -> str:
        path.unlink()
        make(path)
        landed = move(*how)
        put(path, b"new")
        return landed

    log.warning("test")  # the first line sets the log up, which would end the capture
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(dropclaim, "_move", meanwhile)
        assert world.intake.pick_up("acme", [found], NOW) == []
    assert path.read_bytes() == b"new"
    (hidden,) = path.parent.glob(".*.pickup")
    assert is_there(hidden)
    assert [line["now"] for line in logs if line["event"] == "drop_name_not_given_back"] == [hidden.name]
    assert world.rows() == []
    scan_twice(watcher)
    assert [world.content(row["id"]) for row in world.rows()] == [b"new"]
    assert is_there(hidden)


def test_a_file_that_vanished_is_no_upload(world: World) -> None:
    path = put(world.home() / "members.csv")
    (found,) = drop.look(world.home())
    path.unlink()
    assert dropclaim.claim(found, world.settings.data_dir / "target", ".aside") is Claim.gone
    assert world.intake.pick_up("acme", [found], NOW) == []
    assert world.rows() == []


def test_a_half_done_pick_up_of_another_size_is_cut(world: World) -> None:
    home = world.home()
    arrival = Arrival(
        "acme",
        "members.csv",
        "",
        Sender("drop", "root"),
        NOW,
        Place(None, WaitsFor.pick_up),
        Evidence.assumed,
    )
    with world.store.write() as transaction:
        upload = arrival.record(transaction, "acme/0123", 3, "local")["id"]
    (world.settings.spool_dir / "acme").mkdir(parents=True)
    put(home / "x").rename(world.settings.spool_dir / "acme" / "0123")
    world.intake.upkeep.finish_pick_ups(NOW)
    row = world.row(upload)
    assert (row["evidence"], row["size"], row["waits_for"]) == ("cut", len(WHOLE), None)
    assert row["evidence_note"] == "the file changed while it was being picked up"


def under_way(world: World) -> tuple[PickUp, Row, Found]:
    """A pick-up whose record is there, and whose file is about to be moved."""
    (found,) = drop.look(put(world.home() / "members.csv").parent)
    pick_up = PickUp(world.store, open_spool(world.settings), world.registry, world.settings.node_name)
    with world.store.write() as transaction:
        return pick_up, pick_up._announce(transaction, "acme", found, NOW), found


def land(world: World, pick_up: PickUp, row: Row, found: Found) -> None:
    done = PickedUp()
    landed = pick_up._claim(found, row, done)
    assert landed is not None
    with world.store.write() as transaction:
        pick_up._put(transaction, row, landed, NOW, done)


def test_a_file_whose_record_another_daemon_took_back_gets_another(world: World, tmp_path: Path) -> None:
    """Of this node's name, and with a drop folder of its own, in which the file is not."""
    pick_up, row, found = under_way(world)
    shared = {"database": world.settings.database_address, "spool": str(world.settings.spool_dir)}
    elsewhere = world.settings.model_copy(update={"data_dir": tmp_path / "there", **shared})
    Intake(world.store, elsewhere, world.registry).upkeep.finish_pick_ups(NOW)
    assert world.rows() == []
    land(world, pick_up, row, found)
    (again,) = world.rows()
    assert world.content(again["id"]) == WHOLE
    assert world.is_due(again["id"])
    assert (again["feed"], again["channel"], again["actor"]) == ("members", "drop", path_owner())


@pytest.mark.parametrize("kind", ["a link", "a pipe"])
def test_what_is_no_file_and_a_crash_has_left_in_the_spool_is_no_upload(world: World, kind: str) -> None:
    make, is_there = NO_FILES[kind]
    _, row, found = under_way(world)
    found.path.unlink()
    make(world.settings.spool_dir / row["object"])
    assert world.intake.upkeep.finish_pick_ups(NOW) == []
    assert world.rows() == []
    assert world.spooled() == []
    (hidden,) = world.home().glob(".*.pickup")
    assert is_there(hidden)


def test_a_file_that_was_discarded_meanwhile_stays_so(world: World) -> None:
    pick_up, row, found = under_way(world)
    with world.store.write() as transaction:
        transaction.run("uploads.discard", id=row["id"], reason="discarded by Ann", now=stamp(NOW))
    land(world, pick_up, row, found)
    assert [each["state"] for each in world.rows()] == ["discarded"]


def test_nothing_is_lost_while_a_writer_keeps_coming(world: World, watcher: DropWatcher) -> None:
    """Ten names, each used again as soon as it is free: every content is picked up exactly once."""
    home = world.home()
    total = 300

    def write() -> None:
        for number in range(total):
            hidden = put(home / f".{number}", str(number).encode())
            target = home / f"members-{number % 10}.csv"
            while True:
                try:
                    target.hardlink_to(hidden)
                    break
                except FileExistsError:
                    time.sleep(0.001)
            hidden.unlink()

    writer = threading.Thread(target=write)
    writer.start()
    moment = 100.0
    while writer.is_alive() or list(home.glob("members*")):
        moment += 1.0
        watcher.scan(NOW, moment)
    rows = world.rows()
    assert sorted(world.content(row["id"]) for row in rows) == sorted(str(n).encode() for n in range(total))
    assert {row["evidence"] for row in rows} == {"assumed"}


# Crashes


@pytest.fixture(params=["one file system", "two file systems"])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where worlds can be built, with the spool on the drop folder's file system or on another one."""
    if request.param == "one file system":
        yield tmp_path
        return
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    with tempfile.TemporaryDirectory(dir=shared) as elsewhere:
        (tmp_path / "elsewhere").symlink_to(elsewhere)
        yield tmp_path


def _folder(folders: Path, step: int) -> Path:
    folder = folders / str(step)
    (folder / "data").mkdir(parents=True)
    if (folders / "elsewhere").exists():
        spool = (folders / "elsewhere").resolve() / str(step)
        spool.mkdir()
        (folder / "data" / "spool").symlink_to(spool)
    return folder


def test_a_kill_at_any_line_loses_nothing_and_queues_nothing_twice(folders: Path) -> None:
    step, finished = 0, False
    while not finished:
        step += 1
        folder = _folder(folders, step)
        world = build(folder)
        put(world.home() / "members.csv", b"one", mtime=1)
        put(world.home() / "members-2.csv", b"two", mtime=2)
        world.store.close()
        finished = in_a_child(lambda folder=folder, step=step: _scan_and_die(folder, step))
        world = build(folder)
        world.intake.upkeep.recover()
        scan_twice(watch(world))
        rows = world.rows()
        assert [row["name"] for row in rows] == ["members.csv", "members-2.csv"], step
        assert [world.content(row["id"]) for row in rows] == [b"one", b"two"], step
        assert all(world.is_due(row["id"]) for row in rows), step
        assert {row["evidence"] for row in rows} == {"assumed"}, step
        assert len(world.spooled()) == 2, step
        assert [path for path in world.home().rglob("*") if path.is_file()] == [], step
        world.store.close()
    assert step > 50


def _scan_and_die(folder: Path, step: int) -> None:
    world = build(folder)
    watcher = watch(world)
    watcher.scan(NOW, 1.0)
    kill_at(step, "_move", "_claim", "_bring", "_sync", "_put", "claim", "adopt", "copy", "begin", "_transaction")
    watcher.scan(NOW, 2.0)


def test_a_full_disk_leaves_the_file_and_a_later_scan_gets_it(folders: Path) -> None:
    folder = _folder(folders, 0)
    world = build(folder)
    content = bytes(200_000)
    put(world.home() / "members.csv", content)
    world.store.close()
    assert in_a_child(lambda: scan_twice(watch(build(folder))), file_size=150_000)
    world = build(folder)
    scan_twice(watch(world))
    (row,) = world.rows()
    assert world.content(row["id"]) == content
    assert world.is_due(row["id"])


# The thread


@pytest.fixture
def running(world: World) -> Iterator[None]:
    watcher = watch(world)
    put(world.home() / "members-before.csv")
    watcher.start()
    yield
    watcher.stop()


def test_a_new_customer_gets_its_folders(world: World, watcher: DropWatcher) -> None:
    (world.settings.customers_dir / "newtown.yaml").write_text("name: Newtown\nkeyword: NEWTOWN\n")
    world.registry.reload(NOW)
    watcher.scan(NOW, 100.0)
    assert sorted(path.name for path in (world.settings.drop_dir / "newtown").iterdir()) == ["preformatted", "reports"]


@pytest.mark.usefixtures("running")
def test_what_lay_there_before_and_what_comes_later_is_found(world: World) -> None:
    assert world.due.wait(10)
    world.due.clear()
    put(world.home("school") / "any.csv")
    assert world.due.wait(4), "the doorbell did not ring: scan_every is 5 s"
    assert sorted(row["name"] for row in world.rows()) == ["any.csv", "members-before.csv"]


def in_the_way(world: World, customer: str) -> Path:
    """A file where the customer's folder should be."""
    world.settings.drop_dir.mkdir(parents=True, exist_ok=True)
    return put(world.settings.drop_dir / customer)


def test_one_customers_folder_that_cannot_be_made_stops_nobody_else(world: World, watcher: DropWatcher) -> None:
    obstacle = in_the_way(world, "acme")
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        watcher.start()
        try:
            put(world.home("school") / "any.csv")
            assert world.due.wait(10)
            obstacle.unlink()
            watcher.ring()
            eventually(lambda: (obstacle / "preformatted").is_dir())
        finally:
            watcher.stop()
    assert [row["name"] for row in world.rows()] == ["any.csv"]
    (told,) = [line for line in logs if line["event"] == "drop_file_not_picked_up"]
    assert told["path"] == str(obstacle)
    assert told["reason"].startswith(f"cannot make the folders in {obstacle}: ")


def test_an_unforeseen_error_ends_neither_the_scans_nor_the_other_customers(world: World, watcher: DropWatcher) -> None:
    homes = {customer: world.home(customer) for customer in ("acme", "school")}
    # No error of ours: the program does not expect a trigger.
    change(
        world,
        "CREATE TRIGGER trouble BEFORE INSERT ON uploads WHEN NEW.customer = 'acme'"
        " BEGIN SELECT RAISE(ABORT, 'trouble'); END",
    )
    put(homes["acme"] / "members.csv")
    log.warning("test")
    with capture_logs() as logs:
        watcher.start()
        try:
            put(homes["school"] / "any.csv")
            assert world.due.wait(10)
            eventually(lambda: any(line["event"] == "drop_scan_failed" for line in logs))
            assert (homes["acme"] / "members.csv").exists()
            world.due.clear()
            change(world, "DROP TRIGGER trouble")
            watcher.ring()
            assert world.due.wait(10)
        finally:
            watcher.stop()
    assert sorted(row["name"] for row in world.rows()) == ["any.csv", "members.csv"]


def change(world: World, statement: str) -> None:
    with closing(sqlite3.connect(world.settings.database_path, timeout=30)) as connection, connection:
        connection.execute(statement)


def test_the_loop_shows_that_it_goes_on_while_it_waits_for_hours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_TURN_SECONDS", 0.01)
    rarely = world.settings.model_copy(update={"scan_every": timedelta(hours=1)})
    watcher = DropWatcher(rarely, world.registry, world.intake)
    watcher.start()
    try:
        # Past the first scans, which come close together.
        for _ in range(3):
            before = watcher.last_turn
            eventually(lambda before=before: watcher.last_turn > before + AT_REST / 2)
    finally:
        watcher.stop()


def test_a_scan_that_moves_files_goes_on_and_one_that_hangs_does_not(world: World) -> None:
    seen = []

    def moved() -> None:
        watcher.progress._last_turn = -1_000.0  # as if the file had taken so long
        seen.append(watcher.last_turn)

    watcher = DropWatcher(
        world.settings, world.registry, Intake(world.store, world.settings, world.registry, on_due=moved)
    )
    put(world.home() / "members.csv")
    scan_twice(watcher)
    assert len(seen) == 1
    assert seen[0] > 0
    assert watcher.last_turn >= seen[0], "it went on since"
    watcher.progress._last_turn = -1_000.0
    assert watcher.last_turn == -1_000.0


def test_a_burst_of_5000_files_in_two_customers(world: World, watcher: DropWatcher) -> None:
    homes = {"acme": world.home("acme"), "school": world.home("school")}
    for number in range(2_500):
        for customer, home in homes.items():
            put(home / f"members-{number % 7}-{number}.csv", f"{customer} {number}".encode(), mtime=number // 2)
    scan_twice(watcher)
    for customer, home in homes.items():
        contents = [(world.settings.spool_dir / row["object"]).read_text() for row in world.rows(customer)]
        expected = sorted(range(2_500), key=lambda n: (n // 2, f"members-{n % 7}-{n}.csv"))
        assert contents == [f"{customer} {number}" for number in expected]
        assert list(home.glob("*.csv")) == []
