"""A folder that changes as a whole, whenever it is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.files import versions
from alp_daemon.files.versions import in_force, switch

FIRST = {"acme.yaml": b"a", "bolt.yaml": b"b"}
SECOND = {"acme.yaml": b"a", "cork.yaml": b"c"}


def name(number: int) -> str:
    return f"{number}-{number:016x}"


def put(folder: Path, number: int, contents: dict[str, bytes]) -> None:
    switch(folder, "current", lambda: (name(number), contents))


def seen(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "current").iterdir()}


def test_a_version_is_in_force_as_a_whole(tmp_path: Path) -> None:
    assert in_force(tmp_path / "none", "current") == ""
    for number, contents in ((1, FIRST), (2, SECOND), (3, {})):
        put(tmp_path / "c", number, contents)
        assert (in_force(tmp_path / "c", "current"), seen(tmp_path / "c")) == (name(number), contents)


def test_what_did_not_change_is_the_same_file(tmp_path: Path) -> None:
    put(tmp_path, 1, FIRST)
    before = {path.name: path.stat() for path in (tmp_path / "current").iterdir()}
    put(tmp_path, 2, {**FIRST, "bolt.yaml": b"B"})
    after = {path.name: path.stat() for path in (tmp_path / "current").iterdir()}
    same = [
        name
        for name in FIRST
        if (before[name].st_ino, before[name].st_mtime_ns) == (after[name].st_ino, after[name].st_mtime_ns)
    ]
    assert same == ["acme.yaml"]
    assert (tmp_path / name(1) / "bolt.yaml").read_bytes() == b"b"


def test_the_version_before_stays_for_its_readers_and_no_older_one(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, number, FIRST)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name(3), name(4), "current"]


def test_what_it_did_not_put_there_stays(tmp_path: Path) -> None:
    for theirs in (".git/HEAD", "archive/acme.yaml", "2025/acme.yaml", "acme.yaml"):
        (tmp_path / theirs).parent.mkdir(exist_ok=True)
        (tmp_path / theirs).write_text("theirs")
    for number in range(3):
        put(tmp_path, number, FIRST)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [".git", "2025", "acme.yaml", "archive", name(1), name(2), "current"]
    )


@pytest.mark.parametrize("step", ["_bring_to_disk", "_point", "_forget"])
def test_interrupted_it_is_the_old_version_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    put(tmp_path, 1, FIRST)
    with monkeypatch.context() as patched:

        def dies(*arguments: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(versions, step, dies)
        with pytest.raises(KeyboardInterrupt):
            put(tmp_path, 2, SECOND)
    assert seen(tmp_path) == (SECOND if step == "_forget" else FIRST)
    put(tmp_path, 2, SECOND)
    put(tmp_path, 3, FIRST)
    assert seen(tmp_path) == FIRST
    assert sorted(path.name for path in tmp_path.iterdir()) == [name(2), name(3), "current"]
