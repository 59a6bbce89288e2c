"""The customers' files in the database: versions, and the folders that they come from and go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alp_daemon.domain.keyword import DEFAULT_WORDS
from alp_daemon.errors import NotFound, Refused, TryAgain
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.registry import Registry
from alp_daemon.services.configuration import customerfiles, customerfolder
from alp_daemon.services.configuration.customerfiles import KEPT_VERSIONS, Pushed, Stand, Texts, Version
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, open_store
from tests import databases

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def text(name: str) -> str:
    return f"name: {name}\nkeyword: {name.upper()}\n"


FIRST = {"acme": text("acme"), "bolt": text("bolt")}


@dataclass
class Database:
    """A database, and folders around it."""

    folder: Path
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir()
        self.store = open_store(databases.of(self.folder))

    def push(self, texts: Texts, **how: bool) -> Pushed:
        newest = customerfiles.newest(self.store)
        return customerfiles.push(self.store, texts, "maria", NOW, based_on=newest.stand if newest else None, **how)

    def node(self, name: str) -> Settings:
        return Settings.model_validate({"data_dir": self.folder / name, "customers_from": "database"})

    def texts(self, version: int) -> dict[str, str]:
        return customerfiles.texts_of(self.store, version)

    def write(self, name: str, texts: Texts) -> Path:
        folder = self.folder / name
        folder.mkdir()
        for id_, content in texts.items():
            (folder / f"{id_}.yaml").write_text(content)
        return folder


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


def test_each_push_is_a_version_and_tells_what_it_did(database: Database) -> None:
    assert customerfiles.newest(database.store) is None
    first = database.push(FIRST)
    assert (first.stand.version, first.added, first.is_new) == (1, ("acme", "bolt"), True)
    changed = {"acme": text("acme") + "# a comment\n", "cork": text("cork")}
    second = database.push(changed, remove=True)
    assert second == Pushed(second.stand, added=("cork",), changed=("acme",), removed=("bolt",))
    assert (database.texts(1), database.texts(2)) == (FIRST, changed)
    (newest, older) = customerfiles.versions(database.store)
    assert (newest.version, newest.pushed_by, newest.pushed_at[:16], newest.customers) == (
        2,
        "maria",
        "2026-11-21T06:00",
        2,
    )
    assert older.stand == first.stand


def test_a_push_of_the_same_files_makes_no_version(database: Database) -> None:
    first = database.push(FIRST)
    assert database.push(FIRST) == Pushed(first.stand, (), (), ())
    assert len(customerfiles.versions(database.store)) == 1


def test_a_customer_is_removed_only_where_that_is_said(database: Database) -> None:
    database.push(FIRST)
    with pytest.raises(Refused, match=r"no file any more: bolt; .* --remove"):
        database.push({"acme": text("acme")})
    assert database.texts(1) == FIRST
    assert database.push({"acme": text("acme")}, remove=True).removed == ("bolt",)


def test_what_somebody_else_has_pushed_meanwhile_is_not_lost(database: Database) -> None:
    stand = database.push(FIRST).stand
    theirs, mine = {**FIRST, "bolt": text("bolt2")}, {**FIRST, "acme": text("acme2")}
    assert customerfiles.push(database.store, theirs, "ben", NOW, based_on=stand).changed == ("bolt",)
    with pytest.raises(
        Refused, match=r"made from version 1, and in force is version 2, pushed by ben at 2026-11-21T06:00"
    ):
        customerfiles.push(database.store, mine, "maria", NOW, based_on=stand)
    with pytest.raises(Refused, match=r"does not come from what is in force, version 2"):
        customerfiles.push(database.store, mine, "maria", NOW, based_on=None)
    with pytest.raises(Refused, match=r"made from version 2"):
        customerfiles.push(database.store, mine, "maria", NOW, based_on=Stand(2, "of another database"))
    assert database.texts(2) == theirs
    customerfiles.push(database.store, mine, "maria", NOW, based_on=stand, anyway=True)
    assert database.texts(3) == mine


def test_going_back_is_a_version_too(database: Database) -> None:
    first = database.push(FIRST)
    database.push({**FIRST, "acme": text("acme2"), "cork": text("cork")})
    with pytest.raises(Refused, match="no file any more: cork"):
        customerfiles.go_back(database.store, 1, database.texts(1), "maria", NOW)
    back = customerfiles.go_back(database.store, 1, database.texts(1), "maria", NOW, remove=True)
    assert (back.stand.version, back.changed, back.removed) == (3, ("acme",), ("cork",))
    assert back.stand.fingerprint == first.stand.fingerprint
    assert database.texts(3) == FIRST
    assert customerfiles.versions(database.store)[0].repeats == 1


def test_the_last_versions_are_kept_and_no_file_of_older_ones(database: Database) -> None:
    pushes = KEPT_VERSIONS + 3
    for number in range(1, pushes + 1):
        database.push({"acme": text("acme") + f"# {number}\n", "bolt": text("bolt")})
    kept = [each.version for each in customerfiles.versions(database.store)]
    assert kept == list(range(pushes, pushes - KEPT_VERSIONS, -1))
    assert database.texts(kept[-1]) == {"acme": text("acme") + f"# {kept[-1]}\n", "bolt": text("bolt")}
    with pytest.raises(NotFound, match=rf"no version 3 of the customers' files; kept are: 4 to {pushes}"):
        database.texts(3)
    with database.store.read() as transaction:
        assert len(transaction.all("customer_files.of_version", version=3)) == 1, "bolt's, which later ones have too"


def test_every_node_loads_the_same(database: Database) -> None:
    stand = database.push(FIRST).stand
    nodes = [database.node(name) for name in ("one", "two")]
    registries = [Registry(node.customers_path) for node in nodes]
    for node, registry in zip(nodes, registries, strict=True):
        customerfolder.bring(database.store, node)
        registry.reload(NOW)
    assert {registry.fingerprint() for registry in registries} == {stand.fingerprint}
    second = database.push({"acme": text("acme"), "cork": text("cork")}, remove=True).stand
    customerfolder.bring(database.store, nodes[0])
    result = registries[0].reload(NOW)
    assert (result.added, result.changed) == (("cork",), ()), "what did not change is not read again"
    assert registries[0].fingerprint() == second.fingerprint
    assert registries[0].reload(NOW + timedelta(seconds=31)).missing == ("bolt",)


def test_a_node_that_is_cut_off_goes_on_with_what_it_has(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = database.push(FIRST).stand
    node = database.node("one")
    registry = Registry(node.customers_path)
    customerfolder.bring(database.store, node)

    def is_gone(_store: Store) -> None:
        raise TryAgain("the database does not answer")

    monkeypatch.setattr(customerfiles, "newest", is_gone)
    with pytest.raises(TryAgain):
        customerfolder.bring(database.store, node)
    registry.reload(NOW)
    assert registry.fingerprint() == stand.fingerprint


def test_who_is_overtaken_does_not_go_back_a_version(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first, node = database.push(FIRST), database.node("one")
    asked = customerfiles.newest

    def overtaken(store: Store) -> Version | None:
        found = asked(store)
        monkeypatch.setattr(customerfiles, "newest", asked)
        database.push({**FIRST, "acme": text("acme2")})
        customerfolder.bring(store, node)
        return found

    monkeypatch.setattr(customerfiles, "newest", overtaken)
    customerfolder.bring(database.store, node)
    assert first.is_new
    assert (node.customers_path / "acme.yaml").read_text() == text("acme2")


def test_before_the_first_push_there_are_no_customers(database: Database) -> None:
    node = database.node("one")
    customerfolder.bring(database.store, node)
    assert list(node.customers_path.iterdir()) == []


def test_pull_edit_push(database: Database) -> None:
    with pytest.raises(NotFound, match="nobody has pushed customers yet"):
        customerfolder.pull(database.store, database.folder / "mine")
    stand = database.push(FIRST).stand
    folder = database.folder / "mine"
    assert customerfolder.pull(database.store, folder) == stand == customerfolder.stand_of(folder)
    assert customerfolder.checked(folder, DEFAULT_WORDS).texts == FIRST
    (folder / "acme.yaml").write_text(text("acme2"))
    with pytest.raises(Refused, match="changed since they were pulled"):
        database.push({**FIRST, "bolt": text("bolt2")})
        customerfolder.pull(database.store, folder)
    assert (folder / "acme.yaml").read_text() == text("acme2")


def test_a_folder_that_was_not_changed_is_pulled_anew(database: Database) -> None:
    folder = database.folder / "mine"
    database.push(FIRST)
    customerfolder.pull(database.store, folder)
    (folder / "notes.txt").write_text("kept")
    second = database.push({"acme": text("acme"), "cork": text("cork")}, remove=True)
    assert customerfolder.pull(database.store, folder) == second.stand
    assert sorted(path.name for path in folder.glob("[a-z]*")) == ["acme.yaml", "cork.yaml", "notes.txt"]


def test_files_that_never_came_from_the_database_are_not_overwritten(database: Database) -> None:
    database.push(FIRST)
    folder = database.write("mine", {"acme": text("other")})
    with pytest.raises(Refused, match="if ever they were"):
        customerfolder.pull(database.store, folder)
    assert (folder / "acme.yaml").read_text() == text("other")


def test_every_error_of_every_file_is_told_before_anything_is_pushed(database: Database) -> None:
    folder = database.write("mine", {"acme": "name: Acme\n", "bolt": "keyword: BOLT\n", "cork": text("cork")})
    with pytest.raises(ConfigurationFileError) as refused:
        customerfolder.checked(folder, DEFAULT_WORDS)
    assert [problem.path.name for problem in refused.value.problems] == ["acme.yaml", "bolt.yaml"]


@pytest.mark.parametrize("name", ["none", "empty"])
def test_no_files_at_all_are_not_meant(database: Database, name: str) -> None:
    (database.folder / "empty").mkdir()
    with pytest.raises(NotFound, match="no customer's file"):
        customerfolder.checked(database.folder / name, DEFAULT_WORDS)


def test_an_older_version_is_judged_by_the_rules_of_today(database: Database) -> None:
    database.push(FIRST)
    assert customerfolder.checked_version(database.store, 1, DEFAULT_WORDS).texts == FIRST
    database.push({"acme": "name: Acme\n"}, remove=True)
    with pytest.raises(ConfigurationFileError, match="missing key"):
        customerfolder.checked_version(database.store, 2, DEFAULT_WORDS)


def test_what_was_judged_is_what_is_pushed_byte_for_byte(database: Database) -> None:
    folder = database.folder / "mine"
    folder.mkdir()
    written = "name: Zürich\r\nkeyword: ZUERICH\r\n"
    (folder / "zuerich.yaml").write_bytes(b"\xef\xbb\xbf" + written.encode())
    pushed = database.push(customerfolder.checked(folder, DEFAULT_WORDS).texts)
    node = database.node("one")
    customerfolder.bring(database.store, node)
    assert (node.customers_path / "zuerich.yaml").read_bytes() == written.encode()
    registry = Registry(folder)
    registry.reload(NOW)
    assert registry.fingerprint() == pushed.stand.fingerprint
