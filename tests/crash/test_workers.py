"""Worker processes die, the daemon lives: what they held is worked again, and nobody else is touched."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.crash.outcome import assert_sound
from tests.crash.processes import Step
from tests.crash.provider import Provider
from tests.eventually import eventually

CUSTOMERS = [f"school-{n}" for n in range(6)]
YAML = "name: School\nkeyword: JOIN\nfeeds: {}\nreport_to: [list@school.example]\n"
FILE = "2125550101,bus\n2125550102,bus,band\n2125550103\nnobody\n"

LIST = "number,status,tags\n+12125550101,opted_in,bus\n+12125550102,opted_in,band;bus\n+12125550103,opted_in,\n"
MAILS = "SELECT upload, count(*) AS n FROM outbox GROUP BY upload ORDER BY upload"

DEATHS = [
    Step("alp_daemon.services.processing.process:queue.claim", "after"),
    Step("alp_daemon.services.processing.process:read_source", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.insert_events", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.run", "after", "reports.put"),
    Step("alp_daemon.services.processing.process:_apply_or_hold", "after"),
    Step("alp_daemon.services.reports.publish:Reports.publish", "after"),
]


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    provider = Provider(tmp_path / "provider")
    provider.set_up(dict.fromkeys(CUSTOMERS, YAML))
    return provider


def send(provider: Provider, customer: str, content: str = FILE) -> None:
    provider.drop(customer, "preformatted/list.csv", content)


def test_workers_that_die_at_every_step_change_nothing(provider: Provider) -> None:
    for customer in CUSTOMERS:
        send(provider, customer)
    with provider.daemon(DEATHS):
        eventually(lambda: len(provider.uploads()) == len(CUSTOMERS), otherwise=provider.log)
        provider.wait_until_idle()
    assert provider.deaths() == len(DEATHS)
    assert {row["state"] for row in provider.uploads()} == {"applied"}
    assert {provider.export(customer) for customer in CUSTOMERS} == {LIST}
    assert [(row["upload"], row["n"]) for row in provider.rows(MAILS)] == [(n, 1) for n in range(1, 7)]
    assert len(list((provider.folder / "data/drop").rglob("reports/*.rejects.csv"))) == len(CUSTOMERS)
    assert_sound(provider)


def test_a_worker_that_dies_while_idle_is_replaced(provider: Provider) -> None:
    first, second, third, *_ = CUSTOMERS
    with provider.daemon() as daemon:
        send(provider, first)
        eventually(lambda: provider.states(first) == [("list.csv", "applied")], otherwise=provider.log)
        victims = daemon.workers()
        assert victims
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        eventually(lambda: not daemon.workers())
        send(provider, second)
        send(provider, third)
        eventually(lambda: provider.states(second) == [("list.csv", "applied")], otherwise=provider.log)
        eventually(lambda: provider.states(third) == [("list.csv", "applied")], otherwise=provider.log)


def test_a_worker_that_dies_takes_no_other_with_it(provider: Provider) -> None:
    stand_still = Step("alp_daemon.services.processing.process:read_source", "before", by="SIGSTOP")
    first, second, *_ = CUSTOMERS
    with provider.daemon([stand_still, stand_still]):
        send(provider, first)
        send(provider, second)
        eventually(lambda: provider.deaths() == 2, otherwise=provider.log)
        workers = provider.leases()
        os.kill(workers[first], signal.SIGKILL)
        eventually(lambda: provider.states(first) == [("list.csv", "applied")], otherwise=provider.log)
        os.kill(workers[second], signal.SIGCONT)
        provider.wait_until_idle()
    assert {row["customer"]: row["attempts"] for row in provider.uploads()} == {first: 2, second: 1}
    assert_sound(provider)
