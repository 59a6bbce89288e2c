"""Five customers send file after file while somebody kills workers and daemons at random moments.

``ALP_CRASH_ROUNDS=1000`` for a night, ``ALP_CRASH_SEED`` for the same one again.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from alp_daemon.services.processing.process import MAX_ATTEMPTS
from tests.crash.model import List, Rows, apply, exported, file_of
from tests.crash.outcome import assert_sound
from tests.crash.processes import Daemon
from tests.crash.provider import Provider
from tests.eventually import eventually

ROUNDS = int(os.environ.get("ALP_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("ALP_CRASH_SEED", time.time_ns() % 10**6))
# An upload that has stopped its worker three times is not tried again, and that is as it should be.
ROUNDS_BETWEEN_RESTS = MAX_ATTEMPTS - 1

MODES = ["append", "append_tags", "soft_opt_out", "soft_opt_out_tags", "hard_opt_out"]
YAML = """\
name: {mode}
keyword: JOIN
modes: [{mode}]
report_to: [list@example.org]
feeds:
  all:
    match: "list-*.csv"
    mode: {mode}
    phones: [Phone]
    tags: [{{column: Tag}}]
    guard: {{max_omitted: 100%, max_tags_removed: 100%}}
"""


@dataclass
class Sent:
    """What one customer has sent, and what its list has to be once all of it is applied."""

    mode: str
    numbers: List = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)

    @property
    def customer(self) -> str:
        return self.mode.replace("_", "-")

    def send(self, provider: Provider, rows: Rows) -> None:
        self.names.append(f"list-{len(self.names):05}.csv")
        self.changed.append(apply(self.numbers, rows, self.mode))
        provider.drop(self.customer, self.names[-1], file_of(rows))


def random_rows(random: Random) -> Rows:
    numbers = [f"21255501{n:02}" for n in random.sample(range(60), random.randint(1, 40))]
    return [(number, random.choice("abc")) for number in numbers for _ in range(random.choice((1, 1, 1, 2)))]


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_random_kills_change_nothing(tmp_path: Path) -> None:
    print(f"ALP_CRASH_SEED={SEED} ALP_CRASH_ROUNDS={ROUNDS}")
    random = Random(SEED)
    senders = [Sent(mode) for mode in MODES]
    provider = set_up(Provider(tmp_path / "provider"), senders)
    done = 0
    while done < ROUNDS:
        with provider.daemon() as daemon:
            while done < ROUNDS and not daemon.is_dead:
                if done % ROUNDS_BETWEEN_RESTS == 0:
                    wait_for_all(provider, senders)
                for sender in senders:
                    for _ in range(random.randint(0, 3)):
                        sender.send(provider, random_rows(random))
                kill_somebody(provider, daemon, random)
                done += 1
    with provider.daemon():
        wait_for_all(provider, senders)
    for sender in senders:
        assert_as_if_nothing_had_happened(provider, sender)
    assert_sound(provider)


def set_up(provider: Provider, senders: list[Sent]) -> Provider:
    provider.set_up({sender.customer: YAML.format(mode=sender.mode) for sender in senders})
    sample = str(provider.write("list-sample.csv", file_of([("2125550100", "a")])))
    for sender in senders:
        provider.done("approve", sender.customer, "--sample", sample, "--by", "ann")
    return provider


def kill_somebody(provider: Provider, daemon: Daemon, random: Random) -> None:
    """A worker or the daemon: at any moment, or more often while an upload is in work, which is soon over."""
    if random.random() < 0.3:
        time.sleep(random.uniform(0, 0.8))
        victims = daemon.workers()
    else:
        victims = workers_at_work(provider)
        time.sleep(random.uniform(0, 0.015))
    if not victims or random.random() < 0.4:
        daemon.kill()
        return
    with suppress(ProcessLookupError):
        os.kill(random.choice(victims), signal.SIGKILL)


def workers_at_work(provider: Provider) -> list[int]:
    """The workers that hold an upload; waits for one, but not for ever: perhaps nothing is left to do."""
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        if held := provider.leases():
            return list(held.values())
    return []


def wait_for_all(provider: Provider, senders: list[Sent]) -> None:
    files = sum(len(sender.names) for sender in senders)
    eventually(lambda: len(provider.uploads()) == files, otherwise=provider.log)
    provider.wait_until_idle()


def assert_as_if_nothing_had_happened(provider: Provider, sender: Sent) -> None:
    assert provider.export(sender.customer) == exported(sender.numbers)
    assert provider.states(sender.customer) == [(name, "applied") for name in sender.names]
    query = (
        "SELECT u.name, coalesce(sum(c.events), 0) AS changed, (SELECT count(*) FROM outbox o WHERE o.upload = u.id)"
        " AS mails FROM uploads u LEFT JOIN changes c ON c.upload = u.id WHERE u.customer = ? GROUP BY u.id"
    )
    found = {row["name"]: (row["changed"], row["mails"]) for row in provider.rows(query, sender.customer)}
    assert found == {name: (changed, 1) for name, changed in zip(sender.names, sender.changed, strict=True)}
