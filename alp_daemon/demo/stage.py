"""A throw-away installation: a folder, customers, a real daemon in a process of its own, and FTP clients for it."""

from __future__ import annotations

import ftplib
import io
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from alp_daemon import settings as settings_file
from alp_daemon.customers import load_file
from alp_daemon.demo.certificate import write_certificate
from alp_daemon.demo.samples import Sample
from alp_daemon.errors import Unavailable
from alp_daemon.services.addresses import importing, wholelist
from alp_daemon.services.decisions import approval, preview
from alp_daemon.services.logins.credentials import Credentials, Issued
from alp_daemon.services.reports import shown
from alp_daemon.services.reports.report import Report
from alp_daemon.store.store import open_store

HOST: Final = "127.0.0.1"
BY: Final = "demo"

_SETTINGS: Final = f"""\
data_dir: data
customers_dir: customers
web:
  port: 0
ftp:
  host: {HOST}
  port: 0
  tls: {{certificate: demo.crt, key: demo.key}}
"""
_DAEMON: Final = "from alp_daemon.cli import main; main()"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
_UPLOAD_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02


class Stage:
    """``with Stage(folder) as stage`` makes it ready; the daemon runs from ``start`` to the end of the block.

    Customers are added before the start, so that the daemon knows them at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "daemon.log"
        self.authority = folder / "demo.crt"
        """What a client must trust for FTPS."""
        write_certificate(self.authority, folder / "demo.key", HOST, datetime.now(UTC))
        self.config = folder / "alp.yaml"
        """What a command needs to be about this installation."""
        self.config.write_text(_SETTINGS, encoding="utf-8")
        self.settings = settings_file.load(self.config)
        self.settings.customers_dir.mkdir()
        self.settings.data_dir.mkdir()
        self.store = open_store(self.settings.database_address)
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.store.close()

    # Before the start

    def add(self, sample: Sample, customer_id: str | None = None) -> Issued:
        """A sample's customer with its list, approved; returns its log-in."""
        return self.add_customer(
            customer_id or sample.name,
            sample.customer_file.read_text(encoding="utf-8"),
            before=sample.before,
            approved_with=sample.approved_with,
        )

    def add_customer(self, id_: str, yaml: str, *, before: Path | None, approved_with: Path | None) -> Issued:
        path = self.settings.customers_dir / f"{id_}.yaml"
        path.write_text(yaml, encoding="utf-8")
        customer, now = load_file(path), datetime.now(UTC)
        if before is None:
            importing.starts_empty(self.store, customer, BY, now)
        else:
            wholelist.bring(self.store, customer, before, BY, now)
        issued = None
        if approved_with is not None:
            feed = preview.choose_feed(customer, approved_with, None)
            issued = approval.approve(self.store, self.settings, customer, feed, approved_with, BY, now).issued
        return issued or Credentials(self.store).issue(id_, "ftp", BY, now)

    # The daemon

    def start(self) -> None:
        """Start the daemon and wait until its port accepts. Raises ``Unavailable`` with the end of its log."""
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(  # noqa: S603  our own program
                # -P: a yaml.py in the visitor's folder is not ours.
                [sys.executable, "-P", "-c", _DAEMON, "serve", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which then stops the daemon in order.
                start_new_session=True,
            )
        ends_at = time.monotonic() + _START_SECONDS
        while not self._ports_file.exists():
            if not self.is_running or time.monotonic() > ends_at:
                raise Unavailable(f"the daemon did not start; its log ends with:\n{self.end_of_log()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Let the daemon end in order."""
        if self._daemon is None:
            return
        self._daemon.terminate()
        try:
            self._daemon.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        self._daemon = None

    @property
    def is_running(self) -> bool:
        return self._daemon is not None and self._daemon.poll() is None

    @property
    def port(self) -> int:
        return self._port("ftp")

    @property
    def web_port(self) -> int:
        return self._port("web")

    def _port(self, name: str) -> int:
        return int(json.loads(self._ports_file.read_text(encoding="utf-8"))[name])

    @property
    def _ports_file(self) -> Path:
        return self.settings.data_dir / "ports.json"

    def end_of_log(self) -> str:
        """What the daemon said last, for messages."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])

    # Clients

    @contextmanager
    def ftp(self, login: Issued, *, tls: bool = False, source: str = "") -> Iterator[ftplib.FTP]:
        """A client that is logged in, and says QUIT at the end. ``source`` is the address that it comes from."""
        with self.connection(tls=tls, source=source) as client:
            client.login(login.user, login.password)
            if isinstance(client, ftplib.FTP_TLS):
                client.prot_p()
            yield client

    def connection(self, *, tls: bool = False, source: str = "") -> ftplib.FTP:
        """A client that is not logged in."""
        client = ftplib.FTP_TLS(context=self._trust(), timeout=20) if tls else ftplib.FTP(timeout=20)  # noqa: S321
        client.connect(HOST, self.port, source_address=(source, 0) if source else None)
        return client

    def send(self, login: Issued, name: str, content: bytes, *, tls: bool = False) -> None:
        """Upload a file as a customer does."""
        with self.ftp(login, tls=tls) as client:
            client.storbinary(f"STOR {name}", io.BytesIO(content))

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    # What came of it

    def ended(self, customer: str, count: int = 1) -> Report:
        """The report of a customer's newest upload, once there are ``count`` of them and all have been worked."""
        ends_at = time.monotonic() + _UPLOAD_SECONDS
        while time.monotonic() < ends_at:
            found = self.reports(customer)
            if len(found) >= count and all(each["state"] != "received" for each in found):
                return found[-1]
            time.sleep(_POLL_SECONDS)
        raise Unavailable(f"upload {count} of {customer} did not end; the daemon's log ends with:\n{self.end_of_log()}")

    def reports(self, customer: str | None = None) -> list[Report]:
        """The reports of a customer's uploads, or of everybody's, oldest first."""
        return shown.listed(self.store, customer, None, limit=1_000)[::-1]

    def exported(self, customer: str) -> str:
        """The list as ``alp-daemon export`` writes it."""
        text = io.StringIO()
        loaded = load_file(self.settings.customers_dir / f"{customer}.yaml")
        wholelist.export(self.store, loaded, wholelist.kind_meant(loaded, customer), None, text)
        return text.getvalue()
