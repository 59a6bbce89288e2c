"""A customer's session: looks at its folder, renames and deletes its uploads."""

# ruff: noqa: N802  methods are named by pyftpdlib

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.folder import Tree, report_name, tree
from alp_daemon.channels.ftp.uploads import UploadSession
from alp_daemon.errors import AlpError
from alp_daemon.services.receiving.ownuploads import Recent

if TYPE_CHECKING:
    from alp_daemon.channels.ftp.listener import Listener

# They look at the folder, which takes a query.
_LOOKING = ("LIST", "NLST", "MLSD", "MLST", "SIZE", "MDTM", "MFMT", "RETR", "RNFR", "DELE", "STAT")


class Session(UploadSession):
    """Every command that needs the intake waits for it beside the loop."""

    def __init__(self, connection: Any, server: Listener, ioloop: IOLoop | None = None) -> None:
        self._withdrawn: Recent | None = None
        """RNFR was answered: the upload waits for its RNTO."""
        super().__init__(connection, server, ioloop)

    def on_command(self, command: str, *, early: bool) -> None:
        if command != "RNTO":
            self._put_back()
        super().on_command(command, early=early)

    def on_disconnect(self) -> None:
        self._put_back()
        super().on_disconnect()

    # Looking

    def process_command(self, command: str, *arguments: Any, **options: Any) -> None:
        if command in _LOOKING and self.authenticated and (command != "STAT" or arguments[0]):
            self._look(arguments[0], lambda: super(Session, self).process_command(command, *arguments, **options))
        else:
            super().process_command(command, *arguments, **options)

    def _look(self, path: str, then: Callable[[], None]) -> None:
        """``then`` is done with the folder as it is now, as far as ``path`` is about it."""
        home, customer, reports = self.fs.home, self.customer, self.server.intake.reports
        report = report_name(path)

        def look() -> Tree:
            # Other nodes may have worked the customer's files.
            if report:
                reports.bring(customer, report)
            elif report is not None:
                reports.bring_up_to_date(customer, self.now())
            return tree(home, self.server.intake.own.recent(customer, self.now(), session=self.id), path)

        def done(future: Future[Tree]) -> None:
            if self._closed:
                return
            try:
                self.fs.tree = future.result()
            except (AlpError, OSError) as error:
                self._refuse("The folder cannot be read just now", error)
            else:
                then()

        crew = self.server.crew
        self.wait_for(look, done, threads=crew.looking if report is None else crew.reporting, lane=customer)

    def ftp_SIZE(self, path: str) -> None:
        # In TYPE A too: the bytes are those that were sent.
        if self._has_file(path):
            self.respond(f"213 {self.fs.getsize(path)}")

    def ftp_MFMT(self, path: str, timeval: str) -> None:
        """Clients set the time of what they have sent. Nobody reads it; a refusal would fail their upload."""
        try:
            datetime.strptime(timeval, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            self.respond("501 Expected a time such as 20261121070000.")
            return
        if self._has_file(path):
            self.respond(f"213 Modify={timeval}; {path}")

    def _has_file(self, path: str) -> bool:
        if self.fs.isfile(path):
            return True
        self.respond("550 There is no such file.")
        return False

    # Taking an upload back

    def ftp_RNFR(self, path: str) -> None:
        def ready() -> None:
            self._withdrawn = upload
            self.respond("350 Ready for the new name.")

        upload = self._own_upload(path)
        if upload is not None:
            self._withdraw(lambda: self.server.intake.own.hold_back(upload.upload, self.now()), ready)

    def ftp_RNTO(self, path: str) -> None:
        upload = self._withdrawn
        if upload is None:
            self.respond("503 Send RNFR first.")
            return
        try:
            folder, name = self.fs.upload_target(path)
        except FilesystemError as error:
            self._put_back()
            self.respond(f"553 {error}.")
            return
        self._withdrawn = None
        self._withdraw(
            lambda: self.server.intake.own.rename(upload.upload, self.customer, name, folder, self.now()),
            lambda: self.respond("250 Renamed."),
        )

    def ftp_DELE(self, path: str) -> None:
        upload = self._own_upload(path)
        if upload is not None:
            self._withdraw(
                lambda: self.server.intake.own.delete(upload.upload, self.username, self.now()),
                lambda: self.respond("250 Deleted."),
            )

    def _own_upload(self, path: str) -> Recent | None:
        try:
            upload: Recent = self.fs.upload(path)
        except FilesystemError as error:
            self.respond(f"550 {error}.")
            self.settle_all()
            return None
        return upload

    def _withdraw(self, work: Callable[[], bool], then: Callable[[], None]) -> None:
        """``work`` says whether it came before a worker did. Only then may the upload become due."""

        def done(future: Future[bool]) -> None:
            try:
                in_time = future.result()
            except AlpError as error:
                self._refuse("This cannot be done just now", error)
            else:
                if in_time:
                    then()
                else:
                    self.respond("550 It was picked up for processing already.")
            self.settle_all()

        self.wait_for(work, done)

    def _put_back(self) -> None:
        """RNFR was not followed by RNTO."""
        upload, self._withdrawn = self._withdrawn, None
        if upload is not None:
            self.later(lambda: self.server.intake.own.release_hold_back(upload.upload, self.now()))

    def _refuse(self, what: str, error: Exception) -> None:
        log.warning("ftp_command_refused", session=self.id, customer=self.customer, reason=str(error))
        self.respond(f"451 {what}; try again.")
