"""Thousands of small files, as quickly as they are worked: no process takes more memory with the files it has seen.

What a soak shows in an hour is here a matter of minutes: 200 bytes kept of each file are four megabytes in the end.
Looks are taken while nothing is in work, and what is flat is said in ``tests.faults.flat``.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.connections import entered
from tests.faults.flat import Watch, of_a_service
from tests.faults.installation import Door
from tests.faults.subject import as_file, id_of, installed, some_rows
from tests.services.provider import MODES

Chance = random.Random

CUSTOMERS = 8
_FILES_A_SESSION = 10
_RUSH = 5
"""Sessions that each customer begins with, all at once, so that all threads of the daemon are there."""
_JUDGED_FROM = 60
"""Looks: some 5,000 files."""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """So many files or a few more: each customer has a session at a time, every other one over TLS."""
    tally, chance = Tally(), Chance(seed)
    installation = installed(folder, CUSTOMERS)
    sessions = range(-(-rounds // (CUSTOMERS * _FILES_A_SESSION)))
    with installation.provider.daemon(environment=of_a_service()) as daemon:
        doors = [installation.door(daemon, installation.issued(id_of(number))) for number in range(CUSTOMERS)]
        watch = Watch(daemon, _JUDGED_FROM)
        for at_once in (sessions[:_RUSH], *([session] for session in sessions[_RUSH:])):
            tally.rounds += _come(doors, at_once, chance)
            installation.provider.wait_until_idle()
            watch.look()
        watch.judge(tally)
    for row in installation.provider.rows("SELECT state, count(*) AS files FROM uploads GROUP BY state"):
        tally.counted[f"file {row['state']}"] += row["files"]
    worked = sum(tally.counted[f"file {state}"] for state in ("applied", "held", "discarded", "rejected"))
    tally.expect(worked == tally.rounds, f"{worked} of {tally.rounds} files were worked")
    installation.sound(tally)
    return tally


def _come(doors: Sequence[Door], sessions: Sequence[int], chance: Chance) -> int:
    """All customers at once, each with these sessions. Returns how many files they have sent."""
    calls = [(door, Chance(chance.random()), session) for door in doors for session in sessions]
    with ThreadPoolExecutor(len(calls)) as crowd:
        return sum(crowd.map(_session, *zip(*calls, strict=True)))


def _session(door: Door, chance: Chance, session: int) -> int:
    """A customer comes, sends its files and leaves. Returns how many."""
    with entered(door, tls=session % 2 == 0) as ftp:
        for number in range(_FILES_A_SESSION):
            feed = chance.choice((*MODES, "preformatted", "garbage"))
            name = f"{feed}-{session:06}-{number}.csv"
            if feed == "garbage":
                # By its name it is one of the feed that takes all that is added.
                ftp.storbinary(f"STOR append-{name}", io.BytesIO(chance.randbytes(2_000)))
            else:
                place = "preformatted/" if feed == "preformatted" else ""
                ftp.storbinary(f"STOR {place}{name}", io.BytesIO(as_file(feed, some_rows(chance))))
    return _FILES_A_SESSION
