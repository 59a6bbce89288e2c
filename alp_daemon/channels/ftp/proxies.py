"""Connections that a balancer passes on: none of them is anybody's before its PROXY header has said whose."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp import proxyheader
from alp_daemon.channels.ftp.proxyheader import BadHeader
from alp_daemon.domain.networks import is_in, networks

HEADER_SECONDS = 3.0
"""A balancer sends its header with the first segment."""

Met = Callable[["str | None"], None]
"""Takes the client's address, or None where the balancer speaks for itself. The connection is the caller's again."""


class Proxies:
    """The balancers that are believed. They must send a header; from others it would be but a bad command."""

    def __init__(self, trusted: Iterable[str], ioloop: IOLoop) -> None:
        self._trusted = networks(trusted)
        self._ioloop = ioloop

    def meet(self, connection: socket.socket, peer: str, met: Met) -> Introduction | None:
        """Calls ``met`` when it is known whose connection it is: at once, or when the header that is returned has come.

        A connection whose header is missing or wrong is closed, and nobody is called.
        """
        if is_in(peer, self._trusted):
            return Introduction(connection, peer, self._ioloop, met)
        met(peer)
        return None


class Introduction:
    """Reads the header of one connection, on the loop, and not a byte more. To the loop it is the connection."""

    def __init__(self, connection: socket.socket, peer: str, ioloop: IOLoop, met: Met) -> None:
        self._connection = connection
        self._peer = peer
        self._ioloop = ioloop
        self._met = met
        self._header = b""
        connection.setblocking(False)
        self._fileno = connection.fileno()
        self._timer = ioloop.call_later(HEADER_SECONDS, self._refuse, f"none within {HEADER_SECONDS:.0f} seconds")
        ioloop.register(self._fileno, self, ioloop.READ)
        self.is_over = False

    def close(self) -> None:
        """Gives up, if it is not over."""
        if not self.is_over:
            self._let_go()
            self._connection.close()

    # What the loop calls

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        try:
            while wanted := proxyheader.missing(self._header):
                piece = self._connection.recv(wanted)
                if not piece:
                    raise BadHeader("closed before its end")
                self._header += piece
            address = proxyheader.client(self._header)
        except BlockingIOError:
            return
        except (BadHeader, OSError) as error:
            self._refuse(str(error))
        else:
            self._let_go()
            self._met(address)

    def handle_close(self) -> None:
        self._refuse("the connection broke off")

    def handle_error(self) -> None:
        log.error("ftp_internal_error", exc_info=True)
        self.close()

    def _refuse(self, why: str) -> None:
        log.warning("ftp_proxy_header_refused", proxy=self._peer, reason=why)
        self.close()

    def _let_go(self) -> None:
        self.is_over = True
        self._timer.cancel()
        self._ioloop.unregister(self._fileno)
