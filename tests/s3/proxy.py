"""Stands before the server and does what networks and busy servers do: refuse, fall silent, break off."""

from __future__ import annotations

import http.client
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SLOW_PIECE = 2**20


class Fault(Enum):
    busy = "503, as a storage says that asks for less"
    denied = "403, as of keys that have expired"
    silent = "takes the request and says nothing"
    breaks_off = "closes the connection half-way through the answer's body"
    slow = "takes a body so slowly that the client hears nothing for long, and then does what is asked"
    forgets = "does what is asked, and closes the connection without an answer"
    cut = "closes the connection at once, as a network that is gone"
    unconditional = "501, as of a storage that makes no object only where there is none"


class Proxy:
    """``requests`` are methods and paths, in the order in which they came."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.requests: list[tuple[str, str]] = []
        self.next: deque[Fault] = deque()
        """What goes wrong with the next requests, one each."""
        self.always: Fault | None = None
        self.only: str | None = None
        """The method whose requests ``always`` is about, if not all."""
        self.pause = 0.4
        """A slow one takes this many seconds for a mebibyte."""
        self._waker = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @contextmanager
    def broken(self, fault: Fault, only: str | None = None) -> Iterator[None]:
        self.always, self.only = fault, only
        try:
            yield
        finally:
            self.always = None

    def fault(self, method: str) -> Fault | None:
        if self.next:
            return self.next.popleft()
        return self.always if self.only in (None, method) else None

    def of(self, method: str, name: str = "") -> list[str]:
        """The paths of the requests of one method that name an object."""
        return [path for made, path in self.requests if made == method and name in path]

    def wait_for_the_end(self) -> None:
        self._waker.wait()

    def close(self) -> None:
        self._waker.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *_: object) -> None:
            """Tests read ``requests``."""

        def handle_any(self) -> None:
            fault = proxy.fault(self.command)
            body = self._body(pause=proxy.pause if fault is Fault.slow else 0)
            proxy.requests.append((self.command, self.path))
            if fault is Fault.silent:
                proxy.wait_for_the_end()
                self.close_connection = True
            elif fault is Fault.cut:
                self.close_connection = True
            elif fault in (Fault.busy, Fault.denied):
                self._answer(503 if fault is Fault.busy else 403, {}, b"<Error><Code>NotNow</Code></Error>")
            elif fault is Fault.unconditional and self.headers["If-None-Match"]:
                self._answer(501, {}, b"<Error><Code>NotImplemented</Code></Error>")
            else:
                self._pass_on(body, fault)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815  named by http.server

        def _body(self, pause: float) -> bytes:
            missing, body = int(self.headers.get("Content-Length") or 0), b""
            while missing > len(body):
                body += self.rfile.read(min(_SLOW_PIECE, missing - len(body)) if pause else missing)
                time.sleep(pause)
            return body

        def _pass_on(self, body: bytes, fault: Fault | None) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", proxy.upstream, timeout=30)
            upstream.request(self.command, self.path, body, dict(self.headers.items()))
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            if fault is Fault.forgets:
                self.close_connection = True
                return
            self._answer(answer.status, dict(answer.getheaders()), content, fault is Fault.breaks_off)

        def _answer(self, status: int, headers: dict[str, str], content: bytes, half: bool = False) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "server", "date"):
                    self.send_header(name, value)
            length = headers.get("content-length", headers.get("Content-Length", "0"))
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if half else content)
            if half:
                self.close_connection = True

    return Handler
