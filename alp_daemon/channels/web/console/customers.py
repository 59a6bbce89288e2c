"""Customers: the list of them, and one with its configuration, feeds, log-ins and the size of its list."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import svg
from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import Site, of
from alp_daemon.services.addresses import listsize
from alp_daemon.services.addresses.listsize import Size
from alp_daemon.services.configuration import configuration
from alp_daemon.services.configuration.configuration import Known
from alp_daemon.services.decisions import approval_link
from alp_daemon.services.logins.credentials import Issued, Kind
from alp_daemon.services.logins.sessions import Visitor


@frame.operators_only
async def listing(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    known = await site.ask(configuration.known_customers, site.store, site.settings, site.registry, site.now())
    sizes = await site.ask(site.metrics.list_sizes)
    problems = await site.ask(_problem_counts, site, known)
    return frame.render(request, "customers.html", here="customers", known=known, sizes=sizes, problems=problems)


@frame.operators_only
async def one(request: Request, _visitor: Visitor) -> Response:
    return await page_of(request, await of_path(request))


async def of_path(request: Request) -> Known:
    """The customer that the address names. Raises ``NotFound``."""
    site, id_ = of(request), request.path_params["customer"]
    return await site.ask(configuration.known_customer, site.store, site.settings, site.registry, id_, site.now())


async def page_of(request: Request, known: Known, issued: Issued | None = None) -> Response:
    """The customer's page; with a log-in that was issued just now, which is shown this once."""
    site = of(request)
    now = site.now()
    sizes = await site.ask(listsize.sizes_over_time, site.store, known.id)
    return frame.render(
        request,
        "customer.html",
        here="customers",
        known=known,
        lines=await site.ask(configuration.lines_of, site.settings, known),
        log_ins=await site.ask(site.credentials.list, known.id),
        links=await site.ask(approval_link.of_customer, site.store, known.id),
        kinds=kinds_of(known),
        issued=issued,
        sizes=sizes,
        chart=svg.steps([_point(size) for size in sizes], now) if sizes else None,
        now=now,
    )


def kinds_of(known: Known) -> list[Kind]:
    """What log-ins can be issued for; that of ``informz`` is a brand's user's."""
    has_brand = known.customer is not None and known.customer.brand is not None
    return [kind for kind in Kind if kind.is_of_customer and (has_brand or kind is not Kind.informz)]


def _problem_counts(site: Site, known: list[Known]) -> dict[str, int]:
    counts = {each.id: 0 for each in known}
    for problem in site.registry.problems:
        if problem.path.stem in counts:
            counts[problem.path.stem] += 1
    return counts


def _point(size: Size) -> svg.Point:
    is_file = size.source == "file" and size.upload is not None
    link = f"/console/uploads/{size.upload}" if is_file else ""
    return svg.Point(datetime.fromisoformat(size.at), size.opted_in, link)
