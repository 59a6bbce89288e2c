"""Two clients send files of one name at once: both are whole, and both are applied."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.installation import Door, Installation
from tests.ftp.site import Wire


def run(folder: Path, rounds: int, seed: int) -> Tally:
    tally, chance = Tally(), random.Random(seed)
    installation = Installation(folder)
    installation.approve()
    sent: set[tuple[str, str]] = set()
    with installation.running() as door:
        for number in range(rounds):
            contents = [_content(chance, number, each) for each in range(2)]
            name = f"members-{number}.csv"
            replies = _send_both(door, name, contents, chance)
            tally.expect(all(reply.startswith("226 ") for reply in replies), f"{name}: {replies}")
            sent |= {(name, hashlib.sha256(content).hexdigest()) for content in contents}
            tally.rounds += 1
        uploads = installation.at_rest()
    kept = [(row["name"], row["sha256"]) for row in uploads if row["state"] == "applied"]
    tally.counted["applied whole"] = len(sent & set(kept))
    tally.expect(set(kept) == sent and len(kept) == len(sent), f"sent and applied differ: {sent ^ set(kept)}")
    installation.sound(tally)
    return tally


def _content(chance: random.Random, number: int, each: int) -> bytes:
    row = f"+1212555{(2 * number + each) % 10_000:04},pair {number} {each}\n".encode()
    return b"Phone,Feeder\n" + row * chance.randint(1, 5_000)


def _send_both(door: Door, name: str, contents: list[bytes], chance: random.Random) -> list[str]:
    """Piece by piece, now of the one and now of the other."""
    wires = [Wire(door), Wire(door)]
    for wire in wires:
        wire.log_in(door)
    connections = [wire.passive() for wire in wires]
    for wire in wires:
        assert wire.ask(f"STOR {name}").startswith(("125", "150"))
    left = list(contents)
    while any(left):
        which = chance.choice([number for number in range(2) if left[number]])
        piece = chance.randint(1, 20_000)
        connections[which].sendall(left[which][:piece])
        left[which] = left[which][piece:]
    for connection in chance.sample(connections, 2):
        connection.close()
    replies = [wire.reply() for wire in wires]
    for wire in wires:
        wire.ask("QUIT")
        wire.close()
    return replies
