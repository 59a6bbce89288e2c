"""The approval of a feed: a file that came for it, their columns beside ours, and what it would do to the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import guards
from alp_daemon.channels.web.console import customers, frame
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site, of
from alp_daemon.customers import Customer
from alp_daemon.errors import NotFound, Refused, TryAgain, UnusableFile
from alp_daemon.services.configuration.configuration import FeedState, Known
from alp_daemon.services.decisions import approval, approval_link, sheet
from alp_daemon.services.decisions.sheet import Sheet
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.web import uploadsearch
from alp_daemon.services.web.uploadsearch import Wanted

if TYPE_CHECKING:
    from alp_daemon.store.uploads import Upload

# Of the customer's newest uploads: a feed that is to be approved has its files among them.
_LOOKED_THROUGH = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """The feed that the address names."""

    known: Known
    customer: Customer
    feed: FeedState

    @property
    def path(self) -> str:
        return f"/console/customers/{self.known.id}/feeds/{self.feed.name}"


@frame.operators_only
async def page(request: Request, _visitor: Visitor) -> Response:
    site, asked = of(request), await _asked(request)
    samples = await _samples(site, asked)
    wanted = frame.number(request, "upload")
    upload = next((each for each in samples if wanted in (each.id, None)), None)
    is_read = upload is not None and (wanted is not None or await frame.is_read_unasked(site, upload))
    made, fault = await _sheet_or_fault(site, asked, upload) if upload and is_read else (None, "")
    return frame.render(
        request,
        "feed.html",
        here="customers",
        known=asked.known,
        feed=asked.feed,
        path=asked.path,
        samples=samples,
        upload=upload,
        sheet=made.page if made else None,
        fingerprint=made.rules.fingerprint if made else "",
        fault=fault,
        recipients=asked.customer.report_to,
    )


@frame.operators_only
async def approve(request: Request, visitor: Visitor) -> Response:
    site, asked = of(request), await _asked(request)
    made = await _sheet_as_shown(request, site, asked)
    approved = await site.do(
        approval.keep, site.store, asked.customer, made.rules, made.sample, visitor.user, site.now()
    )
    if approved.issued is not None:
        return await customers.page_of(request, asked.known, approved.issued)
    return frame.then(asked.path, "approved")


@frame.operators_only
async def send(request: Request, visitor: Visitor) -> Response:
    """Sends the sheet to the customer, whose approval it is."""
    site, asked = of(request), await _asked(request)
    made = await _sheet_as_shown(request, site, asked)
    await site.do(approval_link.send, site.store, site.settings, asked.customer, made, visitor.user, site.now())
    return frame.then(asked.path, "sent")


async def _asked(request: Request) -> _Asked:
    known, name = await customers.of_path(request), request.path_params["feed"]
    feed = next((each for each in known.feeds if each.name == name), None)
    if known.customer is None or feed is None:
        raise NotFound(f"customer {known.id} has no feed {name[:63]!r}")
    return _Asked(known, known.customer, feed)


async def _samples(site: Site, asked: _Asked) -> list[Upload]:
    """Files that came for the feed and are still kept, the newest first."""
    found, _ = await site.ask(uploadsearch.find, site.store, Wanted(customer=asked.known.id), _LOOKED_THROUGH)
    return [each for each in found if each.feed == asked.feed.name and each.erased_at is None]


async def _sheet(site: Site, asked: _Asked, upload: Upload) -> Sheet:
    return await site.ask(sheet.of_upload, site.store, site.settings, asked.customer, asked.feed.name, upload)


async def _sheet_or_fault(site: Site, asked: _Asked, upload: Upload) -> tuple[Sheet | None, str]:
    try:
        return await _sheet(site, asked, upload), ""
    except (UnusableFile, Refused, NotFound, TryAgain) as error:
        return None, str(error)


async def _sheet_as_shown(request: Request, site: Site, asked: _Asked) -> Sheet:
    """The sheet that the form was sent from. Raises ``HttpProblem`` where the feed was changed meanwhile."""
    fields = await guards.form(request)
    wanted = fields.get("upload", "")
    upload = next((each for each in await _samples(site, asked) if str(each.id) == wanted), None)
    if upload is None:
        raise HttpProblem(422, "choose a file that came for this feed and is still kept")
    made = await _sheet(site, asked, upload)
    if fields.get("fingerprint") != made.rules.fingerprint:
        raise HttpProblem(409, "the feed was changed after this page was made; look at it again")
    return made
