"""Whose request it is that a proxy passes on."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from alp_daemon.domain.networks import Networks, is_in

_PASSED_ON = "alp.passed_on"
# What proxies add by themselves. nginx adds nothing unless it is told to.
_SAID_BY_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


def real_ip(peer: str, forwarded: str, trusted: Networks) -> str:
    """The rightmost address that is no trusted proxy's: each proxy adds its peer at the right end.

    What stands further left was written by the client, who may write anything. An entry that is no address ends the
    search: then the last proxy that is known counts as the sender.
    """
    ip = peer
    for text in reversed(forwarded.split(",")):
        if not is_in(ip, trusted):
            break
        try:
            ip = str(ipaddress.ip_address(text.strip()))
        except ValueError:
            break
    return ip


def is_strangers(request: Request) -> bool:
    """A proxy that is not trusted says that it passes this on: whose it is we do not know, the proxy's it is not."""
    return bool(request.scope.get(_PASSED_ON))


class TrustedProxies:
    """Puts the real sender and scheme in the place of a trusted proxy's. From others the headers are not believed."""

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_in(scope["client"][0], self._trusted):
            scope[_PASSED_ON] = any(name in Headers(scope=scope) for name in _SAID_BY_PROXIES)
        elif scope["type"] == "http":
            headers = Headers(scope=scope)
            forwarded = ",".join(headers.getlist("x-forwarded-for"))
            scope["client"] = (real_ip(scope["client"][0], forwarded, self._trusted), scope["client"][1])
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self._app(scope, receive, send)
