"""One configuration for all nodes: push, pull, versions, and what the other commands read then."""

from __future__ import annotations

import pytest

from .conftest import ACME, JOE, Terminal

BOLT = "name: Bolt\nkeyword: BOLT\n"


@pytest.fixture
def pushed(alp: Terminal) -> Terminal:
    """The installation reads its customers from the database, where they are version 1."""
    (alp.folder / "alp.yaml").write_text("data_dir: data\ncustomers_dir: customers\ncustomers_from: database\n")
    assert alp.json("customers", "push", "--by", "maria")["version"] == 1
    return alp


def test_push_tells_what_it_changed_and_whose_approval_lapses(pushed: Terminal) -> None:
    folder = pushed.folder / "customers"
    (folder / "acme.yaml").write_text(ACME.replace("mode: append\n", "mode: soft_opt_out\n"))
    (folder / "bolt.yaml").write_text(BOLT)
    told = pushed.json("customers", "push", "--by", "maria")
    (lapsed,) = told.pop("needs_approval")
    assert told == {"version": 2, "added": ["bolt"], "changed": ["acme"], "removed": []}
    assert lapsed.startswith("acme: feed members was changed after Ann approved it")
    assert "nothing differs from version 2" in pushed("customers", "push", "--by", "maria").out


def test_an_error_in_any_file_refuses_the_push(pushed: Terminal) -> None:
    (pushed.folder / "customers" / "bolt.yaml").write_text("name: Bolt\n")
    (pushed.folder / "customers" / "cork.yaml").write_text("keyword: CORK\n")
    said = pushed("customers", "push", "--by", "maria")
    assert said.code == 78
    assert ("bolt.yaml:1:1" in said.err, "cork.yaml:1:1" in said.err) == (True, True)
    assert [each["version"] for each in pushed.json("customers", "versions")] == [1]


def test_a_removed_customer_is_named_and_needs_a_word(pushed: Terminal) -> None:
    (pushed.folder / "customers" / "bolt.yaml").write_text(BOLT)
    pushed.json("customers", "push", "--by", "maria")
    (pushed.folder / "customers" / "bolt.yaml").unlink()
    said = pushed("customers", "push", "--by", "maria")
    assert (said.code, "bolt" in said.err) == (77, True)
    assert pushed("customers", "push", "--by", "maria", "--remove").out.splitlines()[0] == "removed: bolt"


def test_two_people_do_not_undo_each_others_work(pushed: Terminal) -> None:
    theirs, mine = (str(pushed.folder / name) for name in ("theirs", "mine"))
    for folder in (theirs, mine):
        assert pushed.json("customers", "pull", "--out", folder)["version"] == 1
    pushed.file("theirs/acme.yaml", ACME + "region: GB\n")
    pushed.file("mine/acme.yaml", ACME + "region: DE\n")
    assert pushed("customers", "push", "--folder", theirs, "--by", "ben").code == 0
    said = pushed("customers", "push", "--folder", mine, "--by", "maria")
    assert (said.code, "version 2, pushed by ben" in said.err) == (77, True)
    assert pushed("customers", "push", "--folder", mine, "--by", "maria", "--anyway").code == 0


def test_going_back(pushed: Terminal) -> None:
    pushed.file("customers/acme.yaml", ACME + "region: GB\n")
    pushed.json("customers", "push", "--by", "maria")
    assert pushed.json("customers", "push", "--version", "1", "--by", "ben")["changed"] == ["acme"]
    newest, *_, first = pushed.json("customers", "versions")
    assert (newest["version"], newest["repeats"], newest["pushed_by"]) == (3, 1, "ben")
    assert newest["fingerprint"] == first["fingerprint"]
    assert pushed("customers", "push", "--version", "9", "--by", "ben").code == 66
    assert pushed("customers", "push", "--version", "1", "--folder", "x", "--by", "ben").code == 64


def test_commands_read_what_is_in_force_and_not_the_folder(pushed: Terminal) -> None:
    pushed.file("customers/acme.yaml", "name: [\n")
    assert pushed.json("check-config")["customers"] == ["acme"]
    assert pushed.json("opt-in", "acme", JOE)["status"] == "opted_in"
    assert pushed("preview", "acme", "members.csv").code == 0


def test_a_new_customer_is_a_draft_until_it_is_pushed(pushed: Terminal) -> None:
    said = pushed("new-customer", "bolt", "--sample", "members.csv")
    assert "customers push --by NAME" in said.out
    assert pushed("preview", "bolt", "members.csv").code == 66
    assert pushed("customers", "push", "--by", "maria").code == 0
    assert pushed("preview", "bolt", "members.csv").code == 0
    (pushed.folder / "customers" / "bolt.yaml").unlink()
    assert pushed("new-customer", "bolt", "--sample", "members.csv").code == 77


def test_a_push_where_the_folder_is_read_says_so(alp: Terminal) -> None:
    said = alp("customers", "push", "--by", "maria")
    assert (said.code, "customers_from: database" in said.err) == (0, True)


def test_a_folder_that_cannot_be_written_is_pushed_all_the_same(pushed: Terminal) -> None:
    pushed.file("customers/acme.yaml", ACME + "region: GB\n")
    note = pushed.folder / "customers" / ".pulled"
    note.unlink()
    note.mkdir()
    said = pushed("customers", "push", "--by", "maria", "--anyway")
    assert (said.code, "needs --anyway" in said.err) == (0, True)
    assert [each["version"] for each in pushed.json("customers", "versions")] == [2, 1]
