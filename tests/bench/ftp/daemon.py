"""`alp-daemon serve` as a process, and customers that send to it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.ftp.server import Server
from tests.bench.site import Site

OURS = "alp-daemon"
_START_SECONDS = 30.0
_STOP_SECONDS = 60.0


class Provider:
    """A site with these customers (name → mode of their one feed), and a log-in for each."""

    def __init__(self, folder: Path, modes: Mapping[str, str], sample: Path) -> None:
        self.site = Site(folder)
        self.customers = list(modes)
        issued = [json.loads(self.site.configure(mode, sample, name)) for name, mode in modes.items()]
        self._logins = [(login["user"], login["password"]) for login in issued]

    @property
    def database(self) -> Path:
        return self.site.folder / "data/alp.db"

    @property
    def spool(self) -> Path:
        return self.site.folder / "data/spool"

    @contextmanager
    def serving(self, role: str = "all") -> Iterator[Server]:
        """A daemon with its ports open. With the role ``ftp`` files come in, and nobody works them."""
        with (self.site.folder / "daemon.log").open("ab") as log:
            process = subprocess.Popen(self.site.command("serve", "--role", role), stderr=log)
        try:
            yield Server(OURS, self._port(process), self._logins)
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)

    def _port(self, process: subprocess.Popen[bytes]) -> int:
        told = self.site.folder / "data/ports.json"
        ends_at = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < ends_at:
            if told.exists() and (ports := json.loads(told.read_text()))["pid"] == process.pid:
                return int(ports["ftp"])
            time.sleep(0.01)
        raise SystemExit(f"alp-daemon serve did not start; see {self.site.folder}/daemon.log")
