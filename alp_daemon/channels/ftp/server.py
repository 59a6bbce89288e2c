"""The FTP server: listens, counts connections, and runs the I/O loop in a thread of its own."""

from __future__ import annotations

import logging
import resource
import threading
import time
from collections.abc import Callable
from typing import Any

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from alp_daemon import log
from alp_daemon.channels.ftp.offload import Offload
from alp_daemon.channels.ftp.session import Session
from alp_daemon.channels.ftp.tls import data_tls_context, tls_context
from alp_daemon.domain.lockout import normalise
from alp_daemon.errors import Unavailable
from alp_daemon.registry import Registry
from alp_daemon.services.access import Access
from alp_daemon.services.intake import Intake
from alp_daemon.settings import FtpSettings, Settings

# A hash takes 25 ms of a core and 19 MiB; more threads would only take them from the transfers.
_JUDGING_THREADS = 2
_KEEPING_THREADS = 4
_TURN_SECONDS = 1.0
_LAST_SECONDS = 2.0
LOGIN_SECONDS = 30.0
# Listener, database, spool, pipes; and control, data and file for each connection.
_OTHER_FILES = 128
_FILES_PER_CONNECTION = 4


class Listener(FTPServer):  # type: ignore[misc]
    """Accepts connections; what the sessions share hangs on it."""

    def __init__(
        self,
        settings: Settings,
        access: Access,
        intake: Intake,
        registry: Registry,
        login_seconds: float,
        ioloop: IOLoop,
    ) -> None:
        ftp = settings.ftp
        self.access = access
        self.intake = intake
        self.registry = registry
        self.login_seconds = login_seconds
        self.tls = tls_context(ftp.tls) if ftp.tls else None
        self.data_tls = data_tls_context(ftp.tls) if ftp.tls else None
        self.tls_required = bool(ftp.tls and ftp.tls.required)
        self.passive_ports = _ports(ftp)
        self.masquerade_address = ftp.masquerade_address
        self.trust_hang_up = ftp.trust_hang_up
        self.max_file_size = ftp.max_file_size
        self.max_cons = ftp.max_connections
        self.max_cons_per_ip = ftp.max_connections_per_ip
        self.sessions: set[Session] = set()
        self.judging = Offload(ioloop, _JUDGING_THREADS, "ftp-judge")
        self.keeping = Offload(ioloop, _KEEPING_THREADS, "ftp-keep")
        try:
            super().__init__((ftp.host, ftp.port), Session, ioloop=ioloop)
        except OSError as error:
            self.judging.close()
            self.keeping.close()
            raise Unavailable(f"ftp: cannot listen on {ftp.host} port {ftp.port}: {error}") from error

    def handle_accepted(self, sock: Any, address: tuple[Any, ...]) -> None:  # noqa: ARG002  called by pyftpdlib
        session = Session(sock, self, ioloop=self.ioloop)
        if not session.connected:
            return
        self.sessions.add(session)
        # The library takes it out of the map when the session closes.
        self.ip_map.append(session.remote_ip)
        if len(self.ip_map) > self.max_cons:
            session.handle_max_cons()
        elif self._connections_of(session.remote_ip) > self.max_cons_per_ip:
            session.handle_max_cons_per_ip()
        else:
            session.handle()

    def handle_error(self) -> None:
        # The library would stop listening for good: on too many open files, say.
        log.error("ftp_accept_failed", exc_info=True)
        self.del_channel()
        self.ioloop.call_later(_TURN_SECONDS, self._listen_again)

    def _listen_again(self) -> None:
        if not self._closed:
            self.add_channel()

    def _accept_new_cons(self) -> bool:
        # Connections are counted when they are accepted; a session may always have its data connection.
        return True

    def _connections_of(self, ip: str) -> int:
        address = normalise(ip)
        return sum(normalise(other) == address for other in self.ip_map)


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
        self._listener = Listener(settings, access, intake, registry, login_seconds, self._ioloop)
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
        self._loop_until(lambda: self._listener.keeping.idle or time.monotonic() > ends_at)
        self._listener.keeping.close()
        self._listener.judging.close()
        self._ioloop.close()
        log.info("ftp_stopped")

    def _loop_until(self, ended: Callable[[], bool]) -> None:
        wait = self._ioloop.loop(0, blocking=False)
        while not ended():
            wait = self._ioloop.loop(wait, blocking=False)

    def stop(self, grace: float = 8.0) -> None:
        """Lets nobody in any more, and running transfers finish for ``grace`` seconds. Returns when all is over."""
        self._listener.keeping.call(lambda: self._begin_to_stop(grace))
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
        at_rest = not listener.sessions and listener.keeping.idle and listener.judging.idle
        return at_rest or time.monotonic() >= self._ends_at


def _ports(settings: FtpSettings) -> range | None:
    if settings.passive_ports is None:
        return None
    first, last = map(int, settings.passive_ports.split("-"))
    return range(first, last + 1)


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
