"""One customer's folder hangs, as a mount does whose server has gone: others have their reports, and it later."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.customers import load_file
from alp_daemon.domain.model import Evidence
from alp_daemon.files import bulkhead as bulkhead_module
from alp_daemon.registry import Registry
from alp_daemon.services.processing.process import work_next
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.reports import publish
from alp_daemon.services.reports.publish import Reports
from tests.eventually import eventually
from tests.services.provider import SENDER, Provider, numbers


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead_module, "PATIENCE_SECONDS", 0.3)


@dataclass
class Mount:
    """Once it hangs, nothing in ``folder`` is looked at or written until it answers."""

    folder: Path
    answers: threading.Event = field(default_factory=threading.Event)

    def asked(self, path: Any) -> None:
        if isinstance(path, (str, os.PathLike)) and Path(path).is_relative_to(self.folder):
            assert self.answers.wait(60)


@pytest.fixture(params=["stat", "open"])
def mount(request: pytest.FixtureRequest, acme: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    """Hangs from the first look on, or when something is to be written."""
    mount = Mount(acme.settings.drop_dir / "acme")
    mount.answers.set()
    real: Callable[..., Any] = getattr(os, request.param)

    def hanging(path: Any, *arguments: Any, **options: Any) -> Any:
        mount.asked(path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, request.param, hanging)
    yield mount
    mount.answers.set()


@pytest.fixture
def of_school(acme: Provider) -> Callable[[str], int]:
    """Takes a file of another customer, who comes after acme, and works it; returns its upload."""
    path = acme.folder / "customers/school.yaml"
    path.write_text("name: School\nkeyword: SCHOOL\nfeeds: {}\n")
    school = load_file(path)
    intake = Intake(acme.store, acme.settings, Registry.of(school))
    intake.prepare("school")

    def process(name: str) -> int:
        source = acme.folder / "outgoing"
        source.write_text("2125550123,bus\n")
        intake.take(source, "school", name, "preformatted", SENDER, acme.tick(), evidence=Evidence.assumed)
        report = work_next(acme.store, acme.settings, school, "worker", acme.tick())
        assert report is not None and report["state"] == "applied"
        return int(report["upload"])

    return process


def texts(acme: Provider, customer: str) -> list[str]:
    return sorted(path.name for path in (acme.settings.drop_dir / customer / "reports").glob("*.txt"))


def test_a_round_writes_the_others_and_the_missed_ones_later(
    acme: Provider, mount: Mount, of_school: Callable[[str], int]
) -> None:
    acme.intake.prepare("acme")
    acme.process("append.csv", numbers(1))
    of_school("list.csv")
    here = Reports(acme.store, acme.settings.drop_dir)
    mount.answers.clear()
    log.warning("test")  # the first line sets the log up, which would end the capture
    with capture_logs() as logs:
        assert here.publish_recent(acme.tick()) == 1
        assert texts(acme, "school") == ["000002-list.csv.report.txt"]
        of_school("list-2.csv")
        assert here.publish_recent(acme.tick(hours=1)) == 1, "nor do further rounds wait"
    (told,) = [line for line in logs if line["event"] == "reports_not_written"]
    assert (told["customer"], "a mount whose server has gone" in told["error"]) == ("acme", True)
    mount.answers.set()
    eventually(lambda: not here._bulkhead.hangs("acme"))
    here.publish_recent(acme.tick(hours=1))
    assert texts(acme, "acme") == ["000001-append.csv.report.txt"]
    assert here.publish_recent(acme.tick(hours=1)) == 0


def test_a_worker_goes_on(acme: Provider, mount: Mount, of_school: Callable[[str], int]) -> None:
    acme.intake.prepare("acme")
    first, second = acme.process("append.csv", numbers(1)), acme.process("append.csv", numbers(2))
    here = Reports(acme.store, acme.settings.drop_dir)
    mount.answers.clear()
    here.publish("acme", first["upload"])
    here.publish("acme", second["upload"])
    here.publish("school", of_school("list.csv"))
    assert texts(acme, "school") == ["000003-list.csv.report.txt"]
    mount.answers.set()
    eventually(lambda: not here._bulkhead.hangs("acme"))
    here.publish("acme", second["upload"])
    assert "000002-append.csv.report.txt" in texts(acme, "acme")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES])
def test_a_folder_that_answers_with_an_error_is_left_out_too(
    acme: Provider, of_school: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """So do mounts, once their server's time is over."""
    acme.intake.prepare("acme")
    acme.process("append.csv", numbers(1))
    of_school("list.csv")
    here, home, stat = Reports(acme.store, acme.settings.drop_dir), acme.settings.drop_dir / "acme", os.stat

    def failing(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if isinstance(path, (str, os.PathLike)) and Path(path).is_relative_to(home):
            raise OSError(number, os.strerror(number))
        return stat(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", failing)
        here.publish("acme", 1)
        assert [here.publish_recent(acme.tick(hours=1)) for _ in range(2)] == [1, 0]
    assert here.publish_recent(acme.tick(hours=1)) == 1
    assert texts(acme, "acme") == ["000001-append.csv.report.txt"]


def test_a_folder_that_answers_in_the_middle_of_a_round_is_not_done_with(
    acme: Provider, mount: Mount, of_school: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had missed before is not among what ended of late."""
    acme.intake.prepare("acme")
    acme.process("append.csv", numbers(1))
    here = Reports(acme.store, acme.settings.drop_dir)
    mount.answers.clear()
    here.publish_recent(acme.tick())
    acme.tick(hours=1)
    of_school("list.csv")
    acme.process("append.csv", numbers(2))
    known_to = publish._known_to

    def answers_meanwhile(*arguments: Any) -> Any:
        mount.answers.set()
        eventually(lambda: not here._bulkhead.hangs("acme"))
        return known_to(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(publish, "_known_to", answers_meanwhile)
        here.publish_recent(acme.tick())
    here.publish_recent(acme.tick())
    assert len(texts(acme, "acme")) == 2
