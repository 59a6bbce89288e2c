"""Whether a client takes what it is sent, as the kernel says (Linux: ``tcp(7)`` and ``linux/tcp.h``)."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from typing import NamedTuple, Protocol

# tcpi_bytes_acked in struct tcp_info (since Linux 4.1).
_ACKED_AT = 120
_ACKED = struct.Struct("@Q")
_QUEUED = struct.Struct("@i")


class Taken(NamedTuple):
    """How far a connection's answers have come."""

    acknowledged: int
    """Bytes that the client's kernel has taken since the connection was opened."""
    waits: bool
    """There is more for it to take."""

    def is_stuck_since(self, before: Taken) -> bool:
        """Nothing was taken, and there was something then and is now. An answer may just have begun to be sent."""
        return self.waits and before.waits and self.acknowledged == before.acknowledged


class Socket(Protocol):
    """What a transport gives out of its socket."""

    def fileno(self) -> int: ...

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes: ...


def taken(connection: Socket) -> Taken:
    """How it stands. What the program itself holds back does not show here, but then the kernel's queue is full."""
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED_AT + _ACKED.size)
    queued = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(_QUEUED.size))
    return Taken(_ACKED.unpack_from(state, _ACKED_AT)[0], _QUEUED.unpack(queued)[0] > 0)
