"""Two nodes on one PostgreSQL database behind a real HAProxy, all by the files of samples/scale-out.

Every address of the sample becomes one of loopback: the balancer's 127.0.0.1, a node's 127.0.1.1 and so on. The third
node of the sample is never there.
"""

from __future__ import annotations

import ftplib
import json
import random
import shutil
import socket
import ssl
import subprocess
import sysconfig
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from alp_daemon.store.store import open_store
from tests.eventually import eventually

SAMPLE = Path(__file__).parents[2] / "samples" / "scale-out"
COMMAND = Path(sysconfig.get_path("scripts")) / "alp-daemon"
BALANCER = "127.0.0.1"
NODES = ("127.0.1.1", "127.0.1.2")
PORTS_OF_A_NODE = 8
ACME = """\
name: Acme Water
keyword: ACME
feeds:
  members:
    match: "*.csv"
    mode: append
    phones: [Phone]
"""


@dataclass
class Cluster:
    """What is running, and how to reach it. ``base``: the first of the ports that it has for itself."""

    folder: Path
    database: str
    authority: trustme.CA
    base: int = field(default_factory=lambda: free_ports(4 + 3 * PORTS_OF_A_NODE))
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ftp_port, self.web_port, self.node_port, self.node_web_port = range(self.base, self.base + 4)
        (self.folder / "spool").mkdir()
        self._certificates()
        for number in range(len(NODES)):
            (self.folder / f"node{number}").mkdir()
            (self.folder / f"node{number}" / "alp.yaml").write_text(self._settings(number))
        (self.folder / "haproxy.cfg").write_text(self._balancer())
        customers = self.folder / "customers"
        customers.mkdir()
        (customers / "acme.yaml").write_text(ACME)
        self.done("customers", "push", "--folder", str(customers), "--by", "maria")
        issued = json.loads(self.done("credentials", "issue", "acme", "--json"))
        self.user, self.password = issued["user"], issued["password"]
        self.store = open_store(self.database)

    def done(self, *arguments: str, node: int = 0) -> str:
        """A command on a node; its output."""
        config = str(self.folder / f"node{node}" / "alp.yaml")
        told = subprocess.run([COMMAND, *arguments, "--config", config], capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def start(self) -> None:
        for number in range(len(NODES)):
            self.nodes.append(self._serve(number))
        with (self.folder / "haproxy.log").open("wb") as log:
            self._haproxy = subprocess.Popen(
                [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", self.folder / "haproxy.cfg"], stderr=log
            )
        eventually(lambda: self.greeting(BALANCER), lambda text: text.startswith(b"220 "))

    def stop(self) -> None:
        for process in [self._haproxy, *self.nodes]:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self.store.close()

    def restart(self, number: int) -> None:
        self.nodes[number] = self._serve(number)
        eventually(lambda: self.is_up(number), bool)

    def is_up(self, number: int) -> bool:
        with suppress(OSError), socket.create_connection((NODES[number], self.node_port), 5):
            return True
        return False

    def greeting(self, source: str) -> bytes:
        """What a client of this address is told first; b"" where it is told nothing."""
        with suppress(OSError), self.connect(source) as client:
            return client.recv(200)
        return b""

    def connect(self, source: str) -> socket.socket:
        return socket.create_connection((BALANCER, self.ftp_port), 20, source_address=(source, 0))

    def enter(self, source: str, *, tls: bool = False) -> ftplib.FTP:
        """A client of this address, logged in, data connections included."""
        ftp = ftplib.FTP_TLS(context=self.trusting(), timeout=30) if tls else ftplib.FTP(timeout=30)
        ftp.connect(BALANCER, self.ftp_port, source_address=(source, 0))
        ftp.host = "localhost"
        ftp.login(self.user, self.password)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        return ftp

    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def uploads(self, name: str) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            rows = transaction.all("uploads.list", customer="acme", state=None, limit=1000)
        return [dict(row) for row in rows if row["name"] == name]

    def settled(self, name: str) -> dict[str, Any]:
        """The upload of this name, once it is known how it ended."""
        (row,) = eventually(lambda: self.uploads(name), lambda rows: bool(rows) and bool(rows[0]["evidence"]))
        return row

    def _serve(self, number: int) -> subprocess.Popen[bytes]:
        folder = self.folder / f"node{number}"
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen([COMMAND, "serve", "--config", folder / "alp.yaml"], stderr=log, stdout=log)
        eventually(lambda: self.is_up(number) or process.poll() is not None, bool)
        assert process.poll() is None, (folder / "log").read_text()
        return process

    def _settings(self, number: int) -> str:
        return replaced(
            (SAMPLE / "alp.yaml").read_text(),
            {
                "node: ftp-1": f"node: ftp-{number + 1}\nworkers: 1\nscan_every: 1s",
                "/var/lib/alp-daemon": str(self.folder / f"node{number}" / "data"),
                "postgresql://alp@db.example.net/alp": self.database,
                "/srv/alp-daemon/spool": str(self.folder / "spool"),
                "50000-50099": self._range(number),
                "10.0.0.11": NODES[number],
                "10.0.0.5": BALANCER,
                "203.0.113.10": BALANCER,
                "/etc/alp-daemon/ftp.crt": str(self.folder / "chain.pem"),
                "/etc/alp-daemon/ftp.key": str(self.folder / "key.pem"),
                "required: yes": "required: no",  # to see both
                "port: 2121": f"port: {self.node_port}",
                "port: 8080": f"port: {self.node_web_port}",
            },
        )

    def _balancer(self) -> str:
        return replaced(
            (SAMPLE / "haproxy.cfg").read_text(),
            {
                "203.0.113.10:21\n": f"{BALANCER}:{self.ftp_port}\n",
                "203.0.113.10:443": f"{BALANCER}:{self.web_port}",
                "203.0.113.10:50000-50099": f"{BALANCER}:{self._range(0)}",
                "203.0.113.10:50100-50199": f"{BALANCER}:{self._range(1)}",
                "203.0.113.10:50200-50299": f"{BALANCER}:{self._range(2)}",
                "10.0.0.11": NODES[0],
                "10.0.0.12": NODES[1],
                "10.0.0.13": "127.0.1.3",
                ":2121": f":{self.node_port}",
                ":8080": f":{self.node_web_port}",
                "/etc/haproxy/lists.example.org.pem": str(self.folder / "both.pem"),
            },
        )

    def _range(self, number: int) -> str:
        first = self.base + 4 + number * PORTS_OF_A_NODE
        return f"{first}-{first + PORTS_OF_A_NODE - 1}"

    def _certificates(self) -> None:
        issued = self.authority.issue_cert("localhost", BALANCER)
        issued.private_key_pem.write_to_path(self.folder / "key.pem")
        for pem in issued.cert_chain_pems:
            pem.write_to_path(self.folder / "chain.pem", append=True)
        issued.private_key_and_cert_chain_pem.write_to_path(self.folder / "both.pem")
        self.authority.cert_pem.write_to_path(self.folder / "authority.pem")


def replaced(text: str, by: dict[str, str]) -> str:
    """The sample with everything put in: what it does not have any more is a mistake of this test."""
    for old, new in by.items():
        assert old in text, f"the sample has no {old!r}"
        text = text.replace(old, new)
    return text


def free_ports(count: int) -> int:
    """The first of so many ports in a row, free on all addresses, below those that the system gives out by itself."""
    while True:
        first = random.randrange(20_000, 32_000 - count)
        if all(_is_free(address, port) for address in (BALANCER, *NODES) for port in range(first, first + count)):
            return first


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        return True
    return False
