"""A daemon reads `alp.yaml` when it starts. That what stands there now is not in force, `reload` and `doctor` say."""

from __future__ import annotations

import json
import subprocess

from tests.eventually import eventually
from tests.systemd.conftest import COMMAND, Site


def said(site: Site, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, command, "--config", site.config], capture_output=True, text=True, timeout=60, check=False
    )


def test_reload_and_doctor_tell_of_them(site: Site) -> None:
    site.serve()
    eventually(site.ports.exists, otherwise=site.stderr)
    assert "alp.yaml has changed" not in said(site, "reload").stderr + said(site, "doctor").stdout
    with site.config.open("a") as config:
        config.write("smtp: {host: mail.example.org}\n")
    pid = json.loads(site.ports.read_text())["pid"]
    told = f"alp.yaml has changed in smtp since the daemon (process {pid}) read it at 20"
    reloaded = said(site, "reload")
    assert reloaded.returncode == 0
    assert told in reloaded.stderr
    assert f"warning: {told}" in said(site, "doctor").stdout
