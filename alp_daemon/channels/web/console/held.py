"""Held uploads: why they wait, what they would do, and the decision about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import guards
from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site, of
from alp_daemon.errors import NotFound, TryAgain, UnusableFile
from alp_daemon.services.decisions import consider, holds
from alp_daemon.services.decisions.effect import Effect
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.reports import shown

if TYPE_CHECKING:
    from alp_daemon.store.uploads import Upload

_PAGE = 200


@frame.operators_only
async def listing(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    held = await site.ask(shown.listed, site.store, None, "held", _PAGE)
    failed = await site.ask(shown.listed, site.store, None, "failed", _PAGE)
    sizes = await site.ask(site.metrics.list_sizes)
    return frame.render(request, "held.html", here="held", held=held, failed=failed, sizes=sizes)


@frame.operators_only
async def one(request: Request, _visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    upload = await site.ask(consider.record, site.store, id_)
    report = await site.ask(shown.one, site.store, id_)
    wants_effect = request.query_params.get("effect") == "yes" or await frame.is_read_unasked(site, upload)
    effect, no_effect = await _effect(site, upload) if wants_effect else (None, "")
    return frame.render(
        request,
        "decide.html",
        here="held",
        upload=upload,
        report=report,
        ways=consider.ways_out(upload, report),
        effect=effect,
        no_effect=no_effect,
        is_too_large=not wants_effect,
    )


@frame.operators_only
async def release(request: Request, visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    fields = await guards.form(request)
    await _check_still_as_shown(site, id_, fields)
    though_cut = fields.get("though_cut") == "yes"
    await site.do(holds.release, site.store, id_, visitor.user, site.now(), though_cut=though_cut)
    return frame.then(f"/console/uploads/{id_}", "released")


@frame.operators_only
async def discard(request: Request, visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    await _check_still_as_shown(site, id_, await frame.confirmed(request))
    await site.do(holds.discard, site.store, id_, visitor.user, site.now())
    return frame.then(f"/console/uploads/{id_}", "discarded")


async def _effect(site: Site, upload: Upload) -> tuple[Effect | None, str]:
    """What it would do, or why that cannot be told."""
    customer = site.registry.customer(upload.customer)
    if customer is None:
        return None, f"customer {upload.customer} is not configured"
    try:
        return await site.ask(consider.effect, site.store, site.settings, customer, upload), ""
    except (UnusableFile, NotFound, TryAgain) as error:
        return None, str(error)


async def _check_still_as_shown(site: Site, id_: int, fields: dict[str, str]) -> None:
    """A release allows the figures that were shown. Held again meanwhile, it has others."""
    upload = await site.ask(consider.record, site.store, id_)
    if fields.get("held_at", "") != (upload.held_at or ""):
        raise HttpProblem(409, f"upload {id_} was worked again after this page was made; look at its figures again")
