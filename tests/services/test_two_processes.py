"""Two processes at one customer's queue: each file is applied once, in order. And a full disk, which needs a process
of its own to be full for.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from tests import databases
from tests.services.provider import Provider, number, numbers

WORKER = """
    import sys
    from datetime import UTC, datetime
    from alp_daemon import settings
    from alp_daemon.customers import load_file
    from alp_daemon.services.processing import process, queue
    from alp_daemon.store.store import open_store

    installed = settings.Settings(
        data_dir=sys.argv[1] + "/data", customers_dir=sys.argv[1] + "/customers", database=sys.argv[2]
    )
    store, customer = open_store(installed.database_address), load_file(installed.customers_dir / "acme.yaml")
    print("ready", flush=True)
    sys.stdin.readline()
    while queue.due_customers(store, datetime(1970, 1, 1, tzinfo=UTC)):
        report = process.work_next(store, installed, customer, queue.owner(installed), datetime.now(UTC))
        if report:
            print(report["upload"], report["state"], flush=True)
"""


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    code = textwrap.dedent(script)
    command = [sys.executable, "-c", code, str(folder), databases.of(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_each_file_is_applied_once_and_in_order(acme: Provider) -> None:
    sent = [acme.send("append_tags.csv", {number(1): f"t{i}"}) for i in range(30)]
    workers = [start(WORKER, acme.folder) for _ in range(2)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    outputs = [worker.communicate(timeout=60) for worker in workers]
    assert [errors for _, errors in outputs] == ["", ""]

    done = [line.split() for output, _ in outputs for line in output.splitlines()]
    assert sorted(done) == sorted([str(id_), "applied"] for id_ in sent)
    events = acme.history(number(1))
    assert [event["upload"] for event in events] == sent
    assert acme.list() == {number(1): ("opted_in", "t29")}


FULL_DISK = """
    import resource, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from alp_daemon import settings
    from alp_daemon.customers import load_file
    from alp_daemon.errors import TryAgain
    from alp_daemon.services.processing import process
    from alp_daemon.store.store import open_store

    installed = settings.Settings(data_dir=sys.argv[1] + "/data", customers_dir=sys.argv[1] + "/customers")
    store, customer = open_store(installed.database_path), load_file(installed.customers_dir / "acme.yaml")
    wal = Path(f"{installed.database_path}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 60_000, resource.RLIM_INFINITY))
    try:
        process.work_next(store, installed, customer, "worker", datetime.now(UTC))
    except TryAgain as error:
        print(error)
        sys.exit(error.exit_code)
"""


@databases.sqlite_only
def test_a_full_disk_changes_nothing_and_can_be_tried_again(acme: Provider) -> None:
    acme.process("append.csv", numbers(3))
    before = acme.list()
    upload = acme.send("soft_opt_out.csv", numbers(5_000))
    worker = start(FULL_DISK, acme.folder)
    output, errors = worker.communicate(timeout=60)
    assert (worker.returncode, errors) == (75, "")
    assert "nothing was changed, free some space and try again" in output
    assert acme.list() == before
    assert acme.upload(upload).state == "received"
    acme.tick(minutes=3)
    assert acme.work()["state"] == "applied"
    assert len(acme.list()) == 5_000
