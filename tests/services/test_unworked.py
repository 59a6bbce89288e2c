"""An upload that no worker ever read is told of like the others."""

from __future__ import annotations

import json

from alp_daemon.services.reports.unworked import report_unworked
from tests.services.provider import Provider


def report(acme: Provider) -> int:
    return report_unworked(acme.store, acme.settings, {"acme": acme.customer}, acme.tick())


def test_a_name_that_no_feed_takes_gets_a_report_and_a_mail_once(acme: Provider) -> None:
    upload = acme.receive("other.csv", "Phone\n2125550123\n")
    assert report(acme) == 0
    acme.intake.upkeep.tick(acme.tick(minutes=2))
    assert report(acme) == 1
    (stored,) = [json.loads(row["json"]) for row in acme.rows("reports.get", upload=upload)]
    assert stored["state"] == "rejected"
    assert stored["reason"].startswith('no feed takes the name "other.csv"')
    mails = acme.mails()
    assert {mail["subject"] for mail in mails} == {"[acme] other.csv: rejected"}
    assert report(acme) == 0
    assert acme.mails() == mails
