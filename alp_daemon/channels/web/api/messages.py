"""The gateway's call for each inbound text message."""

from __future__ import annotations

import hmac
from pathlib import Path

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alp_daemon import log
from alp_daemon.channels.web.api import models, parsing
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site
from alp_daemon.errors import Unavailable
from alp_daemon.services.addresses import gateway
from alp_daemon.services.addresses.inbound import Text
from alp_daemon.services.logins.credentials import Bearer

SIGNATURE = "X-Signature-256"
"""``sha256=`` and the HMAC-SHA256 of the body in hex, as other gateways' webhooks have it."""

_MESSAGE = TypeAdapter(models.Message)


async def message(site: Site, request: Request, _gateway: Bearer) -> Response:
    body = await parsing.json_body(request)
    secret_file = site.settings.web.gateway_secret_file
    if secret_file is not None:
        _check_signature(await site.ask(_secret, secret_file), body, request.headers.get(SIGNATURE, ""))
    given = parsing.parsed(_MESSAGE, parsing.mended(body))
    answer = await site.do(
        gateway.message,
        site.store,
        site.registry,
        given.to,
        Text(given.sender, given.text, given.id),
        site.now(),
        site.settings.messages.in_force(),
    )
    return JSONResponse(answer.as_dict())


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        log.error("gateway_secret_unreadable", file=str(path), reason=error.strerror)
        secret = b""
    if not secret:
        # Never taken for "no signature wanted".
        raise Unavailable("the secret for signatures cannot be read just now; try again")
    return secret


def _check_signature(secret: bytes, body: bytes, given: str) -> None:
    expected = f"sha256={hmac.digest(secret, body, 'sha256').hex()}"
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise HttpProblem(401, f"expected {SIGNATURE}: sha256=HMAC of the body with the secret we share")
