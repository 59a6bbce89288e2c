"""The page of one upload: where it stands, and what it did."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from alp_daemon.channels.web import pages
from alp_daemon.channels.web.guards import requires
from alp_daemon.channels.web.site import of
from alp_daemon.services.logins.credentials import Kind
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.web import outcome, webupload


@requires(Kind.uploader, Kind.admin)
async def show(request: Request, visitor: Visitor) -> Response:
    site = of(request)
    customer = site.customer(visitor.customer)
    found = await site.ask(outcome.of_upload, site.store, customer, request.path_params["id"])
    return pages.render(request, "uploader/result.html", customer=customer, outcome=found, upload=found.upload)


@requires(Kind.uploader, Kind.admin)
async def rejects(request: Request, visitor: Visitor) -> Response:
    site = of(request)
    text = await site.ask(webupload.rejects_of, site.store, visitor.customer, request.path_params["id"])
    name = f"upload-{request.path_params['id']}-rejects.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type="text/csv", headers=disposition)
