"""Hears all that is said while the tests run, and fails the test in which something was given away.

Heard are log lines and stderr of this process, stderr of every process that a test starts (``inside/``, and what a
test sent to a file), mails as they are handed to a server, and the outboxes of all databases that a test has made.
What goes to stdout was asked for; reports and exports are for those whose numbers they hold.
"""

from __future__ import annotations

import atexit
import os
import shutil
import smtplib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests import databases
from tests.privacy import leaks

_INSIDE = Path(__file__).parent / "inside"
# What tests call the files that stderr of a process goes to.
_STDERR = ("stderr*", "*.log")


class Ears:
    """Collects what was said; ``given_away`` tells and forgets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines: list[str] = []
        self._mails: list[str] = []
        self._read: dict[Path, int] = {}
        self._known: set[Path] = set()

    def hear(self, text: str) -> None:
        self._lines += text.splitlines()

    def hear_mail(self, text: str) -> None:
        self._mails.append(text)

    def look_into(self, place: Path, *, again: bool = False) -> None:
        """Reads what is new below a folder of the tests: files of stderr, and outboxes."""
        for folder in place.iterdir():
            if again or folder not in self._known:
                self._known.add(folder)
                self._look_at(folder)

    def given_away(self) -> list[str]:
        """What no line and no mail may hold, each with where it stood."""
        for path in self.folder.iterdir():
            self._read_on(path)
        found = [f"{leak!r} in: {line}" for line in self._lines for leak in leaks.in_line(line)]
        found += [f"{leak!r} in the mail: {mail}" for mail in self._mails for leak in leaks.in_mail(mail)]
        self._lines.clear()
        self._mails.clear()
        return found

    def _look_at(self, folder: Path) -> None:
        if not folder.is_dir() or folder.is_symlink():
            return
        for pattern in _STDERR:
            for path in folder.rglob(pattern):
                self._read_on(path)
        for path in folder.rglob("*.db"):
            self._mails += _outbox(path)
        for note in folder.rglob("database.txt"):
            self._mails += _postgres_outbox(note.read_text())

    def _read_on(self, path: Path) -> None:
        with suppress(OSError):
            data = path.read_bytes()
            start = self._read.get(path, 0)
            self._read[path] = len(data)
            self.hear(data[start:].decode("utf-8", "replace"))


def _outbox(path: Path) -> list[str]:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return [f"{subject}\n{body}" for subject, body in database.execute("SELECT subject, body FROM outbox")]
    return []


def _postgres_outbox(address: str) -> list[str]:
    import psycopg

    with suppress(psycopg.Error):  # it is gone already, or never had its tables
        rows = databases.server().run("SELECT subject, body FROM outbox", address.rpartition("/")[2])
        return [f"{subject}\n{body}" for subject, body in rows]
    return []


def open_ears() -> Ears:
    """From now on all is heard."""
    ears = Ears(Path(tempfile.mkdtemp(prefix="alp-ears-")))
    ears.folder.chmod(0o777)  # processes of other users write here too
    atexit.register(shutil.rmtree, ears.folder, ignore_errors=True)
    os.environ["ALP_TESTS_HEAR"] = str(ears.folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_INSIDE), os.environ.get("PYTHONPATH")]))
    _hear_the_log(ears)
    _hear_the_mail(ears)
    _hear_stderr_that_a_test_reads(ears)
    return ears


def _hear_the_log(ears: Ears) -> None:
    class Logger(structlog.PrintLogger):
        def msg(self, message: str) -> None:
            ears.hear(message)
            super().msg(message)

        log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg

    structlog.PrintLoggerFactory = lambda file=None: lambda *_: Logger(file)  # type: ignore[assignment,misc]


def _hear_the_mail(ears: Ears) -> None:
    send = smtplib.SMTP.send_message

    def heard(self: smtplib.SMTP, message: Message, *arguments: Any, **named: Any) -> Any:
        ears.hear_mail(f"{message['Subject']}\n{message.get_content()}")  # type: ignore[attr-defined]
        return send(self, message, *arguments, **named)

    smtplib.SMTP.send_message = heard  # type: ignore[method-assign]


def _hear_stderr_that_a_test_reads(ears: Ears) -> None:
    read = pytest.CaptureFixture.readouterr

    def heard(self: pytest.CaptureFixture[Any]) -> Any:
        said = read(self)
        ears.hear(said.err if isinstance(said.err, str) else said.err.decode("utf-8", "replace"))
        return said

    pytest.CaptureFixture.readouterr = heard  # type: ignore[method-assign]


EARS = open_ears()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_given_away_in_what_outlives_a_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield
    EARS.look_into(tmp_path_factory.getbasetemp(), again=True)
    given_away = EARS.given_away()
    assert not given_away, "\n".join(given_away)


@pytest.fixture(autouse=True)
def nothing_is_given_away(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ends last of all that a test uses, so that it hears what is said on the way out too."""
    if databases.IS_POSTGRES:
        request.getfixturevalue("no_database_outlives_its_test")  # it must not be gone before we have looked
    yield
    EARS.look_into(tmp_path_factory.getbasetemp())
    given_away = EARS.given_away()
    assert not given_away, "this must never be said:\n" + "\n".join(given_away)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What was captured of stderr and no test has read. It is judged with the next test's, or at the end."""
    EARS.hear(report.capstderr)
