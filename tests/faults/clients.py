"""Real clients, killed in the middle of an upload: what they leave behind is never applied. Whole files always are."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tests.eventually import eventually
from tests.faults.campaign import Skipped, Tally
from tests.faults.installation import BODY, TRAILER, Door, Installation, short_ones_applied

_FTPLIB = """\
import ftplib, ssl, sys
port, user, password, name, authority = sys.argv[1:]
if authority:
    ftp = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=authority))
else:
    ftp = ftplib.FTP()
ftp.connect("localhost", int(port))
ftp.login(user, password)
if authority:
    ftp.prot_p()
ftp.storbinary(f"STOR {name}", sys.stdin.buffer)
ftp.quit()
"""


def _ftplib(door: Door, name: str, tls: bool) -> list[str]:
    where = [str(door.server.port), door.login.user, door.login.password, name]
    return [sys.executable, "-c", _FTPLIB, *where, str(door.authority) if tls else ""]


def _curl(door: Door, name: str, tls: bool) -> list[str]:
    secure = ["--ssl-reqd", "--cacert", str(door.authority)] if tls else []
    user = f"{door.login.user}:{door.login.password}"
    return ["curl", "-sS", *secure, "-u", user, "-T", "-", f"ftp://localhost:{door.server.port}/{name}"]


def _lftp(door: Door, name: str, tls: bool) -> list[str]:
    secure = f"set ssl:ca-file {door.authority}; set ftp:ssl-force true" if tls else "set ftp:ssl-allow false"
    there = f"open -p {door.server.port} -u {door.login.user},{door.login.password} localhost"
    return ["lftp", "--norc", "-c", f"{secure}; set net:max-retries 1; {there}; put /dev/stdin -o {name}"]


def _ncftpput(door: Door, name: str, _tls: bool) -> list[str]:
    login = ["-u", door.login.user, "-p", door.login.password, "-P", str(door.server.port)]
    return ["ncftpput", *login, "-c", "localhost", name]


@dataclass(frozen=True, slots=True)
class Way:
    """A client, with or without TLS, and the signal that kills it. ``program`` is what has to be installed."""

    program: str
    command: Callable[[Door, str, bool], list[str]]
    tls: bool
    by: signal.Signals

    def __str__(self) -> str:
        return f"{self.program}{' tls' if self.tls else ''} {self.by.name}"

    @property
    def looks_whole(self) -> bool:
        """On the wire its answer to Ctrl-C is a complete upload; only the content can tell, such as a trailer."""
        return (self.program, self.by) == ("ncftpput", signal.SIGINT)


_COMMANDS = {"ftplib": _ftplib, "curl": _curl, "lftp": _lftp, "ncftpput": _ncftpput}
WAYS = [
    Way(program, command, tls, by)
    for program, command in _COMMANDS.items()
    for tls in (False, True)
    for by in (signal.SIGKILL, signal.SIGINT)
    if not (tls and program == "ncftpput")
]
"""ncftpput knows no TLS."""


def installed() -> list[Way]:
    return [way for way in WAYS if way.program == "ftplib" or shutil.which(way.program)]


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """``rounds`` killed clients, and a fourth as many that live."""
    ways = installed()
    missing = sorted(_COMMANDS.keys() - {way.program for way in ways})
    if len(missing) == len(_COMMANDS) - 1:
        raise Skipped(f"no FTP client but Python's own; install {', '.join(missing)}")
    tally, chance, sizes = Tally(), random.Random(seed), {}
    tally.counted.update({f"{program} missing": 1 for program in missing})
    installation = Installation(folder)
    installation.approve()
    living = []
    with installation.running() as door:
        for number, way in zip(range(rounds), cycle(chance.sample(ways, len(ways)))):
            name, content = _file(way, number)
            sizes[name] = len(content)
            kill_in_the_middle(way, door, name, content[: chance.randrange(len(content))], chance, installation)
            tally.rounds += 1
            if number % 4 == 0:
                name, content = _file(way, f"whole-{number}")
                sizes[name] = len(content)
                if _is_sent(way, door, name, content):
                    living.append(name)
                else:
                    tally.faults.append(f"{way}: the upload of {name} failed")
        uploads = installation.at_rest()
    states = {row["name"]: row["state"] for row in uploads}
    tally.faults += [f"applied though short: {name}" for name in short_ones_applied(uploads, sizes)]
    tally.faults += [f"whole, and {states.get(name)}: {name}" for name in living if states.get(name) != "applied"]
    tally.counted.update(f"killed: {states.get(name, 'nothing kept')}" for name in sizes if "whole" not in name)
    tally.counted["whole: applied"] = sum(states.get(name) == "applied" for name in living)
    installation.sound(tally)
    return tally


def _file(way: Way, number: int | str) -> tuple[str, bytes]:
    kind, end = ("trailed", TRAILER) if way.looks_whole else ("members", "")
    return f"{kind}-{way.program}{'-tls' if way.tls else ''}-{way.by.name}-{number}.csv", (BODY + end).encode()


def kill_in_the_middle(
    way: Way, door: Door, name: str, part: bytes, chance: random.Random, installation: Installation
) -> None:
    """The client is killed once a part of its file has come, with the rest still to be sent; or at any time before."""
    incoming = installation.provider.folder / "data/spool/incoming"
    known = set(incoming.glob("*.part"))
    with _started(way.command(door, name, way.tls)) as client:
        assert client.stdin is not None
        with suppress(BrokenPipeError):
            client.stdin.write(part)
            client.stdin.flush()
        if chance.random() < 0.9:
            # What a client holds in its own buffer may be all there is.
            deadline = time.monotonic() + 2.0
            while time.monotonic() < deadline and not (set(incoming.glob("*.part")) - known):
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.02))
        # Again and again: Python loses a Ctrl-C that comes an instant before it blocks.
        eventually(lambda: client.poll() is not None or client.send_signal(way.by))
        with suppress(BrokenPipeError):
            client.stdin.close()


def _is_sent(way: Way, door: Door, name: str, content: bytes) -> bool:
    with _started(way.command(door, name, way.tls)) as client:
        client.communicate(content, 60)
    return client.returncode == 0


def _started(arguments: list[str]) -> subprocess.Popen[bytes]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, preexec_fn=_hear_ctrl_c, **quiet)


def _hear_ctrl_c() -> None:
    """What a shell runs in the background is deaf to it, and so would be the clients of such a run."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
