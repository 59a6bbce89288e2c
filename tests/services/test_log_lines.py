"""One line for each thing that happened, with its ids, and no number in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.cli.conftest import ACME

SCRIPT = """
    import sys
    from alp_daemon import log
    from alp_daemon.cli import run

    log.tell_everything()
    for line in sys.stdin.read().splitlines():
        run(line.split("|"))
"""
COMMANDS = """\
approve|acme|--sample|members.csv|--by|Ann
process|acme|members.csv
process|acme|full.csv
approve|acme|--sample|members.csv|--feed|full|--by|Ann
process|acme|full.csv
release|3|--by|Ann
process|acme|headless.csv|--feed|members
message|acme|+12125550123|Please stop texting 212-555-0123
message|acme|+12125550124|Call me at (212) 555-0124
opt-out|acme|2125550124
undo|1|--by|Ann
import|acme|old.csv|--by|Ann
line-types|load|types.csv
"""


def test_no_line_holds_a_number_and_each_names_what_happened(tmp_path: Path) -> None:
    (tmp_path / "alp.yaml").write_text("data_dir: data\n")
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "acme.yaml").write_text(ACME)
    (tmp_path / "members.csv").write_text("Phone,Feeder\n(212) 555-0123,1\n2125550124,2\n212 555 0199 9,3\n")
    (tmp_path / "full.csv").write_text("Phone\n+12125550125\n")
    (tmp_path / "headless.csv").write_text("2125550123,1\n2125550124,2\n")
    (tmp_path / "old.csv").write_text("number,status,tags\n+12125550126,opted_out,\n555,opted_in,\n")
    (tmp_path / "types.csv").write_text("+12125550127,landline\n")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        input=COMMANDS,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"ALP_CONFIG": "alp.yaml"},
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert not re.search(r"212\D{0,3}555\D{0,3}0\d\d\d", json.dumps(lines))
    events = [line["event"] for line in lines]
    assert {
        "approved",
        "upload_received",
        "released",
        "message",
        "command",
        "undone",
        "imported",
        "line_types_loaded",
    } <= set(events)
    finished = [(line["upload"], line["state"]) for line in lines if line["event"] == "upload_finished"]
    assert finished == [(1, "applied"), (2, "held"), (2, "held"), (3, "held"), (3, "applied"), (4, "rejected")]


def test_a_traceback_holds_no_number_and_no_address() -> None:
    script = """
        from alp_daemon import log

        try:
            int("+12125550123x Ann.Bee@example.com")
        except ValueError as error:
            log.error("upload_failed", exc_info=error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr)
    assert told["exception"].endswith("ValueError: invalid literal for int() with base 10: '+1212•••0123x •••'")
