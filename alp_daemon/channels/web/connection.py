"""One connection: how long a client may take to ask and to take its answer, and how many one address may have."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from alp_daemon.channels.web.taking import Taken, taken
from alp_daemon.domain.lockout import normalise
from alp_daemon.domain.networks import Networks, is_in

REQUEST_SECONDS = 20.0
"""From the opening of the connection, or the last answer, to the end of a request's headers."""

TAKING_SECONDS = 30.0
"""Between two looks whether a client has taken any of an answer that waits for it."""

_RESET = struct.pack("@ii", 1, 0)  # socket(7), SO_LINGER: close at once, and throw away what was not sent


class Connection(H11Protocol):
    """uvicorn's, which by itself waits for ever for headers that come a byte at a time."""

    def __init__(
        self,
        *arguments: Any,
        most_per_ip: int,
        trusted: Networks,
        request_seconds: float = REQUEST_SECONDS,
        taking_seconds: float = TAKING_SECONDS,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self._most_per_ip = most_per_ip
        self._trusted = trusted
        self._request_seconds = request_seconds
        self._deadline: asyncio.TimerHandle | None = None
        self._taking_seconds = taking_seconds
        self._next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.abort()
        else:
            self._watch()
            # Not asyncio's transport, which in TLS is closed long before the connection is.
            self._socket = transport.get_extra_info("socket")
            self._watch_taking(taken(self._socket))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def _is_one_too_many(self) -> bool:
        # A trusted proxy holds everybody's connections.
        if self.client is None or is_in(self.client[0], self._trusted):
            return False
        address = normalise(self.client[0])
        peers = [other.client for other in self.connections if isinstance(other, Connection)]
        alike = sum(peer is not None and normalise(peer[0]) == address for peer in peers)
        return alike > self._most_per_ip

    def _watch(self) -> None:
        """Runs the clock while there is no request to answer. What is left of a refused body counts as none."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering:
            self._unwatch()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._request_seconds, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _watch_taking(self, before: Taken) -> None:
        self._next_look = self.loop.call_later(self._taking_seconds, self._check_taking, before)

    def _check_taking(self, before: Taken) -> None:
        """However large an answer and however slow a client, some of it has been taken since the last look."""
        now = taken(self._socket)
        if now.is_stuck_since(before):
            # With a reset: else the kernel would hold what it has for the client, and ask it for minutes.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self._watch_taking(now)
