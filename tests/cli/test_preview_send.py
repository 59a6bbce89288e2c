"""``preview --send``: the customer is asked, by mail, to approve."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alp_daemon.store.store import open_store
from tests.cli.conftest import ACME, Terminal

WITH_RECIPIENT = ACME.replace("keyword: ACME\n", "keyword: ACME\nreport_to: [ops@acme.example]\n")


def mails(alp: Terminal) -> list[str]:
    store = open_store(alp.folder / "data/alp.db")
    with store.read() as transaction:
        bodies = [str(row["body"]) for row in transaction.all("outbox.due", now="9999", limit=10)]
    store.close()
    return bodies


@pytest.fixture
def url(alp: Terminal) -> None:
    with (alp.folder / "alp.yaml").open("a") as file:
        file.write("web: {url: https://lists.example.org/}\n")


@pytest.mark.usefixtures("url")
def test_mails_a_link(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(WITH_RECIPIENT)
    said = alp("preview", "acme", alp.file("members.csv"), "--send", "--by", "maria")
    assert (said.code, "mails ops@acme.example a link" in said.err) == (0, True), said.err
    (body,) = mails(alp)
    assert "https://lists.example.org/approval/" in body
    assert "+1212" not in body


@pytest.mark.usefixtures("url")
def test_says_who_asks(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(WITH_RECIPIENT)
    said = alp("preview", "acme", alp.file("members.csv"), "--send")
    assert (said.code, mails(alp)) == (64, [])
    assert "--by NAME" in said.err


@pytest.mark.usefixtures("url")
def test_needs_somebody_to_ask(alp: Terminal) -> None:
    said = alp("preview", "acme", alp.file("members.csv"), "--send", "--by", "maria")
    assert (said.code, mails(alp)) == (77, [])
    assert "report_to" in said.err


def test_needs_our_own_address(alp: Terminal, configure: Callable[[str], None]) -> None:
    configure(WITH_RECIPIENT)
    said = alp("preview", "acme", alp.file("members.csv"), "--send", "--by", "maria")
    assert (said.code, mails(alp)) == (78, [])
    assert "web.url" in said.err
