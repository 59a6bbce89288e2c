"""The command ``alp-daemon`` in a process of its own, also where its script is not on the path."""

from __future__ import annotations

import sys

PROGRAM = (sys.executable, "-P", "-c", "from alp_daemon.cli import main; main()")
