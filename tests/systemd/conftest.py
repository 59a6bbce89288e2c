"""A stand-in for systemd's end of the notification socket, and a real daemon that reports to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

COMMAND = Path(sysconfig.get_path("scripts")) / "alp-daemon"
START_SECONDS = 30.0


@dataclass
class Manager:
    """The service manager: binds $NOTIFY_SOCKET and reads what it is told."""

    address: str
    socket: socket.socket
    heard: list[list[str]] = field(default_factory=list)

    def next(self, timeout: float = START_SECONDS) -> list[str]:
        """The lines of the next datagram."""
        self.socket.settimeout(timeout)
        lines = self.socket.recv(4096).decode().split("\n")
        self.heard.append(lines)
        return lines

    def wait_for(self, line: str, timeout: float = START_SECONDS) -> list[str]:
        """The lines of the next datagram that has this one; those before it are in ``heard``."""
        until = time.monotonic() + timeout
        while line not in (lines := self.next(max(until - time.monotonic(), 0.001))):
            pass
        return lines

    def rest(self) -> list[list[str]]:
        """Everything told so far."""
        self.socket.setblocking(False)
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode().split("\n"))
        except BlockingIOError:
            return self.heard


@pytest.fixture
def manager() -> Iterator[Manager]:
    # Not tmp_path: the path of a socket may have 107 characters only (unix(7)).
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"{folder}/notify")
        yield Manager(f"{folder}/notify", receiver)


@dataclass
class Site:
    """An installation with one customer, and the daemons that were started on it."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config.write_text(
            "data_dir: data\nworkers: 1\nscan_every: 1s\nftp: {host: 127.0.0.1, port: 0}\nweb: {port: 0}\n"
        )
        (self.folder / "customers").mkdir()
        self.add_customer("acme")

    @property
    def config(self) -> Path:
        return self.folder / "alp.yaml"

    @property
    def ports(self) -> Path:
        return self.folder / "data/ports.json"

    def add_customer(self, name: str) -> None:
        text = f"name: {name}\nkeyword: {name}\nfeeds: {{}}\n"
        (self.folder / f"customers/{name}.yaml").write_text(text)

    def serve(self, role: str = "all", **environment: str) -> subprocess.Popen[bytes]:
        """Starts `alp-daemon serve` with these environment variables."""
        inherited = {k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")}
        with (self.folder / "stderr").open("ab") as stderr:
            process = subprocess.Popen(
                [COMMAND, "serve", "--role", role, "--config", self.config], env=inherited | environment, stderr=stderr
            )
        self.started.append(process)
        return process

    def greeting(self) -> bytes:
        """What the FTP port says to who connects."""
        port = json.loads(self.ports.read_text())["ftp"]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            return client.recv(100)

    def uploads(self) -> dict[str, str]:
        """Name → state of every upload, as the command line tells it."""
        command: list[str | Path] = [COMMAND, "uploads", "--json", "--config", self.config]
        output = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        return {upload["name"]: upload["state"] for upload in json.loads(output)}

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    for process in site.started:
        if process.poll() is None:
            process.kill()
        process.wait()
