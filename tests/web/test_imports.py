"""Commands that work files pay nothing for the web side."""

from __future__ import annotations

import subprocess
import sys

WEB = {"starlette", "uvicorn", "jinja2", "anyio", "asyncio", "h11"}


def test_working_a_file_imports_nothing_of_the_web_side() -> None:
    code = (
        "import sys, alp_daemon.cli.uploads, alp_daemon.services.processing.process;"
        "print(*{name.partition('.')[0] for name in sys.modules}, *sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(said.split())
    assert not WEB & loaded
    assert not any(name.startswith("alp_daemon.channels") for name in loaded)
