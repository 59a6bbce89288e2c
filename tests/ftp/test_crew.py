"""One customer's long work keeps no other client waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.eventually import eventually
from tests.ftp.site import Site, Wire

FILE = b"Phone\n2125550123\n"


@contextmanager
def reports_cannot_be_written(site: Site) -> Iterator[None]:
    """As on a storage that hangs; there is one to be written."""
    wire = Wire(site)
    wire.log_in(site)
    assert wire.store("no-feed.dat", FILE).startswith("226 ")
    site.settled()
    wire.close()
    site.end_unworked()
    (upload,) = site.uploads()
    with site.intake.reports._alone(upload["id"]):
        yield


def test_others_are_greeted_and_served_while_a_customer_s_reports_take_their_time(site: Site) -> None:
    waiting = [Wire(site) for _ in range(10)]
    for wire in waiting:
        wire.log_in(site)
    with reports_cannot_be_written(site):
        for wire in waiting:
            wire.send("EPSV", "NLST /reports")
        eventually(lambda: [wire.reply()[:3] for wire in waiting], lambda codes: codes == ["229"] * 10)
        other = Wire(site)
        other.log_in(site)
        assert other.store("members.csv", FILE).startswith("226 ")
        assert other.ask("SIZE members.csv") == f"213 {len(FILE)}"
    for wire in waiting:
        assert wire.reply().startswith("150 ")
