"""The data connection: receives a file byte by byte as it was sent, and remembers how it ended."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any, cast

from OpenSSL import SSL
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler

from alp_daemon import log
from alp_daemon.channels.ftp.evidence import Ending, has_left_in_order
from alp_daemon.channels.ftp.proxies import Introduction
from alp_daemon.customers import Customer
from alp_daemon.domain.networks import plain
from alp_daemon.errors import AlpError, Busy, NoRoom
from alp_daemon.files.incoming import Incoming
from alp_daemon.services.receiving.intake import Sender

_NO_HANDSHAKE = "522 The TLS handshake of the data connection failed."
_UNFINISHED_HANDSHAKE = "426 The data connection ended before its TLS handshake was done; nothing was sent."
_NO_REUSE = "522 The data connection must resume the TLS session of the control connection."


@dataclass(eq=False, slots=True)
class Upload:
    """A file on its way in. It keeps its sender: REIN or a new USER during the transfer do not change whose it is."""

    incoming: Incoming
    customer: Customer
    name: str
    folder: str
    sender: Sender
    max_size: int
    size: int = 0
    ending: Ending = Ending.torn
    problem: str = ""
    """The reply when ``ending`` is ``failed``."""


class _Receiver(DTPHandler):  # type: ignore[misc]
    """Stands behind TLS in the method order, so that it hears of the end of plain and TLS connections alike.

    The library takes every end for success, opens the file by its name, and answers before the bytes are safe. Here
    an end has a kind, the file is the intake's, and who answers is the session (``data_ended``).
    """

    # 2,084 MiB/s instead of 1,657 with the library's 64 KiB.
    ac_in_buffer_size = 2**20

    upload: Upload | None = None

    def receive_upload(self, upload: Upload) -> None:
        self.upload = upload
        # Never as text: a list must arrive as it was sent, whatever the client believes about line ends.
        self.enable_receiving("i", "STOR")

    def transferring(self) -> bool:
        return bool(self._initialized)

    def handle_read(self) -> None:
        try:
            chunk = self.recv(self.ac_in_buffer_size)
        except _RetryError:
            return
        if chunk:
            self.tot_bytes_received += len(chunk)
            self._keep(chunk)

    handle_read_event = handle_read

    def handle_close(self) -> None:
        if self.upload is None:
            super().handle_close()
        else:
            self._end(self._how_it_ended())

    def close(self) -> None:
        if not self._closed:
            super().close()
            if self.upload is not None:
                self.cmd_channel.data_ended(self.upload)

    def _keep(self, chunk: bytes) -> None:
        upload = cast(Upload, self.upload)
        upload.size += len(chunk)
        if upload.size > upload.max_size:
            self._fail(f"552 The file is larger than the {upload.max_size} bytes allowed; nothing was kept.")
            return
        try:
            upload.incoming.write(chunk)
        except AlpError as error:
            self._fail(refusal(error))

    def _fail(self, problem: str) -> None:
        cast(Upload, self.upload).problem = problem
        self._end(Ending.failed)

    def _end(self, ending: Ending) -> None:
        if not self._closed and not self._ssl_closing:
            cast(Upload, self.upload).ending = ending
            self.close()

    def _how_it_ended(self) -> Ending:
        if isinstance(self.socket, SSL.Connection):
            said = self.socket.get_shutdown() & SSL.RECEIVED_SHUTDOWN
            return Ending.goodbye if said else Ending.no_goodbye
        return Ending.closed if has_left_in_order(self.socket) else Ending.torn


class DataChannel(TLS_DTPHandler, _Receiver):  # type: ignore[misc]
    """A data connection, under TLS after ``PROT P``."""

    def secure_connection(self, ssl_context: SSL.Context) -> None:  # noqa: ARG002  that of the control connection
        super().secure_connection(self.cmd_channel.tls.data)

    def initiate_send(self) -> None:
        if self._ssl_accepting:
            # Not before it is known who is there. Nor is the connection asked whether it could be written to: it could,
            # and the loop would turn at full speed until the client begins its handshake.
            self._listen_for(self.ioloop.READ)
        else:
            super().initiate_send()

    def send(self, data: bytes) -> int:
        # An empty listing. OpenSSL says of an empty write what it says of a connection that broke off.
        return int(super().send(data)) if data else 0

    def handle_ssl_established(self) -> None:
        if not self.cmd_channel.is_own(self.socket):
            self._refuse()
        elif self.producer_fifo:
            self._listen_for(self.ioloop.WRITE)

    def _listen_for(self, event: int) -> None:
        self._wanted_io_events = event
        self.modify_ioloop_events(event)

    def _refuse(self) -> None:
        log.warning(
            "ftp_data_connection_refused", ip=self.cmd_channel.ip, reason="it resumes no TLS session of its own"
        )
        self._break_off(_NO_REUSE)

    def handle_failed_ssl_handshake(self) -> None:
        # RFC 4217, 10.2
        self._break_off(_NO_HANDSHAKE)

    def _break_off(self, reply: str) -> None:
        if self.upload is not None:
            self._fail(reply)
            return
        if self.producer_fifo:
            self._resp = (reply, None)
        self.close()

    def close(self) -> None:
        if self._ssl_accepting and self.producer_fifo and not self._resp:
            # The library closes without a word, and its client would wait for one.
            self._resp = (_UNFINISHED_HANDSHAKE, None)
        super().close()
        # A report may still be on its way, and TLS's farewell behind it. Else there is nothing to wait for; the
        # library would, and at full speed when the client has closed its half of the connection without a farewell.
        if not self._closed and not self._ssl_want_write:
            _Receiver.close(self)

    def handle_timeout(self) -> None:
        if self._ssl_closing:
            _Receiver.close(self)
        else:
            super().handle_timeout()


class NoPassivePortError(OSError):
    """Every port of the configured range is taken."""


class PassivePort(FTPHandler.passive_dtp):  # type: ignore[misc]
    """Listens for a data connection. The library leaves an exhausted range for a random port; a firewall does not."""

    _probing = False
    _awaited: tuple[Introduction, ...] = ()
    """Connections of a balancer whose PROXY header is still to come."""

    def bind(self, address: tuple[Any, ...]) -> None:
        if address[1] == 0 and self.cmd_channel.passive_ports is not None and not self._probing:
            self.close()
            raise NoPassivePortError(errno.EADDRINUSE, "all passive ports are in use")
        super().bind(address)

    def handle_accepted(self, connection: Any, address: tuple[Any, ...]) -> None:
        proxies = self.cmd_channel.server.proxies
        awaited = proxies.meet(connection, address[0], lambda ip: self._met(connection, ip, address[1]))
        if awaited:
            self._awaited = (*self._awaited, awaited)

    def _met(self, connection: Any, ip: str | None, port: int) -> None:
        """A connection of the client ``ip``. The real address is compared with the real one of the session."""
        if ip is None or self._closed:
            connection.close()
            return
        # The library compares how addresses are written.
        own = self.cmd_channel.remote_ip
        super().handle_accepted(connection, (own if plain(ip) == plain(own) else ip, port))
        if self._closed and self.cmd_channel._dtp_acceptor is self:
            # It was reset before we could take it. The library would go on waiting for it.
            self.cmd_channel.no_data_connection()

    def close(self) -> None:
        super().close()
        for each in self._awaited:
            each.close()

    def handle_timeout(self) -> None:
        self.close()
        self.cmd_channel.no_data_connection()

    def bind_af_unspecified(self, address: tuple[str, int]) -> Any:
        # How the library finds out the address family; it gives the port back at once.
        self._probing = True
        try:
            return super().bind_af_unspecified(address)
        finally:
            self._probing = False


def refusal(error: AlpError) -> str:
    """The reply for a file that could not be kept."""
    if isinstance(error, NoRoom):
        return "452 There is no room for the file; nothing was kept, send it again later."
    why = ": the database has been locked for long" if isinstance(error, Busy) else ""
    return f"451 The file could not be kept just now{why}; nothing was kept, send it again later."
