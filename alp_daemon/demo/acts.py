"""What the demo does to its server, and whether each thing came out as promised."""

from __future__ import annotations

import difflib
import ftplib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from alp_daemon.demo.samples import Sample, normalised
from alp_daemon.demo.stage import HOST, Stage
from alp_daemon.domain.lockout import LockoutLimits
from alp_daemon.errors import Unavailable
from alp_daemon.services.logins.credentials import Issued
from alp_daemon.services.reports import reporttext
from alp_daemon.services.reports.report import Report

# All of 127.0.0.0/8 is this machine, so the guesser need not share the visitor's address, and its lockout.
GUESSER: Final = "127.0.0.2"
_GUESSES: Final = LockoutLimits().failures

# Sends half of what it is given, to the end of a line, says so, and does nothing until it is killed. Such a file looks
# whole; only the connection knows better.
_CLIENT: Final = """\
import ftplib, sys, time
host, port, user, password, name = sys.stdin.buffer.readline().decode().split()
content = sys.stdin.buffer.read()
client = ftplib.FTP(timeout=20)
client.connect(host, int(port))
client.login(user, password)
client.voidcmd("TYPE I")
half = content[: content.rindex(b"\\n", 0, len(content) // 2) + 1]
client.transfercmd("STOR " + name).sendall(half)
print("half", flush=True)
time.sleep(60)
"""

# Singular and plural of what a file may change, in the order of the report.
_CHANGES: Final = {
    "opted_in": ("opted in", "opted in"),
    "reactivated": ("reactivated", "reactivated"),
    "suspended": ("suspended", "suspended"),
    "opted_out": ("opted out", "opted out"),
    "tags_added": ("tag added", "tags added"),
    "tags_removed": ("tag removed", "tags removed"),
    "blocked_opted_out": ("left opted out", "left opted out"),
    "unsubscribed": ("unsubscribed", "unsubscribed"),
    "resubscribed": ("subscribed again", "subscribed again"),
    "attributes_changed": ("with other attributes", "with other attributes"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that was done: ``shows`` says what and why, ``result`` what came of it."""

    name: str
    shows: str
    state: str
    result: str
    differences: tuple[str, ...] = ()
    """Where it is not as promised, each as a diff; empty when all is well."""

    @property
    def is_as_promised(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "as_promised": self.is_as_promised}


def send(stage: Stage, sample: Sample, login: Issued) -> Outcome:
    """A sample's file by plain FTP: the report and the list must be those of ``samples/``."""
    stage.send(login, sample.upload.name, sample.upload.read_bytes())
    ended = stage.ended(sample.name)
    told = normalised(reporttext.text(ended))
    return _outcome(
        sample.name,
        sample.sentence,
        ended,
        _difference(sample.report.name, sample.report.read_text(encoding="utf-8"), told),
        _list_difference(stage, sample.name, sample.after),
    )


def send_encrypted(stage: Stage, sample: Sample, login: Issued, customer: str) -> Outcome:
    """The same by FTPS, where a file ends with a goodbye that no killed client can say."""
    stage.send(login, sample.upload.name, sample.upload.read_bytes(), tls=True)
    ended = stage.ended(customer)
    return _outcome(
        "by FTPS",
        f"The file of {sample.name} encrypted: the goodbye of TLS proves that it is whole.",
        ended,
        _difference("evidence", "proven", ended["evidence"]),
        _list_difference(stage, customer, sample.after),
    )


def kill_in_the_middle(stage: Stage, sample: Sample, login: Issued, customer: str) -> Outcome:
    """A client that is killed when half of its file is through: the half must wait for a person."""
    _send_half_and_die(stage, sample, login)
    ended = stage.ended(customer)
    return _outcome(
        "killed client",
        f"The file of {sample.name} from a program killed half-way, between two rows: it looks whole, and is held.",
        ended,
        _difference("reasons to hold it", "cut", ", ".join(each["code"] for each in ended["hold"])),
        _list_difference(stage, customer, sample.before),
    )


def send_again(stage: Stage, sample: Sample, login: Issued, customer: str) -> Outcome:
    """The whole file after the half one: it must be applied, and the half one put away."""
    stage.send(login, sample.upload.name, sample.upload.read_bytes())
    ended = stage.ended(customer, 2)
    half = stage.reports(customer)[0]
    return _outcome(
        "sent again",
        "The whole file after all: applied, and the half one, out of date now, is discarded by itself.",
        ended,
        _difference("the half file", "discarded", half["state"]),
        _list_difference(stage, customer, sample.after),
    )


def guess_passwords(stage: Stage, login: Issued) -> Outcome:
    """Wrong passwords from one address, then the right one from it and from another."""
    with stage.connection(source=GUESSER) as patient:
        guesses = [_guess(stage, login.user, f"guess-{number}") for number in range(_GUESSES)]
        right = _answer(lambda: patient.login(login.user, login.password))
    with stage.connection() as visitor:
        elsewhere = _answer(lambda: visitor.login(login.user, login.password))
    codes = [answer[:3] for answer in (*guesses, right, elsewhere)]
    return Outcome(
        "wrong passwords",
        f"{_GUESSES} wrong ones from {GUESSER}, then the right one: refused for an hour. Other addresses get in.",
        "locked out",
        right,
        _difference("answers", " ".join(["530"] * _GUESSES + ["421", "230"]), " ".join(codes)),
    )


def _send_half_and_die(stage: Stage, sample: Sample, login: Issued) -> None:
    told = f"{HOST} {stage.port} {login.user} {login.password} {sample.upload.name}\n".encode()
    with subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-P", "-c", _CLIENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as client:
        assert client.stdin is not None and client.stdout is not None
        client.stdin.write(told + sample.upload.read_bytes())
        client.stdin.close()
        said = client.stdout.readline()
        client.kill()
    if said != b"half\n":
        raise Unavailable(f"the client to be killed sent nothing; the daemon's log ends with:\n{stage.end_of_log()}")


def _guess(stage: Stage, user: str, password: str) -> str:
    with stage.connection(source=GUESSER) as client:
        return _answer(lambda: client.login(user, password))


def _answer(login: Callable[[], str]) -> str:
    """What the server says to a log-in, whether it is welcome or not."""
    try:
        return login()
    except ftplib.Error as error:
        return str(error)


def _outcome(name: str, shows: str, ended: Report, *differences: tuple[str, ...]) -> Outcome:
    found = tuple(difference for each in differences for difference in each)
    return Outcome(name, shows, str(ended["state"]), _result(ended), found)


def _result(ended: Report) -> str:
    if ended["state"] != "applied":
        return str(ended["reason"])
    figures, rows = ended["changes"], ended["rows"]
    # Lists of numbers and of subscribers do not count the same things.
    parts = [f"{figures[key]:,} {words[figures[key] != 1]}" for key, words in _CHANGES.items() if figures.get(key)]
    if rows["rejected"]:
        parts.append(f"{rows['rejected']:,} of {rows['read']:,} rows rejected")
    return ", ".join(parts) or "nothing changed"


def _list_difference(stage: Stage, customer: str, promised: Path) -> tuple[str, ...]:
    return _difference(promised.name, promised.read_text(encoding="utf-8"), stage.exported(customer))


def _difference(what: str, promised: str, seen: str) -> tuple[str, ...]:
    if promised == seen:
        return ()
    lines = difflib.unified_diff(
        promised.splitlines(), seen.splitlines(), f"{what} (promised)", f"{what} (seen)", lineterm="", n=0
    )
    return ("\n".join(lines),)
