"""Uploads: found by what one remembers of them, one by one with all that became of them, and undone."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import of
from alp_daemon.domain.model import STAGES
from alp_daemon.services.decisions import consider
from alp_daemon.services.decisions import undo as undoing
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.reports import reporttext, shown
from alp_daemon.services.web import uploadsearch
from alp_daemon.services.web.uploadsearch import Wanted

_PAGE = 50
_CHANNELS = ("ftp", "ftps", "web", "drop", "api", "cli")


@frame.operators_only
async def listing(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    wanted = Wanted(
        customer=frame.text(request, "customer"),
        state=frame.choice(request, "state", STAGES),
        channel=frame.choice(request, "channel", _CHANNELS),
        name=frame.text(request, "name"),
        first_day=frame.day(request, "from"),
        last_day=frame.day(request, "to"),
        before=frame.number(request, "before"),
    )
    found, next_ = await site.ask(uploadsearch.find, site.store, wanted, _PAGE)
    asked = {name: value for name, value in request.query_params.items() if name != "before" and value}
    return frame.render(
        request,
        "uploads.html",
        here="uploads",
        found=found,
        wanted=wanted,
        states=STAGES,
        channels=_CHANNELS,
        customers=sorted(site.registry.all()),
        older=f"?{urlencode({**asked, 'before': next_})}" if next_ else "",
        newest=f"?{urlencode(asked)}" if wanted.before else "",
    )


@frame.operators_only
async def one(request: Request, _visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    upload = await site.ask(consider.record, site.store, id_)
    report = await site.ask(shown.one, site.store, id_)
    return frame.render(
        request,
        "upload.html",
        here="uploads",
        upload=upload,
        report=report,
        report_text=reporttext.text(report),
        ways=consider.ways_out(upload, report),
        undone=_undone(request),
    )


@frame.operators_only
async def rejects(request: Request, _visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    await site.ask(consider.record, site.store, id_)
    text = await site.ask(shown.rejects_csv, site.store, id_)
    name = f'attachment; filename="upload-{id_}-rejects.csv"'
    return PlainTextResponse(text, media_type="text/csv", headers={"Content-Disposition": name})


@frame.operators_only
async def undo(request: Request, visitor: Visitor) -> Response:
    site, id_ = of(request), request.path_params["id"]
    fields = await frame.confirmed(request)
    anyway = fields.get("anyway") == "yes"
    undone = await site.do(undoing.undo, site.store, id_, visitor.user, site.now(), anyway=anyway)
    return frame.then(
        f"/console/uploads/{id_}", "undone", reversed=undone.reversed, kept=undone.kept, refused=undone.refused
    )


def _undone(request: Request) -> dict[str, int]:
    """What an undo just did, from the address: figures only, so that nobody can put words there."""
    figures = {name: frame.number(request, name) for name in ("reversed", "kept", "refused")}
    return {name: n for name, n in figures.items() if n is not None}
