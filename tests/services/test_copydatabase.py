"""An installation moves to another database with all it has, and goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alp_daemon.errors import NotFound, Refused, TryAgain, Unavailable
from alp_daemon.services.safekeeping.copydatabase import at_rest, copy_database
from alp_daemon.store import copying
from alp_daemon.store.sql import migrations
from alp_daemon.store.store import Store, migrate, open_store
from tests.databases import server, sqlite_only
from tests.services.provider import Provider, number, numbers


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    address = str(tmp_path / "target.db") if request.param == "sqlite" else server().new()
    migrate(address)
    store = open_store(address)
    yield store
    store.close()


@pytest.fixture
def worked(acme: Provider) -> Provider:
    """A provider that has something in nearly every table."""
    acme.process("append_tags.csv", {number(1): "a|b", number(2): "", number(3): "ü"})
    acme.process("soft_opt_out.csv", numbers(2))
    acme.text(number(1), "STOP", "m1")
    acme.command("opt_out", number(9))
    acme.process("append.csv", "Phone,Tags\nnonsense,\n")
    return acme


def test_everything_arrives_and_the_story_goes_on(worked: Provider, target: Store, tmp_path: Path) -> None:
    copied = copy_database(worked.store, target)
    assert copied.broken == []
    assert {name for name, content in copied.tables.items() if content.rows} >= {
        "lists", "addresses", "tag_sets", "changes", "events", "uploads", "reports", "approvals", "messages", "outbox"
    }  # fmt: skip
    third = open_store(tmp_path / "third.db")
    assert copy_database(target, third) == copied, "the same digests from one kind of database to the other"
    before, sent = worked.list(), worked.upload(1)
    worked.store.close()
    worked.store = target
    assert (worked.list(), worked.upload(1)) == (before, sent)
    newest = max(row["id"] for row in worked.rows("uploads.newest_of", customer="acme", limit=1))
    report = worked.process("append.csv", numbers(5))
    assert (report["upload"], report["changes"]["opted_in"]) == (newest + 1, 1)
    assert copy_again(target, worked) == "it holds data already; name an empty database"


def copy_again(target: Store, worked: Provider) -> str:
    other = open_store(worked.settings.database_address)
    with pytest.raises(Refused) as refused:
        copy_database(other, target)
    other.close()
    return str(refused.value).removeprefix(f"{target.name}: ")


def test_every_table_is_copied(target: Store) -> None:
    scripts = "".join(script for _, script in migrations("sqlite"))
    tables = {line.split()[2] for line in scripts.splitlines() if line.startswith("CREATE TABLE ")}
    # Snapshots are copies themselves, and nodes are processes that run.
    assert set(copying.TABLES) == tables - {"snapshot_segments", "snapshot_stale", "nodes"}
    with target.read() as transaction:
        for table in copying.TABLES:
            assert transaction.columns(table)


def test_what_is_lost_on_the_way_shows_and_nothing_stays(
    worked: Provider, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copying.copy

    def lossy(source, new, table):
        copy(source, new, table)
        if table == "events":
            new._connection.execute("UPDATE events SET status_after = 1 WHERE version = 2")

    monkeypatch.setattr(copying, "copy", lossy)
    with pytest.raises(Unavailable, match=r"events: \d+ rows with digest \w+ arrived, and \d+ with \w+ were sent"):
        copy_database(worked.store, target)
    with target.read() as transaction:
        assert transaction.all("lists.all") == []


def test_a_history_that_was_broken_before_is_told(worked: Provider, target: Store) -> None:
    with worked.store.write() as transaction:
        transaction._connection.execute("UPDATE changes SET actor = 'nobody'")
    assert copy_database(worked.store, target).broken == ["acme"]


@sqlite_only
def test_a_database_that_somebody_has_open_is_not_copied(worked: Provider) -> None:
    """What came after its first reading, a STOP say, would be on the old list only."""
    path = worked.settings.data_dir / "alp.db"
    with pytest.raises(Unavailable, match="STOPs too, would be missing in the copy; stop it first"), at_rest(path):
        pytest.fail("somebody has it open")
    worked.text(number(2), "STOP", "m2")
    assert worked.statuses()[number(2)] == "opted_out"


@sqlite_only
def test_nobody_opens_a_database_while_it_is_copied(worked: Provider, tmp_path: Path) -> None:
    path = worked.settings.data_dir / "alp.db"
    worked.store.close()
    target = open_store(tmp_path / "target.db")
    with at_rest(path) as source:
        with pytest.raises(TryAgain, match="being copied"):
            open_store(path)
        assert copy_database(source, target).broken == []
    open_store(path).close()
    target.close()


def test_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no such SQLite file"), at_rest(tmp_path / "none.db"):
        pytest.fail("there is none")
    assert list(tmp_path.iterdir()) == []
