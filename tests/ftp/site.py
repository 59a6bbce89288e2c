"""A running server as a test sees it, and how to speak to it."""

from __future__ import annotations

import ftplib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import trustme

from alp_daemon.channels.ftp import FtpServer
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import Credentials, Issued
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.reports.unworked import report_unworked
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store
from tests.eventually import eventually


@dataclass
class Site:
    """A running server and what stands behind it."""

    server: FtpServer
    store: Store
    settings: Settings
    registry: Registry
    intake: Intake
    access: Access
    credentials: Credentials
    login: Issued
    authority: trustme.CA

    def connect(self) -> ftplib.FTP:
        """A plain connection, not logged in."""
        ftp = ftplib.FTP(timeout=20)
        ftp.connect("127.0.0.1", self.server.port)
        return ftp

    def enter(self) -> ftplib.FTP:
        ftp = self.connect()
        ftp.login(self.login.user, self.login.password)
        return ftp

    def enter_tls(self) -> ftplib.FTP_TLS:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        ftp = ftplib.FTP_TLS(context=context, timeout=20)
        ftp.connect("127.0.0.1", self.server.port)
        ftp.host = "localhost"
        ftp.login(self.login.user, self.login.password)
        ftp.prot_p()
        return ftp

    def end_unworked(self) -> datetime:
        """Ends what no feed takes. Its report is in the database, and not in the folder yet."""
        now = datetime.now(UTC) + timedelta(minutes=5)
        self.intake.upkeep.tick(now)
        assert report_unworked(self.store, self.settings, {}, now)
        return now

    def uploads(self) -> list[dict[str, Any]]:
        """The recorded uploads, oldest first."""
        with self.store.read() as transaction:
            rows = transaction.all("uploads.list", customer=None, state=None, limit=10_000)
        return [dict(row) for row in reversed(rows)]

    def content(self, upload: dict[str, Any]) -> bytes:
        return (self.settings.spool_dir / upload["object"]).read_bytes()

    def turns_of_a_second(self) -> int:
        """How often the server's loop goes round between two of its turns that it counts, a second apart."""
        turns, loop = 0, self.server._ioloop.loop

        def counted(*how: Any, **named: Any) -> Any:
            nonlocal turns
            turns += 1
            return loop(*how, **named)

        self._wait_for_a_turn()
        self.server._ioloop.loop = counted
        self._wait_for_a_turn()
        self.server._ioloop.loop = loop
        return turns

    def _wait_for_a_turn(self) -> None:
        before = self.server.last_turn
        eventually(lambda: self.server.last_turn, lambda now: now > before)

    def settled(self, count: int = 1) -> list[dict[str, Any]]:
        """The recorded uploads, once there are ``count`` and all of them have their evidence."""
        return eventually(self.uploads, lambda rows: len(rows) >= count and all(row["evidence"] for row in rows))


class Wire:
    """A control connection in bytes: sends what no FTP library would, and reads replies."""

    def __init__(self, site: Site, *, greeted: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.server.port), 20)
        self._file = self.socket.makefile("rb")
        if greeted:
            assert self.reply().startswith("220 ")

    def send(self, *lines: str | bytes) -> None:
        """All lines in one segment."""
        data = b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines)
        self.socket.sendall(data)

    def reply(self) -> str:
        """The last line of the next reply; "" when the server has closed."""
        while line := self._file.readline().decode().rstrip("\r\n"):
            if line[:3].isdigit() and line[3:4] == " ":
                return line
        return ""

    def ask(self, *lines: str | bytes) -> str:
        """Sends all lines and returns the last reply."""
        self.send(*lines)
        return [self.reply() for _ in lines][-1]

    def log_in(self, site: Site) -> None:
        assert self.ask(f"USER {site.login.user}", f"PASS {site.login.password}").startswith("230 ")

    def passive(self) -> socket.socket:
        """A data connection."""
        numbers = self.ask("PASV").split("(")[1].split(")")[0].split(",")
        return socket.create_connection(("127.0.0.1", int(numbers[4]) * 256 + int(numbers[5])), 20)

    def store(self, name: str, data: bytes) -> str:
        """A whole upload; returns the final reply."""
        with self.passive() as connection:
            assert self.ask(f"STOR {name}")[:3] in ("125", "150")
            connection.sendall(data)
        return self.reply()

    def close(self) -> None:
        self._file.close()
        self.socket.close()
