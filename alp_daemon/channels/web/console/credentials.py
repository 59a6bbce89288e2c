"""A customer's log-ins: issued here and shown once, or revoked."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import guards
from alp_daemon.channels.web.console import customers, frame
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site, of
from alp_daemon.errors import NotFound
from alp_daemon.services.configuration.configuration import Known
from alp_daemon.services.logins.credentials import Issued, Kind
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.web import bulkrequest


@frame.operators_only
async def issue(request: Request, visitor: Visitor) -> Response:
    """Answers with the page itself: after a redirect nobody would know the password any more."""
    site, known = of(request), await customers.of_path(request)
    kind = (await guards.form(request)).get("kind", "")
    kinds = customers.kinds_of(known)
    if kind not in kinds:
        raise HttpProblem(422, f"a log-in for {kind[:40]!r}: expected one of {', '.join(kinds)}")
    issued = await site.do(_issued, site, known, Kind(kind), visitor.user, site.now())
    return await customers.page_of(request, known, issued)


@frame.operators_only
async def revoke(request: Request, visitor: Visitor) -> Response:
    site, known = of(request), await customers.of_path(request)
    user = (await frame.confirmed(request)).get("user", "")
    if not await site.do(site.credentials.revoke, known.id, user, visitor.user, site.now()):
        raise NotFound(f"customer {known.id} has no live log-in {user[:80]!r}")
    return frame.then(f"/console/customers/{known.id}", "revoked")


def _issued(site: Site, known: Known, kind: Kind, by: str, now: datetime) -> Issued:
    if kind is Kind.informz and known.customer:
        return bulkrequest.issue_login(site.credentials, known.customer, by, now)
    return site.credentials.issue(known.id, kind, by, now)
