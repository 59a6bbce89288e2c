"""pyftpdlib's control connection without what it does not need and without the holes it leaves."""

# ruff: noqa: N802, ARG002  methods are named, and called, by pyftpdlib

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.tls import is_resumed
from alp_daemon.channels.ftp.transfer import DataChannel, NoPassivePortError, PassivePort

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener

IDLE_SECONDS = 300.0

_TLS_COMMANDS = ("AUTH", "PBSZ", "PROT")
# Without `unique`: an upload and a file of the folder have no common number.
_FACTS = ("type", "perm", "size", "modify")

_FIXED = "folders are fixed here; files go into / or /preformatted."
_REFUSED = {
    "APPE": "550 Nothing can be appended; send the whole file with STOR.",
    "MKD": f"550 No folder was made: {_FIXED}",
    "XMKD": f"550 No folder was made: {_FIXED}",
    "RMD": f"550 No folder was removed: {_FIXED}",
    "XRMD": f"550 No folder was removed: {_FIXED}",
    "SITE CHMOD": "504 Modes of files cannot be changed here.",
}


class _Permissions:
    """What pyftpdlib asks of an authorizer. Who may do what is decided command by command instead."""

    def has_perm(self, user: str, perm: str, path: str | None = None) -> bool:
        return True

    def get_perms(self, user: str) -> str:
        return "elrfdw"

    def get_msg_quit(self, user: str) -> str:
        return "Goodbye."


class _HangUp(FTPHandler):  # type: ignore[misc]
    """Stands behind TLS in the method order, so that it hears of the end of plain and TLS connections alike."""

    def handle_close(self) -> None:
        self.on_hang_up()

    def on_hang_up(self) -> None:
        self.close()


class HardenedHandler(TLS_FTPHandler, _HangUp):  # type: ignore[misc]
    """TLS as it should be, data connections that are there or refused, and no log of the library's own."""

    authorizer = _Permissions()
    dtp_handler = DataChannel
    passive_dtp = PassivePort
    timeout = IDLE_SECONDS
    proto_cmds: dict[str, Any]

    server: Listener
    # The library deletes its own when it closes; commands may still be in the buffer then.
    data_channel: DataChannel | None = None
    _out_dtp_queue: tuple[Any, bool, Any, str] | None = None

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self.left = False
        """The client closed the connection, and we have read so."""
        super().__init__(connection, server, ioloop)
        if not self.connected:
            return
        self.tls = server.tls
        self.ssl_context = self.tls.control if self.tls else None
        self.passive_ports = server.passive_ports
        self.masquerade_address = server.masquerade_address
        self._available_facts = self._current_facts = list(_FACTS)
        if self.ssl_context is None:
            self.proto_cmds = {k: v for k, v in self.proto_cmds.items() if k not in _TLS_COMMANDS}
        else:
            self.tls_control_required = self.tls_data_required = server.tls_required

    def is_own(self, data: SSL.Connection) -> bool:
        """Whether a data connection is from who has this control connection, as far as that is asked for."""
        control = self.socket
        return not (self.tls and self.tls.reuse) or (isinstance(control, SSL.Connection) and is_resumed(data, control))

    @property
    def is_secure(self) -> bool:
        return bool(self._ssl_established)

    @property
    def ip(self) -> str:
        """The client's address; an IPv4 one as such, also on a dual-stack socket."""
        return str(self.remote_ip).removeprefix("::ffff:")

    def respond(self, reply: str, logfun: object = None) -> None:
        self._last_response = reply
        if not (self.left or self._closed):
            self.push(reply + "\r\n")

    def initiate_send(self) -> None:
        try:
            super().initiate_send()
        except FileNotFoundError:
            # The send found the client gone, and the hang-up took the socket off the loop (epoll_ctl(2): ENOENT). The
            # library would wait for it once more, and whoever wanted to answer would not get to its own clean-up.
            if not self.left:
                raise

    def process_command(self, command: str, *arguments: Any, **options: Any) -> None:
        if command in _REFUSED:
            self.respond(_REFUSED[command])
        else:
            super().process_command(command, *arguments, **options)

    def ftp_HELP(self, line: str) -> None:
        if line:
            super().ftp_HELP(line)
        else:
            self.respond("214 RFC 959 has the commands, and FEAT what is known beyond them.")

    def ftp_FEAT(self, line: str) -> None:
        features = ["EPRT", "EPSV", "MDTM", "MFMT", "SIZE", "TVFS", "UTF8"]
        features.append("MLST " + "".join(f"{fact}{'*' * (fact in self._current_facts)};" for fact in _FACTS))
        if self.ssl_context is not None:
            features += ["AUTH TLS", "PBSZ", "PROT"]
        self.respond("211-Features:\r\n" + "".join(f" {feature}\r\n" for feature in sorted(features)) + "211 End.")

    # TLS

    @classmethod
    def get_ssl_context(cls) -> None:
        # The library keeps it on the class; ours belongs to the server.
        return None

    def ftp_AUTH(self, line: str) -> None:
        super().ftp_AUTH(line)
        if self._ssl_accepting:
            # What came in clear text behind AUTH was not sent by the TLS client (STARTTLS injection, CVE-2011-0411).
            self.forget_input()

    def forget_input(self) -> None:
        """Forgets all that was sent and not yet obeyed."""
        self.ac_in_buffer = b""
        self.forget_line()

    def forget_line(self) -> None:
        """Forgets the line that is coming in."""
        self._in_buffer: list[bytes] = []
        self._in_buffer_len = 0

    def ftp_PROT(self, line: str) -> None:
        if self.tls_data_required and line.upper() == "C":
            # Else PROT P, PASV, PROT C would pass the library's check with a clear data connection.
            self.respond("534 This server requires TLS on data connections (PROT P).")
        else:
            super().ftp_PROT(line)

    # Data connections

    @property
    def awaits_data_connection(self) -> bool:
        """A transfer was answered with 150, and its connection is not there yet."""
        return self._out_dtp_queue is not None

    def has_data_connection(self) -> bool:
        """There is one, or one has been agreed upon; else the client is told so."""
        if self.data_channel is None and self._dtp_acceptor is None and self._dtp_connector is None:
            self.respond("425 Send PASV, EPSV, PORT or EPRT first.")
            return False
        return True

    def no_data_connection(self) -> None:
        """Nobody came to the passive port, or only to leave at once."""
        if self.awaits_data_connection:
            self.respond("425 No data connection came.")
        self._shutdown_connecting_dtp()

    def push_dtp_data(self, *arguments: Any, **options: Any) -> None:
        if self.has_data_connection():
            super().push_dtp_data(*arguments, **options)
        elif (file := options.get("file")) is not None:
            file.close()

    def _make_epasv(self, extmode: bool = False) -> None:
        try:
            super()._make_epasv(extmode)
        except NoPassivePortError:
            log.warning("ftp_no_passive_port", ip=self.ip)
            self.respond("425 All data ports are in use; try again.")

    def _shutdown_connecting_dtp(self) -> None:
        # A new PASV, an ABOR or the end. The library would send an old listing to the next connection.
        super()._shutdown_connecting_dtp()
        if self._out_dtp_queue is not None:
            *_, file, _command = self._out_dtp_queue
            if file is not None:
                file.close()
            self._out_dtp_queue = None

    # The library's own log and impersonation: ours says what there is to say, and there are no system users.

    def log(self, message: str, logfun: object = None) -> None:
        """Nothing."""

    logline = log

    def log_cmd(self, command: str, argument: str, code: int, reply: str) -> None:
        """Nothing."""

    def log_transfer(self, **facts: object) -> None:
        """Nothing."""

    def run_as_current_user(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)
