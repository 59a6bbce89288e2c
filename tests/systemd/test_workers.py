"""Why the unit may say OOMPolicy=continue: the daemon gets over the death of a worker, idle ones included."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .conftest import Manager, Site, eventually


def test_a_killed_worker_is_replaced_and_the_next_file_applied(site: Site, manager: Manager) -> None:
    daemon = site.serve(NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    inbox = site.folder / "data/drop/acme/preformatted"
    (inbox / "first.csv").write_text("2125550123,north\n")
    assert eventually(lambda: site.uploads() == {"first.csv": "applied"}), site.stderr()

    killed = workers(daemon.pid)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    (inbox / "second.csv").write_text("2125550124,south\n")
    assert eventually(lambda: site.uploads().get("second.csv") == "applied"), site.stderr()
    assert len(killed) == 1
    assert not set(killed) & set(workers(daemon.pid))


def workers(daemon: int) -> list[int]:
    """The worker processes of a daemon; multiprocessing's other child only tracks resources."""
    children = Path(f"/proc/{daemon}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
