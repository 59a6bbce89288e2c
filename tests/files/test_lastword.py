"""A storage that never answers keeps one thread waiting, and nobody else."""

from __future__ import annotations

import threading

from alp_daemon.files.lastword import SILENT, LastWord


def test_the_word_is_as_fresh_as_the_question() -> None:
    words = iter(["is full", None])
    trouble = LastWord(lambda: next(words), seconds=30)
    assert [trouble(), trouble()] == ["is full", None]


def test_a_failed_look_is_a_trouble() -> None:
    def look() -> None:
        raise PermissionError(13, "Permission denied")

    assert LastWord(look, seconds=30)() == "permission denied"


def test_one_thread_waits_for_a_storage_that_is_silent_and_all_is_well_after() -> None:
    back, asked = threading.Event(), []

    def look() -> None:
        asked.append(threading.current_thread())
        back.wait()

    trouble = LastWord(look, seconds=0.05)
    assert [trouble() for _ in range(20)] == [SILENT] * 20
    assert len(asked) == 1
    back.set()
    asked[0].join()
    assert trouble() is None
    assert len(asked) == 2
