"""From the 226 to the verdict on whether the file is whole: does the client live to see it, and how does it leave?"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp import evidence as ev
from alp_daemon.channels.ftp.login import LoginSession
from alp_daemon.domain.model import Evidence
from alp_daemon.services.receiving.intake import Verdict

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener

# They take an upload back. It must not become due, and so be picked up, an instant before.
_WITHDRAWING = ("RNFR", "DELE")


class SettlingSession(LoginSession):
    """Watches the client after each 226, and ends no sooner than all that hangs on how it leaves is settled."""

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._unsettled: dict[int, ev.Ending] = {}
        """Uploads confirmed with 226, and how their data ended; the client may turn out to be dead yet."""
        self.is_keeping = False
        """The file that ended last is on its way into the database."""
        self.has_uploaded = False
        super().__init__(connection, server, ioloop)

    @property
    def is_uploading(self) -> bool:
        """Between STOR and the end of its data. Who only settles has no uploads under way."""
        return False

    @property
    def is_there(self) -> bool:
        """The client has not closed the control connection."""
        return not (self.left or self._closed) and ev.is_open(self.socket)

    def confirm(self, number: int, ending: ev.Ending) -> None:
        """Answers 226 to an upload whose data ended so, and watches the client from then on."""
        # Before the answer: sending it may be what finds the client gone, and then this upload is settled so.
        self._unsettled[number] = ending
        self.respond(f"226 Received as upload {number}.")
        self.ioloop.call_later(ev.SETTLE_SECONDS, self._settle_alive, number)

    def on_command(self, command: str, *, early: bool) -> None:
        # A command sent ahead, before the 226, does not show that its client has lived to see it.
        if command not in _WITHDRAWING and (command == "QUIT" or not early):
            self.settle_all()
        super().on_command(command, early=early)

    def settle_all(self, verdict: tuple[Evidence, str] | None = None) -> None:
        """Settles what is open: the client lives, unless ``verdict`` says otherwise."""
        for number, ending in self._unsettled.items():
            self.settle(number, *(verdict or ev.expected(ending)))
        self._unsettled.clear()

    def settle(self, number: int, evidence: Evidence, note: str) -> None:
        self.server.keeper.settle(number, Verdict(evidence, note))

    def on_hang_up(self) -> None:
        """The control connection ended. It is kept for a moment if that can tell how the client left."""
        if self.left or self._closed:
            return
        if self._closing or not (self._unsettled or self.is_uploading):
            self.close()
            return
        self.left = True
        # It is readable for ever now.
        self.del_channel()
        if not self.server.trust_hang_up:
            self.settle_all((Evidence.cut, "the client hung up without QUIT"))
        if self._unsettled:
            self.call_later(ev.SETTLE_SECONDS, self._settle_left)
        self.close_if_left()

    def close_if_left(self) -> None:
        if self.left and not (self._unsettled or self.is_uploading or self.is_waiting):
            self.close()

    def on_disconnect(self) -> None:
        self.server.sessions.discard(self)
        self.settle_all((Evidence.cut, "the session broke off"))
        self.server.keeper.hurry()
        if not self.is_keeping:
            self.end_session()
        super().on_disconnect()

    def end_session(self) -> None:
        if self.has_uploaded:
            self.has_uploaded = False
            self.later(lambda: self.server.intake.own.end_session(self.id, self.now()))

    def say_goodbye(self) -> None:
        """The server stops: the session ends as soon as nothing hangs on it."""
        if not (self.is_busy or self._unsettled or self._closing or self._closed):
            self.leave("421 The server is stopping; try again later.")

    def later(self, work: Any) -> None:
        """Runs ``work`` behind what this session has running; nobody waits for it."""
        self.server.crew.serving.run(self.lane, work, _report)

    def _settle_alive(self, number: int) -> None:
        if number in self._unsettled and not self.left:
            self.settle(number, *ev.expected(self._unsettled.pop(number)))

    def _settle_left(self) -> None:
        in_order = ev.has_left_in_order(self.socket)
        self.settle_all(None if in_order else (Evidence.cut, "the client was gone before it could read our answer"))
        self.close_if_left()


def _report(future: Future[Any]) -> None:
    error = future.exception()
    if error is not None:
        log.error("ftp_internal_error", exc_info=error)
