"""The page that takes a file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alp_daemon.channels.web import pages
from alp_daemon.channels.web.api.uploads import receive
from alp_daemon.channels.web.guards import requires
from alp_daemon.channels.web.limits import check_length
from alp_daemon.channels.web.site import ip_of, of
from alp_daemon.channels.web.uploader.multipart import FORM_ROOM, UploadForm, only_the_file
from alp_daemon.customers import Customer
from alp_daemon.errors import UsageProblem
from alp_daemon.services.logins.credentials import Kind
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.receiving.intake import Sender
from alp_daemon.services.web import feedchoice, outcome, webupload

_RECENT = 20


@requires(Kind.uploader, Kind.admin, Kind.operator)
async def show(request: Request, visitor: Visitor) -> Response:
    """The form, and the customer's recent uploads. Operators have a page of their own."""
    if visitor.kind is Kind.operator:
        return RedirectResponse("/console", 303)
    return await _form(request, of(request).customer(visitor.customer))


@requires(Kind.uploader, Kind.admin)
async def submit(request: Request, visitor: Visitor) -> Response:
    """Queues the file and leads to its results; what is wrong with the form is said on the form."""
    site = of(request)
    customer = site.customer(visitor.customer)
    most = site.largest_of(customer)
    check_length(request, most + FORM_ROOM)
    form = UploadForm(request.headers.get("content-type", ""))
    incoming = await site.do(site.intake.begin, customer.id)
    sender = Sender("web", visitor.user, ip_of(request))
    try:
        await receive(site, only_the_file(request, form).stream(), incoming, most)
        wanted = form.fields.get("feed", "")
        feed = await site.ask(feedchoice.chosen, site.store, customer, form.filename, wanted)
        id_ = await site.do(webupload.accept, site.intake, incoming, customer, form.filename, feed, sender, site.now())
    except UsageProblem as problem:
        return await _form(request, customer, fault=f"{problem}.", wanted=wanted)
    finally:
        await site.do(incoming.abort)
    return RedirectResponse(f"/uploads/{id_}", 303)


async def _form(request: Request, customer: Customer, *, fault: str = "", wanted: str = "") -> Response:
    site = of(request)
    offered = await site.ask(feedchoice.choices, site.store, customer)
    return pages.render(
        request,
        "uploader/page.html",
        status=422 if fault else 200,
        customer=customer,
        choices=offered,
        # Most customers have one kind of file; with several nobody must send one by oversight.
        wanted=wanted or (offered.offered[0].feed if len(offered.offered) <= _ONE_AND_STANDARD else ""),
        uploads=await site.ask(outcome.newest, site.store, customer.id, _RECENT),
        most=site.largest_of(customer),
        fault=fault[:1].upper() + fault[1:],
    )


_ONE_AND_STANDARD = 2
