"""What came after a backup lies in files beside what was replaced, in the form that brings it back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from alp_daemon.services.addresses import subscribers
from alp_daemon.services.configuration import customerfiles, customerfolder
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.processing import line_types
from alp_daemon.services.safekeeping.restore import Restored
from tests.databases import sqlite_only
from tests.informz.brand import Brand
from tests.services.backups import back_up, bring_back
from tests.services.provider import Provider, number, numbers

pytestmark = sqlite_only


@pytest.fixture
def kept(acme: Provider) -> Provider:
    """Numbers 1 to 3 are opted in, and a backup was taken."""
    acme.process("append_tags.csv", {number(1): "a", number(2): "", number(3): ""})
    back_up(acme)
    return acme


def folder_of(done: Restored) -> Path:
    assert done.replaced is not None
    return Path(done.replaced)


def rows_of(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def changed(provider: Provider, name: str = "acme") -> list[dict[str, str]]:
    """What a restore says of those who were changed other than by a file or an opt-out."""
    found = bring_back(provider, anyway=True).changed.get(name)
    if found is None:
        return []
    rows = rows_of(found.file)
    assert len(rows) == found.addresses
    return rows


class TestWhoWasChanged:
    def test_by_a_command_or_a_message(self, kept: Provider) -> None:
        kept.command("suspend", number(1))
        kept.command("opt_in", number(2), ["b"])
        kept.text(number(7), "ACME", "m1")
        assert [(row["number"], row["status"], row["tags"], row["by"], row["source"]) for row in changed(kept)] == [
            (number(1), "suspended", "a", "Ann", "operator"),
            (number(2), "opted_in", "b", "Ann", "operator"),
            (number(7), "opted_in", "", "end user", "end_user"),
        ]

    def test_and_stands_again_as_before(self, kept: Provider) -> None:
        kept.command("suspend", number(1))
        kept.command("reactivate", number(1))
        assert changed(kept) == []

    def test_by_a_file_only(self, kept: Provider) -> None:
        kept.process("append.csv", numbers(9))
        assert changed(kept) == []

    def test_by_a_file_after_a_command(self, kept: Provider) -> None:
        kept.command("opt_in", number(8))
        kept.process("append.csv", {number(8): "x"})
        (row,) = changed(kept)
        assert (row["number"], row["tags"], row["by"]) == (number(8), "x", "Ann")

    def test_by_the_undo_of_an_earlier_file(self, kept: Provider) -> None:
        undo(kept.store, 1, "Maria", kept.tick())
        assert [(row["number"], row["status"], row["by"]) for row in changed(kept)] == [
            (number(each), "absent", "Maria") for each in (1, 2, 3)
        ]

    def test_by_a_file_that_was_undone(self, kept: Provider) -> None:
        later = kept.process("append.csv", numbers(9))
        undo(kept.store, later["upload"], "Maria", kept.tick())
        assert changed(kept) == []

    def test_who_opted_out_is_told_apart(self, kept: Provider) -> None:
        kept.command("opt_in", number(8))
        kept.text(number(8), "STOP", "m1")
        assert changed(kept) == []

    def test_on_a_list_that_the_backup_has_another_history_of(self, kept: Provider) -> None:
        """Brought back once already: the versions after the backup are others now."""
        kept.command("suspend", number(1))
        back_up(kept, "later.db")
        bring_back(kept, anyway=True)
        kept.command("suspend", number(2))
        found = bring_back(kept, "later.db", anyway=True).changed
        assert [row["number"] for row in rows_of(found["acme"].file)] == [number(2)]

    def test_nobody(self, kept: Provider) -> None:
        assert changed(kept) == []


def test_a_subscriber_that_was_changed(tmp_path: Path) -> None:
    brand = Brand(tmp_path)
    brand.say("a@example.com\n", interests=("News",))
    back_up(brand)
    undo(brand.store, 1, "Maria", brand.tick())
    (row,) = changed(brand, "acme/mail")
    assert (row["email"], row["status"], row["interests"], row["by"]) == ("a@example.com", "absent", "", "Maria")


def test_a_subscriber_that_opted_out_is_brought_back_without_more_attributes(tmp_path: Path) -> None:
    brand = Brand(tmp_path)
    brand.say("a@example.com\n", interests=("News",))
    back_up(brand)
    brand.say("a@example.com\n", action="UnsubscribeSubscribers")
    (path,) = bring_back(brand, anyway=True).opted_out.values()
    assert rows_of(path) == [{"email": "a@example.com", "status": "unsubscribed", "interests": ""}]


def test_customers_files_can_be_pushed_again(kept: Provider) -> None:
    def push(texts: dict[str, str], by: str) -> None:
        customerfiles.push(kept.store, texts, by, kept.tick(), based_on=stand(), remove=True)

    def stand() -> customerfiles.Stand | None:
        newest = customerfiles.newest(kept.store)
        return newest.stand if newest else None

    push({"acme": "name: Acme", "bolt": "name: Bolt"}, "Ann")
    (kept.folder / "backup.db").unlink()
    back_up(kept)
    push({"acme": "name: Acme Water", "cork": "name: Cork"}, "Ben")
    folder = folder_of(bring_back(kept, anyway=True)) / "customers"
    assert sorted(each.name for each in folder.glob("*.yaml")) == ["acme.yaml", "cork.yaml"]
    assert (folder / "acme.yaml").read_text() == "name: Acme Water"
    assert customerfolder.stand_of(folder) == stand(), "what is pushed in the meantime is not overwritten"


def test_customers_files_that_the_backup_had_none_of(kept: Provider) -> None:
    customerfiles.push(kept.store, {"acme": "name: Acme"}, "Ann", kept.tick(), based_on=None)
    folder = folder_of(bring_back(kept, anyway=True)) / "customers"
    assert [each.name for each in folder.iterdir()] == ["acme.yaml"]
    assert customerfolder.stand_of(folder) is None


def test_line_types_can_be_loaded_again(kept: Provider) -> None:
    path = kept.folder / "types.csv"
    path.write_text("+1212,mobile\n+12125550001,toll free\n+442079460000,landline\n+44207,voip\n+1646,unknown\n")
    line_types.load(kept.store, path)
    before = kept.rows("line_types.all")
    folder = folder_of(bring_back(kept, anyway=True))
    assert kept.rows("line_types.all") == []
    assert line_types.load(kept.store, folder / "line-types.csv") == 5
    assert kept.rows("line_types.all") == before


def test_interests_are_named(kept: Provider) -> None:
    subscribers.add_interest(kept.store, kept.customer, "News", "Ann", kept.tick())
    (row,) = rows_of(folder_of(bring_back(kept, anyway=True)) / "interests.csv")
    assert (row["customer"], row["interest"], row["created_by"]) == ("acme", "News", "Ann")


def test_there_is_no_file_of_what_did_not_happen(kept: Provider) -> None:
    assert [each.name for each in folder_of(bring_back(kept)).iterdir()] == ["alp.db"]
