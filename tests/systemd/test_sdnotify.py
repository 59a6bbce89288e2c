"""The protocol of sd_notify(3), over real sockets."""

from __future__ import annotations

import os
import secrets
import socket

import pytest

from alp_daemon import sdnotify

from .conftest import Manager


def test_all_lines_come_in_one_datagram(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    sdnotify.notify("READY=1", "STATUS=3 customers, größer als 2")
    sdnotify.notify("WATCHDOG=1")
    assert manager.rest() == [["READY=1", "STATUS=3 customers, größer als 2"], ["WATCHDOG=1"]]


def test_an_at_sign_means_the_abstract_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"alp-daemon-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        sdnotify.notify("STOPPING=1")
        receiver.settimeout(5)
        assert receiver.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("variable", [None, ""])
def test_without_a_service_manager_nothing_is_sent(
    variable: str | None, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if variable is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", variable)
    sdnotify.notify("READY=1")
    assert manager.rest() == []


# Named and not numbered, so that every xdist worker collects the same tests.
PROCESSES = {"own": os.getpid(), "another": os.getppid()}


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [
        ("180000000", "own", 180.0),
        ("180000000", None, 180.0),
        ("180000000", "", 180.0),
        ("1500000", None, 1.5),
        ("180000000", "another", None),
        (None, "own", None),
        ("", "own", None),
        ("0", "own", None),
        ("-1", "own", None),
        ("3min", "own", None),
        ("²", "own", None),
    ],
)
def test_the_watchdog_counts_only_if_it_is_ours_and_a_time(
    microseconds: str | None, pid: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid and str(PROCESSES[pid]))):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert sdnotify.watchdog_seconds() == seconds
