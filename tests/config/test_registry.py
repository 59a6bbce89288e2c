"""A running daemon keeps the last good version of each customer, and reads only what has changed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alp_daemon.registry import CustomerStatus, Registry, ReloadResult

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GOOD = "name: Acme\nkeyword: ACME\n"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "acme.yaml").write_text(GOOD)
    registry = Registry(tmp_path)
    assert registry.reload(NOW) == ReloadResult(added=("acme",))
    return registry


def test_it_tells_what_was_added_and_changed(registry, tmp_path):
    (tmp_path / "acme.yaml").write_text(GOOD.replace("Acme", "Acme Water"))
    (tmp_path / "bolt.yaml").write_text("name: Bolt\nkeyword: BOLT\n")
    (tmp_path / "notes.txt").write_text("no customer")
    assert registry.reload(later(5)) == ReloadResult(added=("bolt",), changed=("acme",))
    assert {id_: customer.name for id_, customer in registry.all().items()} == {"acme": "Acme Water", "bolt": "Bolt"}
    assert registry.reload(later(10)) == ReloadResult()


def test_a_comment_is_no_change(registry, tmp_path):
    (tmp_path / "acme.yaml").write_text(GOOD + "# a comment\n")
    assert registry.reload(later(5)) == ReloadResult()


def test_an_unchanged_file_is_not_read_again(registry, tmp_path):
    path = tmp_path / "acme.yaml"
    before = path.stat()
    path.write_text(GOOD.replace("Acme", "Emca"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert registry.reload(later(5)) == ReloadResult()


def test_a_file_replaced_by_rename_is_read_even_with_the_same_size_and_time(registry, tmp_path):
    path = tmp_path / "acme.yaml"
    before = path.stat()
    other = tmp_path / "new"
    other.write_text(GOOD.replace("Acme", "Emca"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert registry.reload(later(5)).changed == ("acme",)


def test_a_broken_edit_keeps_the_version_before_it(registry, tmp_path):
    (tmp_path / "acme.yaml").write_text("name: [\n")
    (tmp_path / "bolt.yaml").write_text("name: Bolt\nkeyword: BOLT\n")
    result = registry.reload(later(5))
    assert (result.added, result.changed) == (("bolt",), ())
    assert [(problem.path.name, problem.line) for problem in result.problems] == [("acme.yaml", 2)]
    assert registry.customer("acme").name == "Acme"
    assert registry.unusable() == ()
    assert registry.status("acme", later(5)) is CustomerStatus.active
    # It is told once, and stays to be seen until it is mended.
    assert registry.reload(later(10)).problems == ()
    assert registry.problems == result.problems
    (tmp_path / "acme.yaml").write_text(GOOD)
    assert registry.reload(later(15)) == ReloadResult()
    assert registry.problems == ()


def test_a_file_that_was_never_usable(tmp_path):
    (tmp_path / "acme.yaml").write_text("name: Acme\n")
    registry = Registry(tmp_path)
    assert [problem.message for problem in registry.reload(NOW).problems] == ['missing key "keyword"']
    assert registry.status("acme", NOW) is CustomerStatus.broken
    assert registry.customer("acme") is None
    assert (registry.all(), registry.unusable()) == ({}, ("acme",))
    (tmp_path / "acme.yaml").unlink()
    assert registry.reload(later(60)) == ReloadResult()
    assert registry.status("acme", later(60)) is CustomerStatus.unknown


def test_a_missing_file_is_tolerated_for_half_a_minute(registry, tmp_path):
    path = tmp_path / "acme.yaml"
    path.unlink()
    assert registry.reload(later(5)) == ReloadResult()
    assert registry.status("acme", later(34.9)) is CustomerStatus.active
    assert registry.status("acme", later(35)) is CustomerStatus.missing
    assert registry.reload(later(36)).missing == ("acme",)
    assert registry.reload(later(41)) == ReloadResult()
    assert registry.customer("acme").name == "Acme"
    path.write_text(GOOD)
    assert registry.reload(later(46)) == ReloadResult(returned=("acme",))
    assert registry.status("acme", later(46)) is CustomerStatus.active


def test_an_editor_that_deletes_and_writes_anew_is_not_noticed(registry, tmp_path):
    path = tmp_path / "acme.yaml"
    path.unlink()
    registry.reload(later(5))
    path.write_text(GOOD)
    assert registry.reload(later(10)) == ReloadResult()
    path.unlink()
    registry.reload(later(300))
    assert registry.status("acme", later(301)) is CustomerStatus.active


def test_a_folder_that_is_gone_loses_nobody(registry, tmp_path):
    tmp_path.rename(tmp_path.with_name("elsewhere"))
    registry.reload(later(5))
    assert registry.reload(later(36)).missing == ("acme",)
    tmp_path.with_name("elsewhere").rename(tmp_path)
    assert registry.reload(later(41)).returned == ("acme",)


def test_an_unknown_customer(registry):
    assert registry.customer("nobody") is None
    assert registry.status("nobody", NOW) is CustomerStatus.unknown


def test_nodes_that_have_loaded_the_same_show_the_same_fingerprint(registry, tmp_path):
    other = tmp_path / "other node"
    other.mkdir()
    (other / "acme.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    same = Registry(other)
    same.reload(NOW)
    assert registry.fingerprint() == same.fingerprint()
    for path, text in (("acme.yaml", GOOD + "# a comment\n"), ("bolt.yaml", GOOD)):
        before = registry.fingerprint()
        (tmp_path / path).write_text(text)
        registry.reload(later(5))
        assert registry.fingerprint() != before
        (other / path).write_text(text)
        same.reload(later(5))
        assert registry.fingerprint() == same.fingerprint()


def test_the_fingerprint_is_of_what_is_loaded_and_not_of_what_is_there(registry, tmp_path):
    loaded = registry.fingerprint()
    (tmp_path / "acme.yaml").write_text("name: [\n")
    registry.reload(later(5))
    assert registry.fingerprint() == loaded, "it goes on with the version before the broken edit"
    (tmp_path / "acme.yaml").unlink()
    registry.reload(later(10))
    empty = Registry(tmp_path / "none")
    empty.reload(NOW)
    assert registry.fingerprint() == empty.fingerprint() != loaded
