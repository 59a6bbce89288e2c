"""What monitoring asks: whether the process lives, whether it can do its work, and how much it has done."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.proxies import is_strangers
from alp_daemon.channels.web.site import Site, ip_of, of
from alp_daemon.domain.networks import is_in, networks
from alp_daemon.errors import AlpError
from alp_daemon.services.addresses.history import versions
from alp_daemon.services.operations.metrics import Family

_OK = "ok"
# https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def live(_request: Request) -> Response:
    return JSONResponse({"status": _OK})


async def ready(request: Request) -> Response:
    """503 where a part cannot do its work; each part says ``ok`` or what is wrong with it."""
    site = of(request)
    parts = await site.ask(_parts, site)
    ready = all(state == _OK for state in parts.values())
    return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    site = of(request)
    if not is_in(ip_of(request), networks(site.settings.web.metrics_allow)):
        raise HttpProblem(403, "metrics are for the addresses in web.metrics_allow")
    if is_strangers(request):
        # By its address it would be the proxy's own, which is this very host as a rule.
        raise HttpProblem(403, "metrics are not for what comes by a proxy that is not in web.trusted_proxies")
    families = await site.ask(site.metrics.families, site.now())
    return PlainTextResponse("".join(map(_exposed, families)), media_type=_METRICS_TYPE)


def _parts(site: Site) -> dict[str, str]:
    parts = {"database": _database(site), "spool": _spool(site)}
    return parts | {name: check() or _OK for name, check in site.checks.items()}


def _database(site: Site) -> str:
    try:
        versions(site.store)
    except AlpError:
        # The message names paths, which are nobody's business here; the log and `doctor` tell them.
        return "cannot be read"
    return _OK


def _spool(site: Site) -> str:
    return site.intake.spool_trouble() or _OK


def _exposed(family: Family) -> str:
    lines = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.type}"]
    for sample in family.samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels)
        lines.append(f"{family.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {float(sample.value)!r}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
