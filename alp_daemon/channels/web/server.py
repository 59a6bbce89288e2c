"""The HTTP server: listens, runs uvicorn in a thread of its own, and ends in good order."""

from __future__ import annotations

import functools
import logging
import socket
import threading
import time
from typing import Any

import uvicorn

from alp_daemon import log
from alp_daemon.channels.web.app import make_app
from alp_daemon.channels.web.certificate import Certificate
from alp_daemon.channels.web.connection import REQUEST_SECONDS, TAKING_SECONDS, Connection
from alp_daemon.channels.web.limits import IDLE_SECONDS
from alp_daemon.channels.web.site import Site
from alp_daemon.domain.networks import networks
from alp_daemon.errors import Unavailable
from alp_daemon.sections import WebSettings

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 15
# Of all headers together. The largest that we expect is a cookie of 50 bytes.
_HEADER_BYTES = 16 * 1024


class WebServer:
    """The HTTP or HTTPS way in. It listens as soon as it exists; ``start`` answers.

    ``request_seconds``, ``idle_seconds`` and ``taking_seconds`` are how long a client may take for its headers, be
    silent in a body, and take nothing of an answer.
    Raises ``Unavailable`` when the port is taken and ``ConfigurationError`` for an unusable certificate.
    """

    def __init__(
        self,
        site: Site,
        *,
        request_seconds: float = REQUEST_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        taking_seconds: float = TAKING_SECONDS,
    ) -> None:
        _forward_library_errors()
        self._site = site
        web = site.settings.web
        self._certificate = Certificate(web.tls) if web.tls else None
        context = self._certificate.greeting if self._certificate else None
        self._socket = _listening(web)
        self.port = int(self._socket.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                make_app(site, idle_seconds),
                http=_connections(web, request_seconds, taking_seconds),
                ssl_context_factory=(lambda *_: context) if context else None,
                loop="asyncio",
                ws="none",
                lifespan="off",
                backlog=_BACKLOG,
                limit_concurrency=web.max_connections,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=_HEADER_BYTES,
                # What is asked for may hold a number: there is no access log.
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="web", daemon=True)

    @property
    def last_turn(self) -> float:
        """When the loop last went round, for the watchdog."""
        return self._server.last_turn

    def start(self) -> WebServer:
        """Returns when it answers."""
        log.info("web_listening", port=self.port, tls=self._certificate is not None)
        self._thread.start()
        self._server.ready.wait()
        return self

    def reload_certificate(self) -> None:
        """New connections get the certificate that the files hold now; those that are open go on."""
        if self._certificate is not None:
            self._certificate.reload()

    def stop(self, grace: float = 8.0) -> None:
        """Takes no more requests, and lets those under way finish for ``grace`` seconds. Returns when all is over."""
        self._server.config.timeout_graceful_shutdown = max(1, int(grace))
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()
        self._site.close()
        log.info("web_stopped")


class _Server(uvicorn.Server):
    """uvicorn's, which tells when it answers and that it goes round."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.last_turn = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def on_tick(self, counter: int) -> bool:
        self.last_turn = time.monotonic()
        return await super().on_tick(counter)


def _connections(web: WebSettings, request_seconds: float, taking_seconds: float) -> Any:
    """What uvicorn calls for each connection."""
    return functools.partial(
        Connection,
        most_per_ip=web.max_connections_per_ip,
        trusted=networks(web.trusted_proxies),
        request_seconds=request_seconds,
        taking_seconds=taking_seconds,
    )


def _listening(web: WebSettings) -> socket.socket:
    try:
        family = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((web.host, web.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Unavailable(f"web: cannot listen on {web.host} port {web.port}: {error}") from error


class _Forward(logging.Handler):
    """The library's error messages in our log: bugs of ours, with their tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.error("web_library_error", message=record.getMessage(), exc_info=error or False)


def _forward_library_errors() -> None:
    library = logging.getLogger("uvicorn")
    library.propagate = False
    library.setLevel(logging.ERROR)
    if not any(isinstance(handler, _Forward) for handler in library.handlers):
        library.addHandler(_Forward())
