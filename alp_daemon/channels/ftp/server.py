"""The FTP server: runs the I/O loop in a thread of its own, and ends it in good order."""

from __future__ import annotations

import logging
import resource
import threading
import time
from collections.abc import Callable

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.listener import Listener
from alp_daemon.channels.ftp.session import Session
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings

_TURN_SECONDS = 1.0
_LAST_SECONDS = 2.0
LOGIN_SECONDS = 30.0
# Listener, database, spool, pipes; and control, data and file for each connection.
_OTHER_FILES = 128
_FILES_PER_CONNECTION = 4


class FtpServer:
    """The FTP and FTPS way in. It listens as soon as it exists; ``start`` lets clients in.

    A connection that has not logged in after ``login_seconds`` is closed.
    Raises ``Unavailable`` when the port is taken and ``ConfigurationError`` for an unusable certificate.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        intake: Intake,
        registry: Registry,
        *,
        login_seconds: float = LOGIN_SECONDS,
    ) -> None:
        _forward_library_errors()
        _allow_open_files(settings.ftp.max_connections)
        self._ioloop = IOLoop()
        self._listener = Listener(Session, settings, access, intake, registry, login_seconds, self._ioloop)
        self._ends_at: float | None = None
        self._thread: threading.Thread | None = None
        self.last_turn = time.monotonic()
        """When the loop last went round: a watchdog calls it stuck when this grows old (it is renewed every second)."""
        self._ioloop.call_every(_TURN_SECONDS, self._turn)

    @property
    def port(self) -> int:
        return int(self._listener.address[1])

    def start(self) -> FtpServer:
        """Serves in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, name="ftp", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serves until ``stop``."""
        log.info("ftp_listening", port=self.port, tls=self._listener.tls is not None)
        self._loop_until(self._has_ended)
        for session in list(self._listener.sessions):
            # What its transfer has brought so far is kept, as cut.
            session.close()
        ends_at = time.monotonic() + _LAST_SECONDS
        self._loop_until(lambda: self._listener.has_kept_all or time.monotonic() > ends_at)
        self._listener.crew.close()
        self._ioloop.close()
        log.info("ftp_stopped")

    def _loop_until(self, ended: Callable[[], bool]) -> None:
        wait = self._ioloop.loop(0, blocking=False)
        while not ended():
            wait = self._ioloop.loop(wait, blocking=False)

    def reload_certificate(self) -> None:
        """New connections get the certificate that the files hold now; those that are open go on."""
        self._listener.reload_certificate()

    def stop(self, grace: float = 8.0) -> None:
        """Lets nobody in any more, and running transfers finish for ``grace`` seconds. Returns when all is over."""
        self._listener.crew.serving.call(lambda: self._begin_to_stop(grace))
        if self._thread is not None:
            self._thread.join()

    def _begin_to_stop(self, grace: float) -> None:
        self._ends_at = time.monotonic() + grace
        self._listener.close()
        self._send_home()

    def _turn(self) -> None:
        self.last_turn = time.monotonic()
        if self._ends_at is not None:
            self._send_home()

    def _send_home(self) -> None:
        for session in list(self._listener.sessions):
            session.say_goodbye()

    def _has_ended(self) -> bool:
        if self._ends_at is None:
            return False
        listener = self._listener
        at_rest = not listener.sessions and listener.has_kept_all
        return at_rest or time.monotonic() >= self._ends_at


def _allow_open_files(connections: int) -> None:
    wanted = _OTHER_FILES + connections * _FILES_PER_CONNECTION
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


class _Forward(logging.Handler):
    """The library's error messages in our log."""

    def emit(self, record: logging.LogRecord) -> None:
        log.error("ftp_library_error", message=record.getMessage(), exc_info=bool(record.exc_info))


def _forward_library_errors() -> None:
    library = logging.getLogger("pyftpdlib")
    library.propagate = False
    library.setLevel(logging.ERROR)
    if not library.handlers:
        library.addHandler(_Forward())
