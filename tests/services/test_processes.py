"""Places and processes by names that no other one has."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alp_daemon.services.processing import processes


def test_a_place_is_the_same_for_all_who_come_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = set(pool.map(processes.here, [tmp_path / "data"] * 32))
    assert places == {processes.here(tmp_path / "data")}


def test_two_machines_of_one_image_are_two_places(tmp_path: Path) -> None:
    assert processes.here(tmp_path / "a") != processes.here(tmp_path / "b")


def test_other_users_may_read_its_name(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        processes.here(tmp_path)
    finally:
        os.umask(before)
    (file,) = (path for path in tmp_path.iterdir() if path.is_file())
    assert file.stat().st_mode & 0o777 == 0o644


def test_who_has_ended_is_known_in_its_own_place_only(tmp_path: Path) -> None:
    here, there = processes.here(tmp_path / "a"), processes.here(tmp_path / "b")
    gone = f"{os.getpid()}@1@{here}"
    assert processes.has_ended(gone, here)
    assert not processes.has_ended(gone, there)
    assert not processes.has_ended(processes.identity(here), here)


def test_whose_data_dir_it_is_shows_in_any_namespace(tmp_path: Path) -> None:
    installation, _, namespace = processes.here(tmp_path / "a").partition(".")
    assert namespace.isdigit()
    assert processes.is_of(f"1@1@{installation}.1", tmp_path / "a")
    assert not processes.is_of(f"1@1@{installation}.{namespace}", tmp_path / "b")
