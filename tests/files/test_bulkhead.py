"""Storage that hangs: who asks it, and who else."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from time import monotonic, sleep

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
        with pytest.raises(Hanging, match="no answer, as from a mount"):
            bulkhead.run("acme", answers.wait)
    assert bulkhead.run("school", lambda: "still there") == "still there"
    assert bulkhead.hangs("acme")
    answers.set()
    eventually(lambda: bulkhead.run("acme", lambda: True) if not bulkhead.hangs("acme") else False)
    eventually(lambda: threading.active_count() <= before + 1, otherwise=lambda: str(threading.enumerate()))


class TestWhoIsOnlySlow:
    def test_has_a_turn_with_the_answer_that_came_late(self) -> None:
        answered = threading.Event()
        bulkhead = Bulkhead(on_answer=answered.set)
        with pytest.raises(Hanging):
            bulkhead.run("acme", lambda: sleep(0.6) or "late", late_will_do=True)
        assert answered.wait(30), "and whoever asks is told"
        assert bulkhead.run("acme", lambda: "new", late_will_do=True) == "late"
        assert bulkhead.run("acme", lambda: "new", late_will_do=True) == "new"

    @pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (False, False)])
    def test_nobody_gets_the_answer_to_another_question(self, first: bool, second: bool) -> None:
        bulkhead = Bulkhead()
        with pytest.raises(Hanging):
            bulkhead.run("acme", lambda: sleep(0.6) or "late", late_will_do=first)
        eventually(lambda: not bulkhead.hangs("acme"))
        assert bulkhead.run("acme", lambda: "new", late_will_do=second) == "new"


def test_the_more_hang_the_less_each_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead_module, "PATIENCE_SECONDS", 2.0)
    bulkhead, answers, began = Bulkhead(), threading.Event(), monotonic()
    for number in range(40):
        with pytest.raises(Hanging):
            bulkhead.run(f"school-{number}", answers.wait)
    assert monotonic() - began < 40 * 2.0 / 2
    answers.set()


def test_where_no_thread_can_be_had_the_next_one_does_not_hang_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    bulkhead = Bulkhead()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            bulkhead.run("acme", lambda: "unheard")
    assert bulkhead.run("school", lambda: "heard") == "heard"


def test_who_is_interrupted_leaves_its_thread_to_nobody() -> None:
    bulkhead, answers = Bulkhead(), threading.Event()
    interrupt = threading.Timer(0.05, lambda: signal.raise_signal(signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        bulkhead.run("acme", answers.wait)
    assert bulkhead.hangs("acme")
    assert bulkhead.run("school", lambda: "heard") == "heard"
    answers.set()
