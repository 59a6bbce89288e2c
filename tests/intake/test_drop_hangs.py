"""A drop folder that does not answer, as a mount whose server has gone: who waits for it, and for how long."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.channels import progress as progress_module
from alp_daemon.channels import watch as watch_module
from alp_daemon.channels.progress import Progress
from alp_daemon.channels.watch import DropWatcher
from alp_daemon.files import bulkhead, drop, dropclaim
from tests.eventually import eventually
from tests.intake.test_troubles import half_picked_up
from tests.intake.world import NOW, World

STILL = 0.2
"""Seconds without a turn that are a standstill here."""


@dataclass
class Mount:
    """Beneath ``folder`` nothing is answered until ``answers`` is set."""

    folder: Path
    asked: threading.Event
    answers: threading.Event


@pytest.fixture
def mount(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    """The folder of ``acme``. The first that the daemon asks of a folder is to make those in it."""
    mount = Mount(world.home("acme"), threading.Event(), threading.Event())
    mkdir = os.mkdir

    def hanging(path: Any, *arguments: Any, **options: Any) -> None:
        if mount.folder in Path(os.fsdecode(path)).parents:
            mount.asked.set()
            assert mount.answers.wait(60)
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(os, "mkdir", hanging)
    monkeypatch.setattr(watch_module, "_PATIENCE_SECONDS", 0.01)
    yield mount
    mount.answers.set()


@contextmanager
def started(world: World, mount: Mount) -> Iterator[DropWatcher]:
    """It scans when something rings, as good as never by itself."""
    settings = world.settings.model_copy(update={"scan_every": timedelta(hours=1)})
    watcher = DropWatcher(settings, world.registry, world.intake)
    watcher.start()
    assert mount.asked.wait(10)
    yield watcher
    mount.answers.set()
    watcher.stop(10)


@pytest.fixture
def watcher(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> Iterator[DropWatcher]:
    """Soon goes on without the folder."""
    monkeypatch.setattr(bulkhead, "PATIENCE_SECONDS", 0.05)
    with started(world, mount) as watcher:
        yield watcher


@pytest.fixture
def patient(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> Iterator[DropWatcher]:
    """Waits for the folder."""
    monkeypatch.setattr(bulkhead, "PATIENCE_SECONDS", 60.0)
    with started(world, mount) as watcher:
        yield watcher


def drop_one(world: World, customer: str) -> None:
    folder = world.settings.drop_dir / customer / "preformatted"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "list.csv").write_text("2125550123,bus\n")


def test_the_others_files_are_picked_up_and_its_own_when_it_answers(
    world: World, mount: Mount, watcher: DropWatcher
) -> None:
    (mount.folder / "members.csv").write_text("Phone\n2125550123\n")
    drop_one(world, "school")
    assert world.due.wait(20)
    eventually(world.rows)
    assert [row["customer"] for row in world.rows()] == ["school"]
    mount.answers.set()
    eventually(lambda: [row["customer"] for row in world.rows()], ["school", "acme"].__eq__)


def test_it_is_told_of_once(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead, "PATIENCE_SECONDS", 0.05)
    watcher = DropWatcher(world.settings, world.registry, world.intake)
    log.tell_everything()
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        for moment in range(3):
            watcher.scan(NOW, moment)
    (told,) = logs
    assert (told["event"], told["path"]) == ("drop_file_not_picked_up", str(mount.folder))
    assert "no answer, as from a mount whose server has gone" in told["reason"]


def test_the_start_does_not_wait_for_it(mount: Mount, patient: DropWatcher) -> None:
    assert patient._thread.is_alive(), "it hangs, and the start has returned"


def test_the_stop_does_not_wait_for_it(mount: Mount, patient: DropWatcher) -> None:
    patient.stop(0.01)
    assert patient._thread.is_alive()
    mount.answers.set()
    eventually(lambda: not patient._thread.is_alive())


def test_the_standstill_is_told_once_and_its_end(mount: Mount, patient: DropWatcher) -> None:
    log.tell_everything()
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        patient.progress.tell_of_standstill(3600)
        assert logs == [], "a look may take some time"
        for _ in range(2):
            eventually(lambda: patient.progress.tell_of_standstill(STILL) or logs)
        mount.answers.set()
        for _ in range(2):
            eventually(lambda: patient.progress.tell_of_standstill(3600) or logs[1:])
    still, goes_on = logs
    assert (still["event"], still["log_level"], still["path"]) == ("drop_scan_stands_still", "error", str(mount.folder))
    assert goes_on["event"] == "drop_scan_goes_on"


def test_a_move_takes_its_time_and_one_that_never_ends_is_a_standstill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress(tmp_path)
    with progress.moving():
        progress._last_turn = -1_000.0
        assert progress.last_turn > 0
    monkeypatch.setattr(progress_module, "_LONGEST_MOVE_SECONDS", -1_000.0)
    with progress.moving():
        began = progress.last_turn
        progress._last_turn = -2_000.0
        assert progress.last_turn < began


def test_who_is_only_slow_has_its_files_picked_up(world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look takes longer than anybody waits."""
    mount.answers.set()
    monkeypatch.setattr(bulkhead, "PATIENCE_SECONDS", 0.05)
    look = drop.look
    monkeypatch.setattr(drop, "look", lambda home: sleep(0.3 if home == mount.folder else 0) or look(home))
    with started(world, mount):
        (mount.folder / "members.csv").write_text("Phone\n2125550123\n")
        assert world.due.wait(30)


def test_a_file_that_was_half_taken_out_of_it_keeps_nobody_waiting(
    world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount.answers.set()
    half = half_picked_up(world, "acme", in_spool=False)
    monkeypatch.setattr(bulkhead, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(Path, "exists", hangs_in(mount, Path.exists))
    monkeypatch.setattr(dropclaim, "open_aside", hangs_in(mount, dropclaim.open_aside))
    mount.answers.clear()
    with started(world, mount) as watcher:
        drop_one(world, "school")
        eventually(lambda: [row["state"] for row in world.rows("school")])
        watcher.stop(10)
        assert not watcher._thread.is_alive()
        mount.answers.set()
    world.intake.upkeep.finish_pick_ups(NOW)
    assert world.is_due(half)


def hangs_in(mount: Mount, real: Callable[..., Any]) -> Callable[..., Any]:
    def hanging(path: Path, *arguments: Any) -> Any:
        if path.is_relative_to(mount.folder):
            assert mount.answers.wait(60)
        return real(path, *arguments)

    return hanging


def test_a_slow_neighbour_does_not_keep_a_new_file_from_its_second_look(
    world: World, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount.answers.set()
    drop_one(world, "school")
    look = drop.look
    monkeypatch.setattr(drop, "look", lambda home: sleep(1.2 if home == mount.folder else 0) or look(home))
    watcher = DropWatcher(world.settings, world.registry, world.intake)
    assert watcher.scan(NOW, 100.0), "another look a second later"
    assert not watcher.scan(NOW, 103.0)
    assert [row["customer"] for row in world.rows()] == ["school"]
