from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.crash.processes import Step
from tests.databases import Server, server
from tests.nodes.cluster import Cluster

CUSTOMERS = ("locked", "reports", "mails", "restart", "killed", "frozen", "stuck", "dead")

STEPS = [
    Step("alp_daemon.services.process:finish_in", "after", "killed.csv"),
    Step("alp_daemon.services.process:_apply_or_hold", "before", "frozen.csv", by="SIGSTOP"),
    Step("alp_daemon.services.process:finish_in", "after", "stuck.csv", by="SIGSTOP"),
]
"""One after the other: a worker dies within its transaction, one stands still before it, one within it."""
KILLED, FROZEN, STUCK = range(len(STEPS))


class Inbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b""))
        return "250 OK"


class AnyPort(Controller):
    """Takes port 0, and knows afterwards which one it got."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


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
