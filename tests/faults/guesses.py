"""Guessers by the hundred: of each address exactly four passwords are judged, also when the daemon dies meanwhile.

Every other guesser has a /64 of IPv6 to itself, and guesses from a new address of it each time. In the end one of them
is let in again: an hour after its last judged guess, and not a second before.
"""

from __future__ import annotations

import ipaddress
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.faults.campaign import Skipped, Tally
from tests.faults.faketime import Clock
from tests.faults.installation import Door, Installation
from tests.faults.mounts import own_network
from tests.ftp.site import Wire

LIMIT = 4
_PARALLEL, _PIPELINED = 200, 180
_MANY = ", max_connections: 600, max_connections_per_ip: 300"
_KILL_EACH = 5
_BLOCK = timedelta(hours=1)
_IPV6_FREEBIND = 78
"""linux/in6.h"""


@dataclass(frozen=True, slots=True)
class _Guesser:
    """One that counts as one, from as many addresses as it has."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network

    @property
    def name(self) -> str:
        """As a lockout names it."""
        return str(self.network.network_address) if self.network.num_addresses == 1 else str(self.network)

    def address(self, number: int) -> str:
        return str(self.network[(number + 1) % self.network.num_addresses])  # the first of a /64 is its routers'


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """Each round has a guesser of its own: 200 parallel guesses or 180 pipelined ones, some around a restart."""
    tally = Tally()
    installation = Installation(folder, _MANY)
    settings = folder / "alp.yaml"
    settings.write_text(settings.read_text().replace("ftp: {host: 127.0.0.1", 'ftp: {host: "::"', 1))
    installation.issue()
    try:
        with own_network() as network:
            halves = zip(_ipv4(rounds), network.subnets(new_prefix=64), strict=False)
            guessers = [_Guesser(each) for pair in halves for each in pair][:rounds]
            _guess(installation, tally, guessers, random.Random(seed))
    except Skipped as reason:
        tally = Tally(counted=Counter({f"without IPv6: {reason}": 1}))
        _guess(installation, tally, [_Guesser(each) for each in _ipv4(rounds)], random.Random(seed))
    try:
        _guess_for_an_hour(installation, tally, Clock(folder / "clock"))
    except Skipped as reason:
        tally.counted[f"the hour was not staged: {reason}"] = 1
    return tally


def _ipv4(rounds: int) -> Iterator[ipaddress.IPv4Network]:
    return (ipaddress.IPv4Network(f"127.0.{1 + number // 200}.{1 + number % 200}") for number in range(rounds))


def _guess(installation: Installation, tally: Tally, guessers: list[_Guesser], chance: random.Random) -> None:
    replies = {guesser: Counter[str]() for guesser in guessers}
    done = 0
    while done < len(guessers):
        with installation.provider.daemon() as daemon:
            door = installation.door(daemon)
            for guesser in guessers[done : done + _KILL_EACH]:
                way = chance.choice((_in_parallel, _pipelined))
                replies[guesser].update(way(door, guesser))
                tally.rounds += 1
            done += _KILL_EACH
            for guesser in guessers[done : done + 1]:  # it goes on with its guesses in the daemon's next life
                replies[guesser].update(_one_by_one(door, guesser, chance.randint(1, LIMIT - 1)))
            daemon.kill()
    with installation.running() as door:
        for guesser in guessers:
            tally.counted.update(replies[guesser])
            judged = replies[guesser]["judged"]
            tally.expect(judged == LIMIT, f"{judged} passwords of {guesser.name} were judged")
            recorded = _recorded(installation, guesser)
            tally.expect(recorded == LIMIT, f"{recorded} failures of {guesser.name} are on record")
            tally.expect(not _enters(door, guesser.address(7)), f"{guesser.name} is let in though it is locked out")
        tally.expect(_enters(door, "127.0.0.1"), "an honest client is kept out")


def _guess_for_an_hour(installation: Installation, tally: Tally, clock: Clock) -> None:
    """The clock stands still, so that a second is one exactly."""
    began = datetime.now(UTC).replace(microsecond=0)
    guesser = _Guesser(ipaddress.IPv4Network("127.8.0.1"))
    clock.stop(began)
    with clock.worn(), installation.running() as door:
        judged = _one_by_one(door, guesser, LIMIT)["judged"]
        tally.expect(judged == LIMIT, f"{judged} passwords were judged while the clock stood still")
        clock.stop(began + _BLOCK - timedelta(seconds=1))
        tally.expect(not _enters(door, guesser.address(0)), "released a second before its hour is over")
        clock.stop(began + _BLOCK)
        tally.expect(_enters(door, guesser.address(0)), "still locked out when its hour is over")
    tally.counted["released at one hour"] = 1


def _in_parallel(door: Door, guesser: _Guesser) -> Counter[str]:
    replies: Counter[str] = Counter()
    with _wires(door, guesser, _PARALLEL) as wires:
        for wire in wires:
            wire.send("USER acme", "PASS wrong")
        for wire in wires:
            replies[_kind([reply for reply in (wire.reply(), wire.reply()) if reply][-1])] += 1
    return replies


def _pipelined(door: Door, guesser: _Guesser) -> Counter[str]:
    replies: Counter[str] = Counter()
    with _wires(door, guesser, 1) as (wire,):
        wire.send(*["USER acme", "PASS wrong"] * (_PIPELINED // 2))
        while reply := wire.reply():
            if not reply.startswith("331"):
                replies[_kind(reply)] += 1
    return replies


def _one_by_one(door: Door, guesser: _Guesser, guesses: int) -> Counter[str]:
    replies: Counter[str] = Counter()
    for _ in range(guesses):
        with _wires(door, guesser, 1) as (wire,):
            replies[_kind(wire.ask("USER acme", "PASS wrong"))] += 1
    return replies


def _kind(reply: str) -> str:
    return {"530": "judged", "421": "refused unjudged"}.get(reply[:3], f"answered {reply[:3]!r}")


def _recorded(installation: Installation, guesser: _Guesser) -> int:
    rows = installation.provider.rows("SELECT failures FROM lockouts WHERE ip = ?", guesser.name)
    return int(rows[0]["failures"]) if rows else 0


def _enters(door: Door, address: str) -> bool:
    wire = _Wire(door, address)
    try:
        login = f"USER {door.login.user}", f"PASS {door.login.password}"
        return wire.greeting.startswith("220") and wire.ask(*login)[:3] == "230"
    finally:
        wire.close()


@contextmanager
def _wires(door: Door, guesser: _Guesser, count: int) -> Iterator[list[Wire]]:
    """Control connections that come from the guesser's addresses."""
    wires: list[Wire] = [_Wire(door, guesser.address(number)) for number in range(count)]
    try:
        yield wires
    finally:
        for wire in wires:
            wire.close()


class _Wire(Wire):
    """From any address of the loopback network, or of one of our own."""

    def __init__(self, door: Door, address: str) -> None:
        self.socket = _connected(door, address)
        self._file = self.socket.makefile("rb")
        self.greeting = self.reply()


def _connected(door: Door, address: str) -> socket.socket:
    family, here = (socket.AF_INET6, "::1") if ":" in address else (socket.AF_INET, "127.0.0.1")
    connection = socket.socket(family)
    connection.settimeout(20)
    if family is socket.AF_INET6:
        # The network is routed to this machine, but no interface has its addresses.
        connection.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
    connection.bind((address, 0))
    connection.connect((here, door.server.port))
    return connection
