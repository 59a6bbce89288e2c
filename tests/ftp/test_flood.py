"""Clients that ask without end, or never read an answer: the I/O loop serves the others, and the daemon stays small."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from alp_daemon.channels.ftp import control
from alp_daemon.channels.ftp.hardened import HardenedHandler
from alp_daemon.channels.ftp.session import Session
from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire

_SMALL = 4096


class DeafWire(Wire):
    """A client whose buffers, as the server's for it, hold little: what it does not read waits in the server."""

    def __init__(self, site: Site) -> None:
        site.server._listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", site.server.port))
        self._file = self.socket.makefile("rb")
        assert self.reply().startswith("220 ")

    def fill(self, replies: int) -> None:
        """Asks for so many replies of 2 kB, and reads none."""
        self.send(*["x" * 2000] * replies)


def all_left(site: Site) -> None:
    eventually(lambda: len(site.server._listener.sessions), lambda number: number == 0)


def test_fifty_commands_without_a_log_in_are_answered(site: Site) -> None:
    wire = Wire(site)
    wire.send(*["HELP"] * 25, *["FEAT"] * 25)
    assert Counter(wire.reply()[:3] for _ in range(50)) == {"214": 25, "211": 25}


def test_more_commands_without_a_log_in_end_the_connection(site: Site) -> None:
    wire = Wire(site)
    wire.send(*["HELP"] * 60)
    replies = [wire.reply() for _ in range(51)]
    assert replies[-1] == "421 Too many commands without a log-in."
    assert {reply[:3] for reply in replies[:-1]} == {"214"}
    assert wire.reply() == ""


def test_help_is_one_line(site: Site) -> None:
    assert Wire(site).ask("HELP") == "214 RFC 959 has the commands, and FEAT what is known beyond them."
    assert "STOR" in Wire(site).ask("HELP STOR")


def test_a_turn_of_the_loop_is_not_one_client_s(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: Counter[int] = Counter()
    turn = 0
    poll: Callable[[Any], None] = site.server._ioloop.poll
    heard = Session.on_command

    def counted(timeout: Any) -> None:
        nonlocal turn
        turn += 1
        poll(timeout)

    def seen(session: Session, command: str, *, early: bool) -> None:
        turns[turn] += 1
        heard(session, command, early=early)

    wire = Wire(site)
    wire.log_in(site)
    monkeypatch.setattr(site.server._ioloop, "poll", counted)
    monkeypatch.setattr(Session, "on_command", seen)
    wire.send(*["NOOP"] * 250)
    assert {wire.reply()[:3] for _ in range(250)} == {"200"}, "none is lost"
    assert turns.total() == 250
    assert max(turns.values()) <= 2 * control._LINES_A_TURN, (
        "a turn begins with what is due and goes on with what comes"
    )


def test_too_many_commands_at_once_end_the_session(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.send(*["NOOP"] * 1000)
    replies = []
    while reply := wire.reply():
        replies.append(reply)
    assert replies[-1] == "421 Too many commands at once."
    assert Wire(site).ask("NOOP")


@pytest.mark.parametrize("logged_in", [True, False])
def test_who_never_reads_is_ended_by_every_deadline(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch, logged_in: bool
) -> None:
    monkeypatch.setattr(HardenedHandler, "timeout", 1.0)
    monkeypatch.setattr(control, "_LAST_WORD_SECONDS", 0.2)
    site = make_site(login_seconds=1 if not logged_in else 30)
    wire = DeafWire(site)
    if logged_in:
        wire.log_in(site)
    wire.fill(40)
    all_left(site)
    wire.close()


def test_who_reads_late_gets_every_reply_and_the_last_word(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_LAST_WORD_SECONDS", 30)
    site = make_site(login_seconds=1)
    wire = DeafWire(site)
    wire.fill(40)
    eventually(lambda: [session._closing for session in site.server._listener.sessions], lambda found: found == [True])
    assert [wire.reply()[:3] for _ in range(41)] == ["500"] * 40 + ["421"]
    assert wire.reply() == ""
    all_left(site)


def test_replies_that_nobody_reads_do_not_pile_up(site: Site) -> None:
    wire = DeafWire(site)
    wire.log_in(site)
    (session,) = site.server._listener.sessions
    waiting = [0]
    while not session._closed:
        with suppress(ConnectionError):  # closed a moment ago
            wire.send(*["NOOP"] * 100)
        eventually(lambda: session._closed or not session._lines, bool)
        waiting.append(len(session.producer_fifo))
    assert max(waiting) <= control._MAX_UNREAD_REPLIES + 1
    all_left(site)
    assert Wire(site).ask("NOOP")


def test_commands_that_come_all_the_while_do_not_put_the_end_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_LAST_WORD_SECONDS", 0.2)
    wire = DeafWire(site)
    wire.log_in(site)
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        for _ in range(10**6):
            wire.send(*["NOOP"] * 300)
    all_left(site)
