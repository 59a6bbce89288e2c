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
_MAX_WAITING_LINES = 256
# A log-in takes ten, with TLS and what clients ask beforehand; guesses are stopped earlier by the lockout.
_MAX_BEFORE_LOGIN = 50
# So many in a turn of the I/O loop, which has all other clients to serve.
_LINES_A_TURN = 32
# Replies that not even the kernel's buffers took: this client does not read.
_MAX_UNREAD_REPLIES = 256
# For the last reply to be taken.
_LAST_WORD_SECONDS = 5.0
# Obeyed at once, also while a file is on its way (RFC 959, 4.1.3).
_URGENT = (b"ABOR", b"STAT", b"NOOP")
# A client that could not connect tries another port instead of waiting for our time-out.
_OTHER_PORT = (b"PASV", b"EPSV", b"PORT", b"EPRT")
# Telnet's "interrupt process" and "synch" before ABOR; nobody sends them out of band as RFC 959 says.
_TELNET = b"\xff\xf4\xf2"


class ControlChannel(HardenedHandler):
    """One client's connection. Commands that come while another one is being worked wait for it."""

    # The largest record of TLS (RFC 8446, 5.1): what is left of one in its buffer would not wake the loop.
    ac_in_buffer_size = 2**14

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._lines: deque[tuple[bytes, bool]] = deque()
        self._lines_left = _LINES_A_TURN
        self._before_login = 0
        """Commands obeyed without a log-in."""
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
        (threads or self.server.crew.serving).run(lane or self.lane, work, self.waiting_for(then))

    @property
    def lane(self) -> Hashable:
        """Where what this session has to do waits its turn."""
        return self

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
        """Obeys what has come meanwhile, some of it in later turns; called whenever a command is finished."""
        while self._lines and self._lines_left and not (self.is_busy or self._obeying or self._closed or self._closing):
            self._obey(*self._lines.popleft())

    def leave(self, reply: str) -> None:
        """The last word to this client."""
        self.forget_input()
        self.respond(reply)
        self.close_when_done()

    # What the library calls

    def push(self, data: str) -> None:
        super().push(data)
        if len(self.producer_fifo) > _MAX_UNREAD_REPLIES:
            log.warning("ftp_client_does_not_read", ip=self.ip)
            self.close()

    def close_when_done(self) -> None:
        super().close_when_done()
        if self._closing:
            # Some of it is not sent yet, and a client that never reads would keep the connection for ever.
            self.call_later(_LAST_WORD_SECONDS, self.close)

    def collect_incoming_data(self, data: bytes) -> None:
        self._in_buffer_len += len(data)
        if self._in_buffer_len <= _MAX_LINE_BYTES:
            self._in_buffer.append(data)

    def found_terminator(self) -> None:
        if self._closed or self._closing:
            self.forget_input()
            return
        if self._idler is not None and not self._idler.cancelled:
            self._idler.reset()
        # An empty line stands for one that was too long: both are answered with 500.
        too_long = self._in_buffer_len > _MAX_LINE_BYTES
        line = b"" if too_long else b"".join(self._in_buffer).lstrip(_TELNET)
        self.forget_line()
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
        if self._waiting or not (self.is_busy and self._lines_left):
            return False
        command = line.upper().partition(b" ")[0]
        return line.upper() in _URGENT or (self.awaits_data_connection and command in _OTHER_PORT)

    def _obey(self, line: bytes, early: bool) -> None:
        # ABOR ends a transfer, and that end lets the commands behind it go on: not before ABOR has its answer.
        self._obeying = True
        self._count()
        try:
            if self._before_login > _MAX_BEFORE_LOGIN:
                self.leave("421 Too many commands without a log-in.")
            else:
                self._obey_text(line.decode(), early)
        except UnicodeDecodeError:
            self.respond("501 This is not UTF-8.")
        finally:
            self._obeying = False

    def _count(self) -> None:
        self._before_login += not self.authenticated
        self._lines_left -= 1
        if not self._lines_left:
            self.ioloop.call_later(0, self._take_turn, _errback=self.handle_error)

    def _take_turn(self) -> None:
        self._lines_left = _LINES_A_TURN
        self.obey_waiting()

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
