"""The listening socket: accepts and counts connections, and holds what their sessions share."""

from __future__ import annotations

from typing import Any

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from alp_daemon import log
from alp_daemon.channels.ftp.keeper import Keeper
from alp_daemon.channels.ftp.offload import Offload
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
# After a failed accept (too many open files, say).
_REST_SECONDS = 1.0


class Listener(FTPServer):  # type: ignore[misc]
    """Accepts connections, a ``session`` each; what the sessions share hangs on it.

    Raises ``Unavailable`` when the port is taken and ``ConfigurationError`` for an unusable certificate.
    """

    def __init__(
        self,
        session: type[Any],
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
        self.sessions: set[Any] = set()
        self.judging = Offload(ioloop, _JUDGING_THREADS, "ftp-judge")
        self.keeping = Offload(ioloop, _KEEPING_THREADS, "ftp-keep")
        self.keeper = Keeper(ioloop, self.keeping, intake)
        try:
            super().__init__((ftp.host, ftp.port), session, ioloop=ioloop)
        except OSError as error:
            self.judging.close()
            self.keeping.close()
            raise Unavailable(f"ftp: cannot listen on {ftp.host} port {ftp.port}: {error}") from error

    @property
    def has_kept_all(self) -> bool:
        """Nothing is on its way to the disk or the database."""
        return self.keeper.idle and self.keeping.idle

    def handle_accepted(self, sock: Any, address: tuple[Any, ...]) -> None:  # noqa: ARG002  called by pyftpdlib
        session = self.handler(sock, self, ioloop=self.ioloop)
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
        self.ioloop.call_later(_REST_SECONDS, self._listen_again)

    def _listen_again(self) -> None:
        if not self._closed:
            self.add_channel()

    def _accept_new_cons(self) -> bool:
        # Connections are counted when they are accepted; a session may always have its data connection.
        return True

    def _connections_of(self, ip: str) -> int:
        address = normalise(ip)
        return sum(normalise(other) == address for other in self.ip_map)


def _ports(settings: FtpSettings) -> range | None:
    if settings.passive_ports is None:
        return None
    first, last = map(int, settings.passive_ports.split("-"))
    return range(first, last + 1)
