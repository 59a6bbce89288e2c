"""Links in the drop folder: whoever can write there cannot make the daemon read, take or write anything elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alp_daemon import log
from alp_daemon.channels.watch import DropWatcher
from alp_daemon.errors import Unavailable
from alp_daemon.files import drop, dropclaim
from alp_daemon.files.dropclaim import Claim
from tests.intake.world import NOW, World

WHOLE = b"Phone\n2125550123\n"


def neighbours(world: World) -> Path:
    """Another customer's file."""
    folder = world.settings.drop_dir / "neighbour"
    folder.mkdir(parents=True)
    (folder / "members.csv").write_bytes(b"+12125550188,a\n")
    return folder


def scan(world: World) -> list[str]:
    """Scans twice; returns what is logged."""
    log.warning("test")  # the first line sets the log up, which would end the capture
    watcher = DropWatcher(world.settings, world.registry, world.intake)
    with capture_logs() as logs:
        watcher.scan(NOW, 100.0)
        watcher.scan(NOW, 101.0)
    return [line["reason"] for line in logs if line["event"] == "drop_file_not_picked_up"]


def replace_by_link(path: Path, target: Path) -> None:
    path.rmdir()
    path.symlink_to(target)


@pytest.mark.parametrize("folder", ["preformatted", "reports"])
def test_a_linked_folder_is_not_followed_and_told_once(world: World, folder: str) -> None:
    replace_by_link(world.home() / folder, neighbours(world))
    (reason,) = scan(world)
    assert f"cannot make the folders in {world.settings.drop_dir / 'acme'}: {folder} is a link or a file" in reason
    assert world.rows() == []
    assert (world.settings.drop_dir / "neighbour" / "members.csv").exists()


def test_a_real_folder_is(world: World) -> None:
    (world.home() / "preformatted" / "members.csv").write_bytes(WHOLE)
    assert scan(world) == []
    assert [row["folder"] for row in world.rows()] == ["preformatted"]


def test_the_customer_s_own_folder_may_be_elsewhere(world: World, tmp_path: Path) -> None:
    world.settings.drop_dir.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elsewhere").mkdir()
    (world.settings.drop_dir / "acme").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "members.csv").write_bytes(WHOLE)
    assert scan(world) == []
    assert [row["name"] for row in world.rows()] == ["members.csv"]


def test_a_folder_that_becomes_a_link_after_the_look_is_not_followed(world: World) -> None:
    path = world.home() / "preformatted" / "members.csv"
    path.write_bytes(WHOLE)
    (found,) = drop.look(world.home())
    path.unlink()
    replace_by_link(path.parent, neighbours(world))
    for attempt in (
        lambda: drop.is_whole(found),
        lambda: dropclaim.claim(found, world.settings.data_dir / "t", ".aside"),
    ):
        with pytest.raises(NotADirectoryError, match="preformatted is a link or a file, not a folder"):
            attempt()
    (trouble,) = world.intake.pick_up("acme", [found], NOW)
    assert trouble.path == path
    assert path.exists(), "through the link, where it was"


def test_a_file_on_its_way_that_becomes_a_link_is_not_read(world: World) -> None:
    secret = neighbours(world) / "members.csv"
    (world.home() / "members.csv").write_bytes(WHOLE)
    (found,) = drop.look(world.home())
    assert dropclaim.claim(found, None, ".aside") is Claim.whole
    with dropclaim.open_aside(world.home(), "", ".aside") as hidden:
        assert hidden.read() == WHOLE
    (world.home() / ".aside").unlink()
    (world.home() / ".aside").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic links"):
        dropclaim.open_aside(world.home(), "", ".aside")


def test_folders_are_made_and_no_link_passes_for_one(world: World) -> None:
    home = drop.prepare(world.settings.drop_dir / "acme")
    assert drop.trouble(home) is None
    replace_by_link(home / "reports", neighbours(world))
    assert drop.trouble(home) == f"{home / 'reports'} is not a folder"
    with pytest.raises(Unavailable, match="reports is a link or a file, not a folder"):
        drop.prepare(home)
