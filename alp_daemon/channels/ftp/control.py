"""The control connection: commands in their order, one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.folder import is_printable
from alp_daemon.channels.ftp.hardened import HardenedHandler

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener
    from alp_daemon.channels.ftp.offload import Offload, Work

# RFC 959 sets no limit; the longest path in UTF-8 fits.
_MAX_LINE_BYTES = 2048
_MAX_WAITING_LINES = 1024
# Obeyed at once, also while a file is on its way (RFC 959, 4.1.3).
_URGENT = (b"ABOR", b"STAT", b"NOOP")
# A client that could not connect tries another port instead of waiting for our time-out.
_OTHER_PORT = (b"PASV", b"EPSV", b"PORT", b"EPRT")
# Telnet's "interrupt process" and "synch" before ABOR; nobody sends them out of band as RFC 959 says.
_TELNET = b"\xff\xf4\xf2"


class ControlChannel(HardenedHandler):
    """One client's connection. Commands that come while another one is being worked wait for it."""

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._lines: deque[tuple[bytes, bool]] = deque()
        self._waiting = False
        self._obeying = False
        super().__init__(connection, server, ioloop)

    def wait_for(
        self,
        work: Work,
        then: Callable[[Future[Any]], None],
        *,
        threads: Offload | None = None,
        lane: Hashable = None,
    ) -> None:
        """Runs ``work`` beside the loop, then ``then`` on it; until then no further command is obeyed."""
        (threads or self.server.keeping).run(lane or self, work, self.waiting_for(then))

    def waiting_for(self, then: Callable[[Future[Any]], None]) -> Callable[[Future[Any]], None]:
        """No further command is obeyed until what this returns is called, on the loop; it calls ``then``."""
        self._waiting = True

        def resume(future: Future[Any]) -> None:
            self._waiting = False
            try:
                then(future)
            except Exception as error:  # noqa: BLE001  a client must not wait for ever for an answer
                log.error("ftp_internal_error", exc_info=error)
                self.leave("421 Internal error.")
            self.obey_waiting()

        return resume

    @property
    def is_waiting(self) -> bool:
        """Something is being done beside the loop for the command before."""
        return self._waiting

    @property
    def is_busy(self) -> bool:
        """A command is not finished yet: it waits, or its transfer is under way."""
        transferring = self.data_channel is not None and self.data_channel.transferring()
        return self._waiting or transferring or self.awaits_data_connection

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def on_command(self, command: str, *, early: bool) -> None:
        """Hears of every command before it is obeyed. ``early``: it was sent while another was being worked."""

    def obey_waiting(self) -> None:
        """Obeys what has come meanwhile; called whenever a command is finished."""
        while self._lines and not (self.is_busy or self._obeying or self._closed or self._closing):
            self._obey(*self._lines.popleft())

    def leave(self, reply: str) -> None:
        """The last word to this client."""
        self._lines.clear()
        self.respond(reply)
        self.close_when_done()

    # What the library calls

    def collect_incoming_data(self, data: bytes) -> None:
        self._in_buffer_len += len(data)
        if self._in_buffer_len <= _MAX_LINE_BYTES:
            self._in_buffer.append(data)

    def found_terminator(self) -> None:
        if self._idler is not None and not self._idler.cancelled:
            self._idler.reset()
        # An empty line stands for one that was too long: both are answered with 500.
        too_long = self._in_buffer_len > _MAX_LINE_BYTES
        line = b"" if too_long else b"".join(self._in_buffer).lstrip(_TELNET)
        self.forget_line()
        if self._closed or self._closing:
            return
        if self._is_urgent(line):
            self._obey(line, early=False)
        elif len(self._lines) < _MAX_WAITING_LINES:
            self._lines.append((line, self.is_busy))
        else:
            self.leave("421 Too many commands at once.")
        self.obey_waiting()

    def forget_input(self) -> None:
        super().forget_input()
        self._lines.clear()

    def no_data_connection(self) -> None:
        super().no_data_connection()
        self.obey_waiting()

    def _is_urgent(self, line: bytes) -> bool:
        if self._waiting or not self.is_busy:
            return False
        command = line.upper().partition(b" ")[0]
        return line.upper() in _URGENT or (self.awaits_data_connection and command in _OTHER_PORT)

    def _obey(self, line: bytes, early: bool) -> None:
        # ABOR ends a transfer, and that end lets the commands behind it go on: not before ABOR has its answer.
        self._obeying = True
        try:
            self._obey_text(line.decode(), early)
        except UnicodeDecodeError:
            self.respond("501 This is not UTF-8.")
        finally:
            self._obeying = False

    def _obey_text(self, text: str, early: bool) -> None:
        command, _, argument = text.partition(" ")
        command = command.upper()
        if not is_printable(command):
            self.respond("500 Commands are made of letters.")
        elif not is_printable(argument):
            self.respond("553 No control characters, please: they cannot be part of a name.")
        else:
            self.on_command(command, early=early)
            self.pre_process_command(text, command, argument)
