"""How a client left, read from the state of its connections: whether a file that ended is whole.

FTP marks the end of a file by closing the data connection, and the kernel of a killed client closes it just so. What
tells the two apart is the control connection: the dead client's kernel answers our 226 with a reset.
"""

from __future__ import annotations

import socket
from enum import Enum
from typing import Any

from alp_daemon.domain.model import Evidence

SETTLE_SECONDS = 1.0
"""How long after the 226 (or after a hang-up that followed it) a reset may still come."""

GONE = "the client was gone before the file was confirmed"

# include/net/tcp_states.h
_ESTABLISHED, _CLOSE_WAIT = 1, 8


class Ending(Enum):
    """How the data of an upload ended."""

    closed = "closed"
    """The client closed the connection in good order (FIN)."""
    goodbye = "goodbye"
    """The client said in TLS that this is all (close_notify)."""
    no_goodbye = "no_goodbye"
    """A TLS connection was closed without the client saying so."""
    torn = "torn"
    """Reset, timed out, or given up with the session."""
    aborted = "aborted"
    """The client took it back (ABOR)."""
    failed = "failed"
    """We could not go on: the disk is full, the file too large."""


def is_open(sock: Any) -> bool:
    """Neither side has closed the connection, as far as the kernel knows at this moment."""
    return _tcp_state(sock) == _ESTABLISHED


def has_left_in_order(sock: Any) -> bool:
    """The peer has closed (FIN), and nothing that we sent before or since was answered by a reset."""
    return _tcp_state(sock) == _CLOSE_WAIT


def judged(ending: Ending, *, require_close_notify: bool, still_there: bool) -> tuple[Evidence | None, str]:
    """The evidence when the data has ended: ``cut`` with its reason, or ``None`` where it is too early to say.

    ``still_there``: the control connection was open when the data ended.
    """
    if ending is Ending.torn:
        return Evidence.cut, "the data connection broke off"
    if ending is Ending.no_goodbye and require_close_notify:
        return Evidence.cut, "the TLS connection ended without close_notify"
    if not still_there:
        return Evidence.cut, GONE
    return None, ""


def expected(ending: Ending) -> tuple[Evidence, str]:
    """The evidence if the client turns out to be alive after the 226."""
    if ending is Ending.goodbye:
        return Evidence.proven, "TLS close_notify"
    return Evidence.assumed, ""


def _tcp_state(sock: Any) -> int:
    try:
        state: bytes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    except OSError:
        return 0
    return state[0]
