"""Uploads: from STOR to the 226, and from the 226 to the verdict on whether the file is whole."""

# ruff: noqa: N802, ARG002  methods are named, and called, by pyftpdlib

from __future__ import annotations

import secrets
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp import evidence as ev
from alp_daemon.channels.ftp.login import LoginSession
from alp_daemon.channels.ftp.transfer import Upload, refusal
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.services.receiving.intake import Received, Sender, Verdict

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener

# They take an upload back. It must not become due, and so be picked up, an instant before.
_WITHDRAWING = ("RNFR", "DELE")


class UploadSession(LoginSession):
    """Receives files. An upload goes through ``_expected`` → ``data_channel.upload`` → the intake → ``_unsettled``."""

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._expected: Upload | None = None
        """STOR was answered, and its data connection is not there yet."""
        self._unsettled: dict[int, ev.Ending] = {}
        """Uploads confirmed with 226, and how their data ended; the client may turn out to be dead yet."""
        self._is_keeping = False
        """The file that ended last is on its way into the database."""
        self._has_uploaded = False
        super().__init__(connection, server, ioloop)

    # From STOR to the end of the data

    def ftp_STOR(self, path: str, mode: str = "w") -> None:
        self._store(path, "Send it.")

    def ftp_STOU(self, line: str) -> None:
        name = f"{line or 'upload'}.{secrets.token_hex(4)}"
        # RFC 1123, 4.1.2.9, wants the name just so.
        self._store(self.fs.ftpnorm(name), f"FILE: {name}")

    def ftp_REST(self, line: str) -> None:
        if line.strip() == "0":
            self.respond("350 Starting at 0.")
        else:
            self.respond("550 Transfers cannot be resumed; send the whole file.")

    def ftp_ABOR(self, line: str) -> None:
        if self.data_channel is not None and self.data_channel.upload is not None:
            # Also before the first byte: what the client takes back is not kept.
            self.data_channel.upload.ending = ev.Ending.aborted
        super().ftp_ABOR(line)

    def _store(self, path: str, welcome: str) -> None:
        if not self.has_data_connection():
            return
        try:
            folder, name = self.fs.upload_target(path)
        except FilesystemError as error:
            self.respond(f"553 {error}.")
            return
        upload = self._begin(folder, name)
        if upload is None:
            return
        if self.data_channel is None:
            self.respond(f"150 {welcome}")
            self._expected = upload
        else:
            self.respond(f"125 {welcome}")
            self.data_channel.receive_upload(upload)

    def _begin(self, folder: str, name: str) -> Upload | None:
        customer = self.server.registry.customer(self.customer)
        if customer is None:
            self.respond("550 This account is not configured at the moment; ask your provider.")
            return None
        try:
            # On the loop, as the writing is: it opens a file and asks no database.
            incoming = self.server.intake.begin(self.customer)
        except AlpError as error:
            log.warning("ftp_upload_refused", session=self.id, customer=self.customer, reason=str(error))
            self.respond(refusal(error))
            return None
        sender = Sender("ftps" if self.is_secure else "ftp", self.username, self.ip, self.id)
        most = customer.limits.max_file_size or self.server.max_file_size
        return Upload(incoming, customer, name, folder, sender, most)

    @property
    def awaits_data_connection(self) -> bool:
        return self._expected is not None or super().awaits_data_connection

    @property
    def is_uploading(self) -> bool:
        return self._expected is not None or (self.data_channel is not None and self.data_channel.upload is not None)

    def _on_dtp_connection(self) -> None:
        super()._on_dtp_connection()
        if self._expected is not None and self.data_channel is not None:
            upload, self._expected = self._expected, None
            self.data_channel.receive_upload(upload)

    def no_data_connection(self) -> None:
        super().no_data_connection()
        self._close_if_left()

    def _shutdown_connecting_dtp(self) -> None:
        super()._shutdown_connecting_dtp()
        if self._expected is not None:
            self._expected.incoming.abort()
            self._expected = None

    def _on_dtp_close(self) -> None:
        # After an upload the next command waits on: for the answer to this one.
        uploading = self.is_uploading
        super()._on_dtp_close()
        if not uploading:
            self.obey_waiting()

    # From the end of the data to the answer

    def data_ended(self, upload: Upload) -> None:
        """The data connection of an upload is closed; ``upload.ending`` says how."""
        evidence, note = ev.judged(
            upload.ending,
            require_close_notify=upload.customer.require_close_notify,
            still_there=self._is_there(),
        )
        if upload.ending in (ev.Ending.aborted, ev.Ending.failed):
            self._forget(upload, upload.problem)
        elif evidence is Evidence.cut and not upload.size:
            self._forget(upload, "426 The transfer broke off before its first byte.")
        else:
            self._keep(upload, evidence, note)

    def _forget(self, upload: Upload, reply: str) -> None:
        upload.incoming.abort()
        if reply:
            log.warning("ftp_upload_refused", session=self.id, customer=upload.customer.id, reason=reply)
            self.respond(reply)
        self._close_if_left()
        self.obey_waiting()

    def _keep(self, upload: Upload, evidence: Evidence | None, note: str) -> None:
        self._is_keeping = True
        arrival = self.server.intake.arrival(
            upload.customer.id, upload.name, upload.folder, upload.sender, self.now(), evidence, note
        )
        self.server.keeper.keep(
            Received(upload.incoming, arrival),
            upload.size,
            self.waiting_for(lambda future: self._kept(upload, evidence, note, future)),
        )

    def _kept(self, upload: Upload, evidence: Evidence | None, note: str, future: Future[int]) -> None:
        self._is_keeping = False
        self._has_uploaded = True
        try:
            number = future.result()
        except AlpError as error:
            log.warning("ftp_upload_refused", session=self.id, customer=upload.customer.id, reason=str(error))
            self.respond(refusal(error))
        else:
            if evidence is not None:
                code = 426 if upload.ending is ev.Ending.torn else 226
                self.respond(f"{code} Kept as upload {number}, but held: {note}.")
            elif self._is_there():
                # Before the answer: sending it may be what finds the client gone, and then this upload is settled so.
                self._unsettled[number] = upload.ending
                self.respond(f"226 Received as upload {number}.")
                self.ioloop.call_later(ev.SETTLE_SECONDS, self._settle_alive, number)
            else:
                self._settle(number, Evidence.cut, ev.GONE)
        self._close_if_left()
        if self._closed:
            self._end_session()

    # From the answer to the verdict

    def on_command(self, command: str, *, early: bool) -> None:
        # A command sent ahead, before the 226, does not show that its client has lived to see it.
        if command not in _WITHDRAWING and (command == "QUIT" or not early):
            self.settle_all()
        super().on_command(command, early=early)

    def settle_all(self, verdict: tuple[Evidence, str] | None = None) -> None:
        """Settles what is open: the client lives, unless ``verdict`` says otherwise."""
        for number, ending in self._unsettled.items():
            self._settle(number, *(verdict or ev.expected(ending)))
        self._unsettled.clear()

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
        self._close_if_left()

    def on_disconnect(self) -> None:
        self.server.sessions.discard(self)
        self.settle_all((Evidence.cut, "the session broke off"))
        self.server.keeper.hurry()
        if not self._is_keeping:
            self._end_session()
        super().on_disconnect()

    def _end_session(self) -> None:
        if self._has_uploaded:
            self._has_uploaded = False
            self.later(lambda: self.server.intake.own.end_session(self.id, self.now()))

    def say_goodbye(self) -> None:
        """The server stops: the session ends as soon as nothing hangs on it."""
        if not (self.is_busy or self._unsettled or self._closing or self._closed):
            self.leave("421 The server is stopping; try again later.")

    def _is_there(self) -> bool:
        return not (self.left or self._closed) and ev.is_open(self.socket)

    def _settle_alive(self, number: int) -> None:
        if number in self._unsettled and not self.left:
            self._settle(number, *ev.expected(self._unsettled.pop(number)))

    def _settle_left(self) -> None:
        in_order = ev.has_left_in_order(self.socket)
        self.settle_all(None if in_order else (Evidence.cut, "the client was gone before it could read our answer"))
        self._close_if_left()

    def _settle(self, number: int, evidence: Evidence, note: str) -> None:
        self.server.keeper.settle(number, Verdict(evidence, note))

    def _close_if_left(self) -> None:
        if self.left and not (self._unsettled or self.is_uploading or self.is_waiting):
            self.close()

    def later(self, work: Any) -> None:
        """Runs ``work`` behind what this session has running; nobody waits for it."""
        self.server.crew.serving.run(self.lane, work, _report)


def _report(future: Future[Any]) -> None:
    error = future.exception()
    if error is not None:
        log.error("ftp_internal_error", exc_info=error)
