"""Links that sign the demo's visitor in with one click.

The program itself has no such links. A cookie belongs to a host and not to a port, so this small server beside it can
set the cookie of a session that was begun in its database.
"""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from alp_daemon.demo.stage import BY, HOST, Stage
from alp_daemon.services.logins.access import Login
from alp_daemon.services.logins.credentials import PROVIDER, Credentials, Kind
from alp_daemon.services.logins.sessions import Sessions

_COOKIE: Final = "alp-session"


class Doorway:
    """``with Doorway(stage) as door``: ``link`` makes links, which work until the block ends."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._doors: dict[str, tuple[Login, str]] = {}
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def link(self, kind: Kind, name: str, page: str) -> str:
        """The address that signs in a new log-in, of this customer or an operator of this name, and shows the page."""
        customer = name if kind.is_of_customer else PROVIDER
        issued = Credentials(self._stage.store).issue(customer, kind, BY, datetime.now(UTC), name=name)
        key = secrets.token_urlsafe(16)
        self._doors[f"/{key}"] = Login(issued.user, customer, kind), page
        return f"http://{HOST}:{self._server.server_address[1]}/{key}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        doorway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                opened = doorway._open(self.path)
                self.send_response(303 if opened else 404)
                for name, value in (opened or {}).items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """What is asked for is a secret."""

        return Handler

    def _open(self, path: str) -> dict[str, str] | None:
        """The headers that sign in; None for a path that is no door."""
        if path not in self._doors:
            return None
        login, page = self._doors[path]
        secret = Sessions(self._stage.store, self._stage.settings.web).begin(login, datetime.now(UTC))
        self._stage.store.close()  # this thread's connection
        return {
            "Location": f"http://{HOST}:{self._stage.web_port}{page}",
            "Set-Cookie": f"{_COOKIE}={secret}; HttpOnly; SameSite=Strict; Path=/",
        }
