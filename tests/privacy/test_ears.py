"""The whole suite is listened to. Here it is shown that the ears hear, and that they know what may not be said."""

from __future__ import annotations

import io
import re
import shutil
import smtplib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
import structlog

from alp_daemon.masking import masked, without_secrets
from alp_daemon.services.logins import credentials
from tests.privacy import leaks
from tests.privacy.ears import EARS, Ears, pytest_runtest_logreport

PASSWORD, TOKEN = "63d5-ajjk-88jv-92bn-eh74-hg8r-9gt5", "alp_tnnas0j817mg667v2vd4ceha5a"
LINK = "https://lists.provider.example/approval/hT3qkV0cZ9mB7xW2nL5pR8sY1uA4eD6gF0jK3oQ-_Xs"
GIVES_AWAY = [
    "name=+12125550123.csv",
    "called 12125550123",
    "reason: 2125550123 is invalid",
    "reason: (212) 555-0123 is invalid",
    "212-555-0123",
    "212.555.0123",
    "1 212 555 0123",
    '"value": "2125550199x"',
    "+447911123456",
    "447911123456",
    "for ann.bee@example.com",
    f"USER {PASSWORD}",
    f'"token": "{TOKEN}"',
    LINK,
    "user=hunter2",
    "postgresql://alp:geheim@127.0.0.1/alp",
]
SAYS_NOTHING = [
    '"ip": "203.0.113.109", "timestamp": "2026-11-22T03:40:15.652777Z"',
    "blocked until 2026-11-22 03:17:00 UTC",
    '"name": "members_20261122031500.csv", "size": 1234567, "seconds": 0.012',
    "+1212•••0123",
    '"session": "7836160717d2567c"',
    '"ops@provider.example is told"',
    "This is not one phone number: give exactly one, such as (212) 555-0123.",
]


@pytest.mark.parametrize("line", GIVES_AWAY)
def test_what_gives_somebody_away_is_known(line: str) -> None:
    assert list(leaks.in_line(line))


@pytest.mark.parametrize("line", SAYS_NOTHING)
def test_what_does_not_is_let_pass(line: str) -> None:
    assert not list(leaks.in_line(line))


@pytest.mark.parametrize("line", GIVES_AWAY[:-2])
def test_the_products_masks_hide_all_of_it(line: str) -> None:
    assert not list(leaks.in_line(without_secrets(masked(line))))


@pytest.mark.parametrize("line", SAYS_NOTHING[:-2])
def test_and_leave_the_rest_as_it_is(line: str) -> None:
    assert without_secrets(masked(line)) == line


@pytest.mark.parametrize("sign", ["a", "1 ", "a-", "A1a", "@", "a@", "1.1.1."])
def test_a_long_text_is_masked_in_no_time(sign: str) -> None:
    """Of a megabyte; what takes the square of its length would take hours, and the suite's time-out ends it."""
    long = sign * (2**20 // len(sign))
    assert without_secrets(masked(f"{long} 212-555-0123")).endswith("•••0123")


def test_log_ins_look_like_these() -> None:
    """Else nobody would notice one in a log line."""
    for secret in (credentials._password(), credentials._token()):
        assert list(leaks.in_line(secret)) == [secret]
        assert without_secrets(secret) == "•••"


def test_a_mail_may_hold_the_link_that_it_is_sent_for() -> None:
    assert list(leaks.in_mail(f"Decide here: {LINK}")) == []
    assert list(leaks.in_mail(f"Decide here: {LINK}, your password is {PASSWORD}")) == [PASSWORD]


# Each way to say something, with a number that must be heard.
def _log(folder: Path) -> None:
    structlog.PrintLoggerFactory(io.StringIO())().warning("212-555-0123")


def _spawned(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", "import sys; print('212-555-0123', file=sys.stderr)"], stderr=subprocess.PIPE)


def _crashed(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", "int('212-555-0123')"], stderr=subprocess.DEVNULL)


def _to_a_file(folder: Path) -> None:
    (folder / "stderr-3").write_text("212-555-0123\n")


def _mailed(folder: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["To"], mail["From"] = "212-555-0123", "ops@provider.example", "alp@provider.example"
    mail.set_content("nothing")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtplib.SMTP().send_message(mail)


def _outbox(folder: Path) -> None:
    with sqlite3.connect(folder / "alp.db") as database:
        database.execute("CREATE TABLE outbox (subject, body)")
        database.execute("INSERT INTO outbox VALUES ('held', 'of 212-555-0123')")


@pytest.mark.parametrize("say", [_log, _spawned, _crashed, _to_a_file, _mailed, _outbox], ids=lambda say: say.__name__)
def test_what_is_said_is_heard(say: Callable[[Path], None], tmp_path: Path, ears: Ears) -> None:
    folder = tmp_path / "a test"
    folder.mkdir()
    say(folder)
    ears.look_into(tmp_path)
    assert ears.given_away()
    # Nothing is left to be heard, so this test does not fail.
    shutil.rmtree(folder)


def test_what_a_test_reads_from_stderr_is_heard(capsys: pytest.CaptureFixture[str], ears: Ears) -> None:
    print("212-555-0123", file=sys.stderr)
    capsys.readouterr()
    assert ears.given_away()


def test_what_nobody_read_of_stderr_is_heard(ears: Ears) -> None:
    said = [("Captured stderr call", "212-555-0123")]
    pytest_runtest_logreport(
        pytest.TestReport("a test", ("a.py", 1, "a test"), {}, "passed", None, "call", sections=said)
    )
    assert ears.given_away()


def test_a_test_in_which_something_is_given_away_fails(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import structlog, sys\n"
        "def test_discreet(): structlog.PrintLoggerFactory(sys.stderr)().msg('+1212•••0123')\n"
        "def test_leaky(): structlog.PrintLoggerFactory(sys.stderr)().msg('+12125550123')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p tests.privacy.ears -p no:cacheprovider\n")
    command = [sys.executable, "-m", "pytest", "--basetemp", tmp_path / "base", tmp_path / "test_it.py"]
    root = Path(__file__).parents[2]
    said = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    assert "2 passed, 1 error" in said
    assert re.search(r"^ERROR .*test_it\.py::test_leaky", said, re.MULTILINE)
    assert "'+12125550123' in: +12125550123" in said


@pytest.fixture
def ears() -> Ears:
    return EARS
