"""Uploads: from STOR to the 226. What comes after it stands in ``settling.py``."""

# ruff: noqa: N802, ARG002  methods are named, and called, by pyftpdlib

from __future__ import annotations

import secrets
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp import evidence as ev
from alp_daemon.channels.ftp.settling import SettlingSession
from alp_daemon.channels.ftp.transfer import Upload, refusal
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.services.receiving.intake import Received, Sender

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener


class UploadSession(SettlingSession):
    """Receives files. An upload goes through ``_expected`` → ``data_channel.upload`` → the intake → ``confirm``."""

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._expected: Upload | None = None
        """STOR was answered, and its data connection is not there yet."""
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
        self.close_if_left()

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
            still_there=self.is_there,
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
        self.close_if_left()
        self.obey_waiting()

    def _keep(self, upload: Upload, evidence: Evidence | None, note: str) -> None:
        self.is_keeping = True
        arrival = self.server.intake.arrival(
            upload.customer.id, upload.name, upload.folder, upload.sender, self.now(), evidence, note
        )
        self.server.keeper.keep(
            Received(upload.incoming, arrival),
            upload.size,
            self.waiting_for(lambda future: self._kept(upload, evidence, note, future)),
        )

    def _kept(self, upload: Upload, evidence: Evidence | None, note: str, future: Future[int]) -> None:
        self.is_keeping = False
        self.has_uploaded = True
        try:
            number = future.result()
        except AlpError as error:
            log.warning("ftp_upload_refused", session=self.id, customer=upload.customer.id, reason=str(error))
            self.respond(refusal(error))
        else:
            if evidence is not None:
                code = 426 if upload.ending is ev.Ending.torn else 226
                self.respond(f"{code} Kept as upload {number}, but held: {note}.")
            elif self.is_there:
                self.confirm(number, upload.ending)
            else:
                self.settle(number, Evidence.cut, ev.GONE)
        self.close_if_left()
        if self._closed:
            self.end_session()
