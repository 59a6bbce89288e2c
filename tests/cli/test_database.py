"""``copy-database`` on the command line: only from a database that nobody is at work on."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import pytest

from alp_daemon.services.operations.nodes import Presence
from alp_daemon.settings import Settings
from alp_daemon.store.store import migrate, open_store
from tests.cli.conftest import Said, Terminal
from tests.databases import server


@pytest.fixture
def worked(alp: Terminal) -> Terminal:
    assert alp("process", "acme", alp.file("members.csv")).code == 0
    return alp


def copied(alp: Terminal, source: str, target: str) -> Said:
    # The connections of the commands before end with their processes; here they end with their objects.
    gc.collect()
    return alp("copy-database", source, target)


def test_a_database_at_rest_is_copied(worked: Terminal) -> None:
    said = copied(worked, "data/alp.db", "new.db")
    assert (said.code, said.err) == (0, "")
    assert "addresses\t2\t" in said.out


def test_one_that_somebody_has_open_is_not(worked: Terminal) -> None:
    store = open_store(worked.folder / "data" / "alp.db")
    said = copied(worked, "data/alp.db", "new.db")
    assert (said.code, "stop it first" in said.err) == (69, True)
    assert not (worked.folder / "new.db").exists()
    store.close()
    assert copied(worked, "data/alp.db", "new.db").code == 0


def test_one_that_is_not_there(worked: Terminal) -> None:
    said = copied(worked, "data/old.db", "new.db")
    assert (said.code, "there is no such SQLite file" in said.err) == (66, True)
    assert not (worked.folder / "new.db").exists()


def test_one_on_a_server_that_nodes_are_at_work_on_is_not(worked: Terminal) -> None:
    address = server().new()
    migrate(address)
    assert copied(worked, "data/alp.db", address).code == 0
    store = open_store(address)
    there = Presence(store, Settings(data_dir=worked.folder / "there", node="ftp-2"), "ftp")
    there.enter(datetime.now(UTC))
    said = copied(worked, address, "back.db")
    assert said.code == 69
    assert "ftp-2 (ftp) is at work on it" in said.err
    assert "stop every node first" in said.err
    assert not (worked.folder / "back.db").exists()
    there.leave()
    assert copied(worked, address, "back.db").code == 0
    store.close()
