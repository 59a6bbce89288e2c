"""Guessers by the hundred: of each address exactly four passwords are judged, also when the daemon dies meanwhile."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.installation import Door, Installation
from tests.ftp.site import Wire

LIMIT = 4
_PARALLEL, _PIPELINED = 200, 180
_MANY = ", max_connections: 600, max_connections_per_ip: 300"
_KILL_EACH = 5


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """Each round has an address of its own: 200 parallel guesses or 180 pipelined ones, some around a restart."""
    tally, chance = Tally(), random.Random(seed)
    installation = Installation(folder, _MANY)
    installation.issue()
    addresses = [f"127.0.{1 + number // 200}.{1 + number % 200}" for number in range(rounds)]
    done = 0
    while done < rounds:
        with installation.provider.daemon() as daemon:
            door = installation.door(daemon)
            for address in addresses[done : done + _KILL_EACH]:
                guesses = _in_parallel if chance.random() < 0.5 else _pipelined
                tally.counted.update(guesses(door, address))
                tally.rounds += 1
            done = min(done + _KILL_EACH, rounds)
            for address in addresses[done : done + 1]:  # it goes on with its guesses in the daemon's next life
                tally.counted.update(_guessed_before_the_end(door, address, chance.randint(1, LIMIT - 1)))
            daemon.kill()
    with installation.running() as door:
        for address in addresses:
            found = _judged(installation, address)
            tally.expect(found == LIMIT, f"{found} passwords of {address} were judged")
            tally.expect(not _enters(door, address), f"{address} is let in though it is locked out")
        tally.expect(_enters(door, "127.0.0.1"), "an honest client is kept out")
    return tally


def _in_parallel(door: Door, address: str) -> Counter[str]:
    replies: Counter[str] = Counter()
    with _wires(door, address, _PARALLEL) as wires:
        for wire in wires:
            wire.send("USER acme", "PASS wrong")
        for wire in wires:
            replies[_kind([reply for reply in (wire.reply(), wire.reply()) if reply][-1])] += 1
    return replies


def _pipelined(door: Door, address: str) -> Counter[str]:
    replies: Counter[str] = Counter()
    with _wires(door, address, 1) as (wire,):
        wire.send(*["USER acme", "PASS wrong"] * (_PIPELINED // 2))
        while reply := wire.reply():
            if not reply.startswith("331"):
                replies[_kind(reply)] += 1
    return replies


def _guessed_before_the_end(door: Door, address: str, guesses: int) -> Counter[str]:
    replies: Counter[str] = Counter()
    for _ in range(guesses):
        with _wires(door, address, 1) as (wire,):
            replies[_kind(wire.ask("USER acme", "PASS wrong"))] += 1
    return replies


def _kind(reply: str) -> str:
    return {"530": "judged", "421": "refused unjudged"}.get(reply[:3], f"answered {reply[:3]!r}")


def _judged(installation: Installation, address: str) -> int:
    rows = installation.provider.rows("SELECT failures FROM lockouts WHERE ip = ?", address)
    return int(rows[0]["failures"]) if rows else 0


def _enters(door: Door, address: str) -> bool:
    with _wires(door, address, 1) as (wire,):
        return (
            wire.greeting.startswith("220")
            and wire.ask(f"USER {door.login.user}", f"PASS {door.login.password}")[:3] == "230"
        )


@contextmanager
def _wires(door: Door, address: str, count: int) -> Iterator[list[Wire]]:
    """Control connections that come from this address of the loopback network."""
    wires = [_Wire(door, address) for _ in range(count)]
    try:
        yield wires  # type: ignore[misc]
    finally:
        for wire in wires:
            wire.close()


class _Wire(Wire):
    def __init__(self, door: Door, address: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", door.server.port), 20, (address, 0))
        self._file = self.socket.makefile("rb")
        self.greeting = self.reply()
