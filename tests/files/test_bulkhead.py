"""Storage that hangs: who asks it, and who else."""

from __future__ import annotations

import threading
from pathlib import Path
from time import sleep

import pytest

from alp_daemon.files import bulkhead as bulkhead_module
from alp_daemon.files.bulkhead import Bulkhead, Hanging
from tests.eventually import eventually


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead_module, "PATIENCE_SECONDS", 0.3)


def test_what_answers_is_as_if_it_were_asked_here() -> None:
    bulkhead = Bulkhead()
    assert [bulkhead.run("acme", lambda n=n: n + 1) for n in range(3)] == [1, 2, 3]
    with pytest.raises(FileNotFoundError):
        bulkhead.run("acme", lambda: Path("/nowhere").stat())
    assert not bulkhead.hangs("acme")


def test_who_hangs_keeps_no_other_waiting_and_leaves_no_thread_behind() -> None:
    answers, bulkhead, before = threading.Event(), Bulkhead(), threading.active_count()
    for _ in range(3):
        with pytest.raises(Hanging, match="no answer for 0 seconds, as from a mount"):
            bulkhead.run("acme", answers.wait)
    assert bulkhead.run("school", lambda: "still there") == "still there"
    assert bulkhead.hangs("acme")
    answers.set()
    eventually(lambda: bulkhead.run("acme", lambda: True) if not bulkhead.hangs("acme") else False)
    eventually(lambda: threading.active_count() <= before + 1, otherwise=lambda: str(threading.enumerate()))


def test_who_was_slow_is_given_more_time_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead_module, "PATIENCE_SECONDS", 0.05)
    bulkhead = Bulkhead()
    with pytest.raises(Hanging):
        bulkhead.run("acme", lambda: sleep(2))
    eventually(lambda: not bulkhead.hangs("acme"))
    assert bulkhead.run("acme", lambda: sleep(0.2) or "at last") == "at last"
    with pytest.raises(Hanging):
        bulkhead.run("school", lambda: sleep(0.2))


def test_no_patience_is_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount that was away for hours may go away again."""
    monkeypatch.setattr(bulkhead_module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(bulkhead_module, "MOST_PATIENCE_SECONDS", 0.1)
    bulkhead, answers = Bulkhead(), threading.Event()
    for _ in range(2):
        with pytest.raises(Hanging):
            bulkhead.run("acme", lambda: sleep(1))
        eventually(lambda: not bulkhead.hangs("acme"))
    with pytest.raises(Hanging):
        bulkhead.run("acme", answers.wait)
    answers.set()
