"""A way to PostgreSQL that breaks when it is told to: just before a COMMIT arrives, or just after it was done."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from select import select
from typing import Literal


class Way:
    """Passes on what clients and the server say to each other, until a COMMIT comes by while ``breaks`` is set.

    With ``behind`` it is the first one after a statement that has this in it.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.breaks: Literal["before", "after"] | None = None
        self.behind = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Only this wakes who waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self._server) as server:
            while True:
                for source in select([client, server], [], [])[0]:
                    said = source.recv(65536)
                    if not said or (source is client and self._breaks_at(said, server)):
                        return
                    (server if source is client else client).sendall(said)

    def _breaks_at(self, said: bytes, server: socket.socket) -> bool:
        if self.behind in said:
            self.behind = b""
        if self.breaks is None or self.behind or b"COMMIT" not in said:
            return False
        how, self.breaks = self.breaks, None
        if how == "after":
            server.sendall(said)
            server.recv(65536)  # the answer, which reaches nobody
        return True
