"""A customer for the visitor: send it a file of your own and see what becomes of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from alp_daemon.demo.screen import Screen
from alp_daemon.demo.stage import Stage
from alp_daemon.errors import Unavailable
from alp_daemon.services.logins.credentials import Issued
from alp_daemon.services.reports.report import Report
from alp_daemon.services.reports.report import stage as stage_of

SANDBOX: Final = "sandbox"

_CUSTOMER: Final = """\
# The visitor's own: numbers that a file omits are suspended, listed ones have exactly the file's tags.
name: Sandbox
keyword: SANDBOX
modes: [soft_opt_out_tags]
feeds:
  members:
    match: "*.csv"
    mode: soft_opt_out_tags
    phones: [Phone]
    tags:
      - column: Group
"""
_MEMBERS: Final = """\
Phone,Name,Group
(212) 555-0121,Corner Bakery,east
212-555-0122,Station Cafe,east
+1 212 555 0123,Harbor Books,west
212.555.0124,Park Pharmacy,west
2125550125,Hilltop Garage,
"""
_POLL_SECONDS: Final = 0.3


def add_sandbox(stage: Stage) -> Issued:
    """The sandbox with an empty list; its first file is written, and not yet sent."""
    members_file(stage).write_text(_MEMBERS, encoding="utf-8")
    return stage.add_customer(SANDBOX, _CUSTOMER, before=None, approved_with=members_file(stage))


def members_file(stage: Stage) -> Path:
    """A file to be sent, edited, and sent again."""
    return stage.folder / "members.csv"


def watch(stage: Stage, screen: Screen) -> None:
    """Show each report as it comes, whoever's, until Ctrl-C. Raises ``Unavailable`` if the daemon ends first."""
    shown = {_as_it_stands(each) for each in stage.reports()}
    while stage.is_running:
        for found in stage.reports():
            if found["state"] != "received" and _as_it_stands(found) not in shown:
                shown.add(_as_it_stands(found))
                screen.report(found, stage.config)
        time.sleep(_POLL_SECONDS)
    raise Unavailable(f"the daemon has ended; its log ends with:\n{stage.end_of_log()}")


def _as_it_stands(found: Report) -> tuple[object, ...]:
    """A release, also one after which it is held again, and an undo make another report of it."""
    return found["upload"], stage_of(found), found.get("released_at")
