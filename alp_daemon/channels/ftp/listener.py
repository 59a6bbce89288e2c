"""The listening socket: accepts and counts connections, and holds what their sessions share."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from alp_daemon import certificates, log
from alp_daemon.channels.ftp.crew import Crew
from alp_daemon.channels.ftp.keeper import Keeper
from alp_daemon.channels.ftp.proxies import Introduction, Proxies
from alp_daemon.channels.ftp.tls import Faces, faces
from alp_daemon.domain.lockout import normalise
from alp_daemon.errors import ConfigurationError, Unavailable
from alp_daemon.registry import Registry
from alp_daemon.sections import FtpSettings, TlsSettings
from alp_daemon.services.logins.access import Access
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings

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
        self._certificate = ftp.tls
        self.tls = _read(ftp.tls) if ftp.tls else None
        self.tls_required = bool(ftp.tls and ftp.tls.required)
        self.passive_ports = _ports(ftp)
        self.masquerade_address = ftp.masquerade_address
        self.trust_hang_up = ftp.trusts_hang_up
        self.proxies = Proxies(ftp.trusted_proxies, ioloop)
        self._awaited: set[Introduction] = set()
        self.max_file_size = ftp.max_file_size
        self.max_cons = ftp.max_connections
        self.max_cons_per_ip = ftp.max_connections_per_ip
        if ftp.trusted_proxies and not self.tls_required:
            # HAProxy 2.6: 27 of 55 connections that were reset with bytes under way ended in order, and short.
            log.warning("ftp_clear_text_behind_proxy", reason="a file that breaks off can seem whole; require TLS")
        self.sessions: set[Any] = set()
        self.crew = Crew(ioloop)
        self.keeper = Keeper(ioloop, self.crew, intake)
        try:
            super().__init__((ftp.host, ftp.port), session, ioloop=ioloop)
        except OSError as error:
            self.crew.close()
            raise Unavailable(f"ftp: cannot listen on {ftp.host} port {ftp.port}: {error}") from error

    @property
    def has_kept_all(self) -> bool:
        """Nothing is on its way to the disk or the database."""
        return self.keeper.idle and self.crew.idle

    def reload_certificate(self) -> None:
        """New sessions get what the files hold now. Where that cannot be used, what was read before stays."""
        if self._certificate is None:
            return
        try:
            self.tls = _read(self._certificate)
        except ConfigurationError as error:
            log.error("certificate_not_reloaded", reason=str(error))
        else:
            log.info("certificate_reloaded", file=str(self._certificate.certificate))

    def handle_accepted(self, sock: Any, address: tuple[Any, ...]) -> None:
        self._awaited = {each for each in self._awaited if not each.is_over}
        if len(self._awaited) >= self.max_cons:
            log.warning("ftp_refused", ip=address[0], reason="too many connections without their PROXY header")
            sock.close()
        elif awaited := self.proxies.meet(sock, address[0], partial(self._met, sock)):
            self._awaited.add(awaited)

    def _met(self, sock: Any, ip: str | None) -> None:
        """A connection of the client ``ip``; None: the balancer's own."""
        if self._closed:
            sock.close()
            return
        session = self.handler(sock, self, ioloop=self.ioloop)
        if not session.connected:
            return
        self.sessions.add(session)
        if ip is None:
            session.handle_balancer()
            return
        session.remote_ip = ip
        # The library takes it out of the map when the session closes.
        self.ip_map.append(ip)
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


def _read(settings: TlsSettings) -> Faces:
    """What the files hold now. Raises ``ConfigurationError`` when the certificate or the key cannot be used."""
    read = faces(settings)
    certificates.tell_of_expiry(certificates.FTP, settings, datetime.now(UTC))
    return read


def _ports(settings: FtpSettings) -> range | None:
    if settings.passive_ports is None:
        return None
    first, last = map(int, settings.passive_ports.split("-"))
    return range(first, last + 1)
