"""The server's process: moto on a free port of loopback, which it prints. It writes no line for each request."""

from __future__ import annotations

from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=_Quiet
    )
    print(server.port, flush=True)
    server.serve_forever()
