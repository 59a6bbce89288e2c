from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.processes import Step
from tests.databases import Server, server
from tests.nodes.cluster import Cluster
from tests.smtp import AnyPort, Inbox

CUSTOMERS = ("locked", "reports", "mails", "restart", "killed", "frozen", "stuck", "dead")

STEPS = [
    Step("alp_daemon.services.processing.process:finish_in", "after", "killed.csv"),
    Step("alp_daemon.services.processing.process:_apply_or_hold", "before", "frozen.csv", by="SIGSTOP"),
    Step("alp_daemon.services.processing.process:finish_in", "after", "stuck.csv", by="SIGSTOP"),
]
"""One after the other: a worker dies within its transaction, one stands still before it, one within it."""
KILLED, FROZEN, STUCK = range(len(STEPS))


@pytest.fixture(scope="module")
def inbox() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    controller = AnyPort(inbox, hostname="127.0.0.1", port=0)
    controller.start()
    yield inbox, controller.port
    controller.stop()


@pytest.fixture(scope="module")
def postgres() -> Server:
    pytest.importorskip("psycopg", reason="no psycopg: pip install -e '.[postgres]'")
    return server()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres: Server, inbox: tuple[Inbox, int]) -> Iterator[Cluster]:
    """Three nodes that run. Each test has a customer of its own, and leaves all three running."""
    cluster = Cluster(tmp_path_factory.mktemp("nodes"), postgres, inbox[1], CUSTOMERS, STEPS)
    postgres.keep()
    with cluster.running():
        yield cluster
