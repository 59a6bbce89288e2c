"""The peers: FTP servers of the distribution, each as a process of ours on a port of its own.

They answer 226 when the file is written, not when it would survive a power cut, and keep no record of it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

from tests.bench.ftp.server import HOST, Server

_START_SECONDS = 10.0
_VSFTPD = """\
listen=YES
listen_address={host}
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
anon_upload_enable=YES
write_enable=YES
allow_writeable_chroot=YES
xferlog_enable=NO
max_clients=0
max_per_ip=0
"""

# The password "bench" as MD5: its own argon2 takes seconds a log-in, and log-ins are not measured.
_BENCH = "$1$bench$IDaFocGqo.f39hZ5dc3P7."

Command = Callable[[Path, int], list[str]]


def _vsftpd(folder: Path, port: int) -> list[str]:
    configuration = folder / "vsftpd.conf"
    configuration.write_text(_VSFTPD.format(host=HOST, port=port, root=_root(folder)))
    return ["vsftpd", str(configuration)]


def _pure_ftpd(folder: Path, port: int) -> list[str]:
    root, users = _root(folder), folder / "users"
    owner = getpwnam("nobody")
    os.chown(root, owner.pw_uid, owner.pw_gid)
    users.write_text(f"bench:{_BENCH}:{owner.pw_uid}:{owner.pw_gid}::{root}/./::::::::::::\n")
    subprocess.run(["pure-pw", "mkdb", str(folder / "users.pdb"), "-f", str(users)], check=True)
    return [
        "pure-ftpd",
        "-S",
        f"{HOST},{port}",
        "-E",
        "-H",
        "-c",
        "600",
        "-C",
        "600",
        "-l",
        f"puredb:{folder}/users.pdb",
    ]


PEERS: dict[str, tuple[Command, tuple[str, str]]] = {
    "vsftpd": (_vsftpd, ("anonymous", "")),
    "pure-ftpd": (_pure_ftpd, ("bench", "bench")),
}


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Server]:
    """A peer that answers, on a folder that is made for it."""
    command, login = PEERS[name]
    folder.mkdir(parents=True)
    port = _free_port()
    process = subprocess.Popen(command(folder, port))
    server = Server(name, port, [login])
    try:
        _wait_for(server, process)
        yield server
    finally:
        process.terminate()
        process.wait()


def installed() -> list[str]:
    """The peers there are; those that are not are named on stderr."""
    found = [name for name in PEERS if shutil.which(name)]
    for name in PEERS.keys() - set(found):
        print(f"{name}: NOT MEASURED, it is not installed (apt-get install {name})", file=sys.stderr)
    return found


def _root(folder: Path) -> Path:
    root = folder / "root"
    root.mkdir()
    return root


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            server.enter().quit()
        except (OSError, EOFError):
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{server.name} did not start")
