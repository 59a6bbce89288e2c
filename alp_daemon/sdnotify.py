"""sd_notify(3): tells systemd how the daemon is. Does nothing where no service manager asked for it.

The protocol is one datagram of ``NAME=value`` lines to the socket in ``$NOTIFY_SOCKET``; it needs no library.
"""

from __future__ import annotations

import os
import socket

from alp_daemon import log


def notify(*lines: str) -> None:
    """Sends assignments such as ``READY=1``, ``STOPPING=1``, ``WATCHDOG=1`` or ``STATUS=…`` in one datagram.

    Never raises: a service manager that cannot be reached is no reason to stop serving customers, let alone to leave
    an orderly stop half-way. It will act on its own time-outs.
    """
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name:
        return
    # An @ stands for the NUL of Linux's abstract namespace.
    address = "\0" + name[1:] if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.warning("service_manager_not_told", message=lines, socket=name, error=str(error))


def watchdog_seconds() -> float | None:
    """How long systemd waits for a ``WATCHDOG=1`` before it kills us (``WatchdogSec=``), or None.

    As sd_watchdog_enabled(3) has it: what was meant for another process, such as the parent of this one, does not
    count, and neither does a time-out that is no positive number.
    """
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    meant_for = os.environ.get("WATCHDOG_PID") or str(os.getpid())
    if meant_for != str(os.getpid()) or not (microseconds.isascii() and microseconds.isdecimal()):
        return None
    return int(microseconds) / 1e6 or None
