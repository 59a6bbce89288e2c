"""An installation under fault: its daemon as a client enters it, its files as they have to end, its process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import trustme

from tests.crash.outcome import assert_sound
from tests.crash.processes import Daemon
from tests.crash.provider import Provider
from tests.eventually import eventually
from tests.faults.campaign import Tally
from tests.proc import descriptors_of

ACME = """\
name: Acme Water
keyword: ACME
feeds:
  trailed:
    match: "trailed*.csv"
    mode: append
    file: {trailer: {starts_with: TRAILER, count_column: 2}}
    phones: [Phone]
    tags: [{column: Feeder}]
  members:
    match: "*.csv"
    mode: append
    phones: [Phone]
    tags: [{column: Feeder}]
"""
"""The mode that holds nothing back for its effect: a short file must be known by how it came."""

ROWS = 30_000
TRAILER = f"TRAILER,{ROWS}\n"
BODY = "Phone,Feeder\n" + "".join(f"+1212555{row % 10_000:04},feeder {row % 1_000:03}\n" for row in range(ROWS))
"""More than the kernel's buffers hold, so that a part of it has reached the server before the rest is sent."""


class Installation:
    """A provider with its customers, as a rule ``acme`` alone, and the FTP log-in of that one."""

    def __init__(
        self, folder: Path, ftp: str = "", customers: Mapping[str, str] = MappingProxyType({"acme": ACME})
    ) -> None:
        self.provider = Provider(folder)
        self.provider.set_up(dict(customers))
        self.authority = folder / "authority.pem"
        settings = (folder / "alp.yaml").read_text()
        tls = f"tls: {{certificate: {_certificate(self.authority)}, key: {self.authority.with_name('key.pem')}}}"
        self.provider.write("alp.yaml", settings.replace("port: 0}", f"port: 0, {tls}{ftp}}}", 1))

    def approve(self) -> None:
        """Takes the file as it is meant to be as the sample of each feed, and makes a log-in."""
        for feed, content in (("members", BODY), ("trailed", BODY + TRAILER)):
            sample = str(self.provider.write(f"{feed}-sample.csv", content))
            self.provider.done("approve", "acme", "--feed", feed, "--sample", sample, "--by", "ann")
        self.issue()

    def issue(self) -> None:
        self.login = self.issued("acme")

    def issued(self, name: str, kind: str = "ftp") -> SimpleNamespace:
        """A new log-in of a customer, or of an operator: ``user`` and ``password``."""
        return SimpleNamespace(**json.loads(self.provider.done("credentials", "issue", name, "--for", kind, "--json")))

    def token(self, *of: str) -> str:
        """A new token, by the words that ask the command line for it."""
        told: dict[str, str] = json.loads(self.provider.done("credentials", "issue", *of, "--json"))
        return told["token"]

    @contextmanager
    def running(self) -> Iterator[Door]:
        with self.provider.daemon() as daemon:
            yield self.door(daemon)

    def door(self, daemon: Daemon, login: SimpleNamespace | None = None) -> Door:
        ports = daemon.ports()
        assert ports is not None
        return Door(daemon, SimpleNamespace(port=ports["ftp"]), login or self.login, self.authority)

    def wait_for(self, uploads: int) -> None:
        """Until so many uploads have come, and all of them are worked."""
        eventually(
            lambda: len(self.provider.uploads()) == uploads and self.provider.is_idle(),
            otherwise=lambda: f"{len(self.provider.uploads())} of {uploads} uploads; {self.provider.log()[-600:]}",
        )

    def at_rest(self) -> list[dict[str, Any]]:
        """All uploads, once each is settled and worked and none is on its way."""
        incoming = self.provider.folder / "data/spool/incoming"
        eventually(
            lambda: not list(incoming.glob("*.part")), otherwise=lambda: f"still arriving: {[*incoming.iterdir()]}"
        )
        self.provider.wait_until_idle()
        return self.provider.uploads()

    def sound(self, tally: Tally) -> None:
        """No object without its record, no record without its object, and the history is the list."""
        try:
            assert_sound(self.provider)
        except AssertionError as error:
            tally.faults.append(f"not sound: {error}")


@dataclass(frozen=True, slots=True)
class Door:
    """Where a running daemon is entered. What ``tests.ftp.site.Wire`` asks of a site is here too."""

    daemon: Daemon
    server: SimpleNamespace
    login: SimpleNamespace
    authority: Path

    def descriptors(self) -> int:
        return descriptors_of(self.daemon.pid)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.daemon.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def assert_quiet(self, tally: Tally, descriptors: int) -> None:
        """Nobody is connected any more: what was opened is closed, and no loop goes round for nobody."""
        try:
            eventually(lambda: self.descriptors() <= descriptors)
        except AssertionError:
            tally.faults.append(f"{self.descriptors()} descriptors are open, before the faults it was {descriptors}")
        before = self.cpu_seconds()
        time.sleep(2)
        spent = (self.cpu_seconds() - before) / 2
        tally.counted["% of a core when idle"] = round(100 * spent)
        tally.expect(spent < 0.5, f"{spent:.0%} of a core is in use though nobody is connected")


def phone(index: int) -> str:
    """One of 400,000 valid numbers, as a file has it."""
    return f"212{555 + index // 10_000}{index % 10_000:04}"


def short_ones_applied(uploads: Sequence[dict[str, Any]], whole: dict[str, int]) -> list[str]:
    """Names of uploads that were applied though they are not as long as the file was. ``whole`` has the sizes."""
    return [row["name"] for row in uploads if row["state"] == "applied" and row["size"] != whole[row["name"]]]


def _certificate(authority: Path) -> Path:
    made = trustme.CA()
    issued = made.issue_cert("localhost", "127.0.0.1")
    made.cert_pem.write_to_path(authority)
    issued.private_key_pem.write_to_path(authority.with_name("key.pem"))
    chain = authority.with_name("chain.pem")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    return chain
