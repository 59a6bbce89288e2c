"""Who calls the API: a token with each call, and nothing that is kept between calls."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from alp_daemon import log
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site, ip_of, source_of
from alp_daemon.customers import Customer
from alp_daemon.services.logins.credentials import Bearer, Kind

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="alp-daemon"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """The program behind a call of one customer."""

    user: str
    customer: Customer
    ip: str


async def bearer_of(site: Site, request: Request, kind: Kind) -> Bearer:
    """Whose token the request has. Raises ``HttpProblem`` where there is none, a wrong one, or one for another use.

    A right token is never kept waiting for the wrong ones that came from its address: a gateway's STOPs get through.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise HttpProblem(401, "this call needs a header Authorization: Bearer TOKEN", _CHALLENGE)
    bearer = await site.bearer(token.strip())
    if bearer is None:
        raise _wrong(request)
    if bearer.kind is not kind:
        raise HttpProblem(403, f"this call needs a token for {kind}; yours is for {bearer.kind}")
    return bearer


async def caller_of(site: Site, request: Request) -> Caller:
    """The customer's program that calls. Raises as ``bearer_of``, and ``Unavailable`` as ``Site.customer``."""
    bearer = await bearer_of(site, request, Kind.api)
    return Caller(bearer.user, site.customer(bearer.customer), ip_of(request))


def _wrong(request: Request) -> HttpProblem:
    wait = request.app.state.wrong_tokens.wait(source_of(request))
    if wait:
        return HttpProblem(429, "too many wrong tokens from your address", {"Retry-After": str(int(wait) + 1)})
    log.warning("token_refused", ip=ip_of(request))
    return HttpProblem(401, "no such token, or it was revoked", {**_CHALLENGE})
