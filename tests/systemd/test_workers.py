"""Why the unit may say OOMPolicy=continue: the daemon gets over the death of a worker, idle ones included."""

from __future__ import annotations

import os
import signal

from tests.eventually import eventually
from tests.proc import workers_of
from tests.systemd.conftest import Manager, Site


def test_a_killed_worker_is_replaced_and_the_next_file_applied(site: Site, manager: Manager) -> None:
    daemon = site.serve(NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    inbox = site.folder / "data/drop/acme/preformatted"
    (inbox / "first.csv").write_text("2125550123,north\n")
    eventually(lambda: site.uploads() == {"first.csv": "applied"}, otherwise=site.stderr)

    killed = workers_of(daemon.pid)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    (inbox / "second.csv").write_text("2125550124,south\n")
    eventually(lambda: site.uploads().get("second.csv") == "applied", otherwise=site.stderr)
    assert len(killed) == 1
    assert not set(killed) & set(workers_of(daemon.pid))
