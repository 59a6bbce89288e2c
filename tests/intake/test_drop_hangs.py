"""A drop folder that does not answer, as a mount whose server has gone: who waits for it, and for how long."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.channels import watch as watch_module
from alp_daemon.channels.watch import DropWatcher
from tests.eventually import eventually
from tests.intake.world import World

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


@pytest.fixture
def watcher(world: World, mount: Mount) -> Iterator[DropWatcher]:
    watcher = DropWatcher(world.settings, world.registry, world.intake)
    watcher.start()
    assert mount.asked.wait(10)
    yield watcher
    mount.answers.set()
    watcher.stop(10)


def test_the_start_does_not_wait_for_it_and_the_scan_goes_on_when_it_answers(
    world: World, mount: Mount, watcher: DropWatcher
) -> None:
    (world.settings.drop_dir / "acme/members.csv").write_text("Phone\n2125550123\n")
    assert watcher._thread.is_alive(), "it hangs, and the start has returned"
    assert world.rows() == []
    mount.answers.set()
    assert world.due.wait(20)


def test_the_stop_does_not_wait_for_it(mount: Mount, watcher: DropWatcher) -> None:
    watcher.stop(0.01)
    assert watcher._thread.is_alive()
    mount.answers.set()
    eventually(lambda: not watcher._thread.is_alive())


def test_the_standstill_is_told_once_and_its_end(mount: Mount, watcher: DropWatcher) -> None:
    log.tell_everything()
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        watcher.tell_of_standstill(3600)
        assert logs == [], "a look may take some time"
        for _ in range(2):
            eventually(lambda: watcher.tell_of_standstill(STILL) or logs)
        mount.answers.set()
        for _ in range(2):
            eventually(lambda: watcher.tell_of_standstill(3600) or logs[1:])
    still, goes_on = logs
    assert (still["event"], still["log_level"], still["path"]) == ("drop_scan_stands_still", "error", str(mount.folder))
    assert goes_on["event"] == "drop_scan_goes_on"


def test_a_move_that_never_ends_is_a_standstill_too(
    world: World, mount: Mount, watcher: DropWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount.answers.set()
    watcher.stop(10)
    with watcher._moving():
        watcher._last_turn = -1_000.0
        assert watcher.last_turn > 0
    monkeypatch.setattr(watch_module, "_LONGEST_MOVE_SECONDS", -1_000.0)
    with watcher._moving():
        began = watcher.last_turn
        watcher._last_turn = -2_000.0
        assert watcher.last_turn < began
