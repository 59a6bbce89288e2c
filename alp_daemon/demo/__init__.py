"""``alp-daemon demo``: everything at work in front of a newcomer, and checked against what ``samples/`` promises."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory, mkdtemp

from alp_daemon.demo import acts
from alp_daemon.demo.acts import Outcome
from alp_daemon.demo.doorway import Doorway
from alp_daemon.demo.samples import GROUPS, all_samples, sample
from alp_daemon.demo.sandbox import SANDBOX, add_sandbox, members_file, watch
from alp_daemon.demo.screen import Screen
from alp_daemon.demo.stage import HOST, Stage
from alp_daemon.services.logins.credentials import Issued, Kind

# More customers with the list of a sample, each for one act. The mode that takes most away shows most.
_SENT_TWICE = "hard_opt_out"
_ENCRYPTED, _KILLED = "by-ftps", "killed-client"

Act = Callable[[], Outcome]


def run(*, once: bool, as_json: bool) -> int:
    """Run the demo. Returns 0, or 1 if anything differs from what is promised.

    On a terminal, and without ``once`` or ``as_json``, it then stays until Ctrl-C for files of the visitor's own.
    """
    # A demo that is told to end cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Screen(quiet=as_json)
    began = time.monotonic()
    with TemporaryDirectory(prefix="alp-demo-") as folder, Stage(Path(folder)) as stage:
        logins = _set_up(stage, screen)
        outcomes = list(_played(stage, screen, logins))
        screen.verdict(outcomes, time.monotonic() - began)
        if as_json:
            print(json.dumps([outcome.as_dict() for outcome in outcomes], indent=2, ensure_ascii=False))  # noqa: T201
        elif not once and sys.stdout.isatty():
            _stay(stage, screen, logins[SANDBOX])
        else:
            screen.commands([("reports", f"{_keep_reports(stage)}/CUSTOMER/")])
    return 0 if all(outcome.is_as_promised for outcome in outcomes) else 1


def _keep_reports(stage: Stage) -> Path:
    """The reports outlive the demo, for who wants to read them afterwards."""
    kept = Path(mkdtemp(prefix="alp-demo-reports-"))
    for customer in stage.settings.drop_dir.iterdir():
        copytree(customer / "reports", kept / customer.name)
    return kept


def _set_up(stage: Stage, screen: Screen) -> dict[str, Issued]:
    """The customers and their log-ins, and the daemon that serves them."""
    samples = all_samples()
    screen.opening(len(samples))
    with screen.busy("importing lists, approving feeds, issuing log-ins…"):
        logins = {each.name: stage.add(each) for each in samples}
        logins |= {customer: stage.add(sample(_SENT_TWICE), customer) for customer in (_ENCRYPTED, _KILLED)}
        logins[SANDBOX] = add_sandbox(stage)
    with screen.busy("starting the daemon…"):
        stage.start()
    return logins


def _played(stage: Stage, screen: Screen, logins: dict[str, Issued]) -> Iterator[Outcome]:
    """Every act, shown as it ends."""
    for title, these in _programme(stage, logins).items():
        screen.heading(title)
        for act in these:
            with screen.busy("sending…"):
                outcome = act()
            screen.outcome(outcome)
            yield outcome


def _programme(stage: Stage, logins: dict[str, Issued]) -> dict[str, list[Act]]:
    def sending(name: str) -> Act:
        return lambda: acts.send(stage, sample(name), logins[name])

    again = sample(_SENT_TWICE)
    programme = {title: [sending(name) for name in names] for title, names in GROUPS.items()}
    programme["Connections that are not what they should be"] = [
        lambda: acts.send_encrypted(stage, again, logins[_ENCRYPTED], _ENCRYPTED),
        lambda: acts.kill_in_the_middle(stage, again, logins[_KILLED], _KILLED),
        lambda: acts.send_again(stage, again, logins[_KILLED], _KILLED),
        lambda: acts.guess_passwords(stage, logins[SANDBOX]),
    ]
    return programme


def _stay(stage: Stage, screen: Screen, login: Issued) -> None:
    """Hand the server to the visitor until Ctrl-C."""
    with Doorway(stage) as door:
        _show_ways_in(stage, screen, login, door)
        try:
            watch(stage, screen)
        except KeyboardInterrupt:
            screen.note("Stopping the server, removing everything…")


def _show_ways_in(stage: Stage, screen: Screen, login: Issued, door: Doorway) -> None:
    members, url = members_file(stage), f"ftp://{HOST}:{stage.port}/"
    screen.heading("Now a file of your own")
    screen.note("In a browser; each link signs you in, to the customer's page or to the operators' console:")
    screen.commands(
        [
            ("page", door.link(Kind.uploader, SANDBOX, "/")),
            ("console", door.link(Kind.operator, "visitor", "/console")),
        ]
    )
    screen.note("Or by FTP:")
    screen.commands(
        [
            ("host", HOST),
            ("port", str(stage.port)),
            ("user", login.user),
            ("password", login.password),
            ("reports", f"{stage.settings.drop_dir}/CUSTOMER/reports/"),
        ]
    )
    screen.note(
        f"{members} has five members. Send it, delete one, add one, send it again: whom the file omits is suspended."
    )
    screen.commands([("", f"curl -T {members} -u {login.user}:{login.password} {url}")])
    screen.note("A file with numbers in column A and tags in B, C, D… needs no field map. This folder takes it:")
    screen.commands([("", f"curl -T FILE -u {login.user}:{login.password} {url}preformatted/")])
    screen.note("Each report appears here. Ctrl-C ends the server and removes everything.")
