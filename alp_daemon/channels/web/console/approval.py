"""The page behind the link that a customer approves a feed by. The link is the key: nobody signs in here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import guards, pages
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site, of
from alp_daemon.errors import UsageProblem
from alp_daemon.services.decisions import approval_link
from alp_daemon.services.decisions.approval_link import LONGEST_NAME, LONGEST_NOTE, Decision, Opened
from alp_daemon.services.logins.credentials import Issued


async def page(request: Request) -> Response:
    site, token = of(request), request.path_params["token"]
    opened = await site.ask(approval_link.open_link, site.store, site.registry, token, site.now())
    return _page(request, opened)


async def decide(request: Request) -> Response:
    # There is no session whose token the form could have; another site's page does not know the link either.
    guards.check_origin(request)
    site, token = of(request), request.path_params["token"]
    fields = await guards.form(request)
    opened = await site.ask(approval_link.open_link, site.store, site.registry, token, site.now())
    name, note = fields.get("name", ""), fields.get("note", "")
    try:
        if fields.get("decision") == Decision.approved:
            return await _approve(request, site, opened, name)
        if fields.get("decision") == Decision.sent_back:
            return await _send_back(request, site, opened, name, note)
    except UsageProblem as error:
        return _page(request, opened, name=name, note=note, fault=str(error), status=422)
    raise HttpProblem(422, "expected the decision approved or sent_back")


async def _approve(request: Request, site: Site, opened: Opened, name: str) -> Response:
    approved = await site.do(
        approval_link.approve, site.store, site.registry, request.path_params["token"], name, site.now()
    )
    return _decided(request, opened, Decision.approved, approved.issued)


async def _send_back(request: Request, site: Site, opened: Opened, name: str, note: str) -> Response:
    token = request.path_params["token"]
    await site.do(approval_link.send_back, site.store, site.settings, site.registry, token, name, note, site.now())
    return _decided(request, opened, Decision.sent_back)


def _page(
    request: Request, opened: Opened, *, name: str = "", note: str = "", fault: str = "", status: int = 200
) -> Response:
    return pages.render(
        request,
        "console/approval.html",
        status=status,
        opened=opened,
        sheet=opened.page,
        name=name,
        note=note,
        fault=fault,
        longest_name=LONGEST_NAME,
        longest_note=LONGEST_NOTE,
    )


def _decided(request: Request, opened: Opened, decision: Decision, issued: Issued | None = None) -> Response:
    return pages.render(request, "console/decided.html", opened=opened, decision=str(decision), issued=issued)
