"""What a console has to show: files of every state, a held one, a lockout, one number with a past."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import httpx

from alp_daemon.domain.model import Evidence
from alp_daemon.services.addresses import inbound
from alp_daemon.services.addresses.codes import addressee
from alp_daemon.services.logins.credentials import Kind
from alp_daemon.services.receiving.intake import Intake, Sender
from tests.web.site import JOE, Site

EVIL = "<img src=x onerror=alert(1)>.csv"
"""A name and a tag that a page must show as text."""

REMOVING = """\
name: Acme <b>Water</b>
keyword: ACME
modes: [append, soft_opt_out_tags]
report_to: [ops@acme.example]
brand: {id: "9999"}
feeds:
  members:
    match: "members*.csv"
    mode: append
    phones: [Phone]
    tags: [{column: Group}]
  everybody:
    match: "*.csv"
    mode: soft_opt_out_tags
    phones: [Phone]
    tags: [{column: Group}]
    only: {Status: [Active]}
"""


def configure(site: Site, text: str = REMOVING, customer: str = "acme") -> None:
    (site.settings.customers_dir / f"{customer}.yaml").write_text(text)
    site.registry.reload(datetime.now(UTC))


def csv(rows: Iterable[tuple[str, str, str]]) -> str:
    return "Phone,Group,Status,Name\n" + "".join(f"{phone},{group},{status},Nobody\n" for phone, group, status in rows)


def members(count: int, group: str = "north", start: int = 0) -> str:
    return csv((f"212555{index:04}", group, "Active") for index in range(start, start + count))


def arrive(site: Site, name: str, content: str, feed: str = "members", evidence: Evidence = Evidence.proven) -> int:
    """A file of acme's that came by FTP; it has not been worked yet."""
    intake = Intake(site.store, site.settings, site.registry)
    incoming = intake.begin("acme")
    incoming.file.write(content.encode())
    sender = Sender("ftp", "acme", "192.0.2.7")
    return intake.receive(
        incoming, "acme", name, "", sender, datetime.now(UTC), evidence=evidence, note="as a test says", feed=feed
    )


def applied(site: Site, name: str = "members.csv", content: str | None = None) -> int:
    id_ = arrive(site, name, content or members(300) + "nonsense,north,Active,Nobody\n")
    assert site.work()["state"] == "applied"
    return id_


def held(site: Site, name: str = "members-cut.csv", content: str | None = None) -> int:
    id_ = arrive(site, name, content or members(310, start=10), evidence=Evidence.cut)
    assert site.work()["state"] == "held"
    return id_


def unapproved(site: Site, name: str = "everybody.csv", content: str | None = None) -> int:
    """A file for a feed that nobody has approved: of 300 numbers on the list it omits 100, and it filters one row."""
    rows = content or members(200, "west") + "2125559998,west,Gone,Nobody\n" + "12,west,Active,Nobody\n"
    id_ = arrive(site, name, rows, feed="everybody")
    assert site.work()["state"] == "held"
    return id_


def stop(site: Site, number: str = JOE, id_: str = "m-1") -> None:
    customer = site.registry.customer("acme")
    assert customer
    inbound.message(site.store, addressee(customer), number, "Stop. Thank you", id_, datetime.now(UTC))


def lock_out(site: Site, ip: str = "203.0.113.9") -> None:
    for _ in range(4):
        site.access.judge(ip, "acme", "wrong", datetime.now(UTC))


def operator(site: Site) -> httpx.Client:
    return site.signed_in(Kind.operator, name="maria")
