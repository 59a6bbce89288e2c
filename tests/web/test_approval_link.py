"""The page that a customer approves by: a link by mail, good for one decision."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine

from alp_daemon.services.decisions import approval_link
from alp_daemon.services.logins.credentials import Kind, token_hash
from tests.web import scene
from tests.web.conftest import SiteMaker
from tests.web.site import Site
from tests.web.test_console import field, post, text, words

FEED = "/console/customers/acme/feeds/everybody"
URL = "https://lists.example.org"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    site = make_site(url=URL)
    scene.configure(site)
    return site


def send(site: Site, console: httpx.Client, upload: int) -> str:
    """Asks the customer; returns the path of the link in the mail."""
    page = console.get(FEED).text
    answer = post(console, f"{FEED}/send", upload=str(upload), fingerprint=field(page, "fingerprint"))
    assert answer.status_code == 303, answer.text
    mail = mails(site)[-1]
    assert json.loads(str(mail["recipients"])) == ["ops@acme.example"]
    found = re.search(rf"{URL}(/approval/\S+)", str(mail["body"]))
    assert found
    return found[1]


def mails(site: Site) -> list[dict[str, object]]:
    return [mail for mail in site.rows("outbox.due", now="9999", limit=100) if "approv" in str(mail["subject"])]


@pytest.fixture
def link(site: Site) -> str:
    return send(site, scene.operator(site), scene.unapproved(site))


def decide(site: Site, link: str, decision: str, name: str = "Ann of Acme", note: str = "") -> httpx.Response:
    return site.client().post(link, data={"decision": decision, "name": name, "note": note})


def test_shows_the_sheet_without_signing_in(site: Site, link: str) -> None:
    page = site.client().get(link)
    assert page.status_code == 200
    assert "2 2125550000 west Active +12125550000 west" in words(page.text)
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "same-origin")


def test_says_that_files_wait_for_it(site: Site, link: str) -> None:
    assert "no file of feed everybody changes anything" in str(mails(site)[-1]["body"])
    assert "Until you approve it, no such file changes your list." in words(site.client().get(link).text)


def test_and_not_where_the_feed_is_approved_as_it_is(site: Site, link: str) -> None:
    decide(site, link, "approved")
    assert site.work()["state"] == "applied"
    again = send(site, scene.operator(site), scene.arrive(site, "more.csv", scene.members(200), feed="everybody"))
    said = str(mails(site)[-1]["body"]), words(site.client().get(again).text)
    for each in said:
        assert "It is approved as it is already: " in each
        assert "Until" not in each


def test_looking_decides_nothing(site: Site, link: str) -> None:
    for _ in range(3):  # mail scanners follow links
        assert site.client().get(link).status_code == 200


def test_an_approval_frees_the_files_and_bears_the_name(site: Site, link: str) -> None:
    answer = decide(site, link, "approved")
    assert "is approved" in words(answer.text)
    assert site.work()["state"] == "applied"
    (approval,) = site.rows("approvals.get", customer="acme", feed="everybody")
    assert approval["approved_by"] == "Ann of Acme (by link)"
    assert "approved by Ann of Acme (by link)" in text(scene.operator(site), "/console/customers/acme")


def test_the_first_log_in_is_shown_to_who_approves(site: Site, link: str) -> None:
    assert site.credentials.revoke("acme", "acme", "Ann", datetime.now(UTC))
    said = words(decide(site, link, "approved").text)
    assert re.search(r"User acme-2 Password or token \S+-\S+", said)


def test_is_good_for_one_decision(site: Site, link: str) -> None:
    assert decide(site, link, "approved").status_code == 200
    for answer in (decide(site, link, "sent_back", note="no"), decide(site, link, "approved"), site.client().get(link)):
        assert answer.status_code == 409
        assert "this link was used: the feed was approved" in words(answer.text)
        assert "+1212" not in answer.text


def test_of_two_who_decide_at_once_one_does(site: Site, link: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        approving = pool.submit(decide, site, link, "approved")
        sending_back = pool.submit(decide, site, link, "sent_back", note="the wrong column")
        assert sorted(each.result().status_code for each in (approving, sending_back)) == [200, 409]
    (kept,) = approval_link.of_customer(site.store, "acme")
    is_approved = approving.result().status_code == 200
    assert kept.decision == ("approved" if is_approved else "sent_back")
    approvals = [row["feed"] for row in site.rows("approvals.get", customer="acme", feed="everybody")]
    assert approvals == (["everybody"] if is_approved else [])


def test_sent_back_it_approves_nothing_and_the_operators_read_why(site: Site, link: str) -> None:
    note = "Numbers are in <b>Mobile</b>"
    assert "was sent back" in words(decide(site, link, "sent_back", note=note).text)
    assert site.rows("approvals.get", customer="acme", feed="everybody") == []
    page = scene.operator(site).get("/console/customers/acme").text
    assert "<b>Mobile" not in page
    assert "sent back by Ann of Acme: Numbers are in <b>Mobile</b>" in words(page)


@pytest.mark.parametrize(
    ("decision", "name", "note", "said"),
    [
        ("approved", " ", "", "say your name"),
        ("approved", "Ann\x00", "", "say your name"),
        ("sent_back", "Ann", " ", "say what is wrong"),
        ("nonsense", "Ann", "", "expected the decision"),
    ],
)
def test_asks_for_what_is_missing(site: Site, link: str, decision: str, name: str, note: str, said: str) -> None:
    answer = decide(site, link, decision, name, note)
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert site.client().get(link).status_code == 200, "nothing was decided"


def test_expires(site: Site, link: str) -> None:
    with time_machine.travel(datetime.now(UTC) + approval_link.GOOD_FOR + timedelta(seconds=1)):
        assert "this link was good until" in words(site.client().get(link).text)
        assert decide(site, link, "approved").status_code == 409
    assert site.rows("approvals.get", customer="acme", feed="everybody") == []


def test_holds_for_the_configuration_that_it_shows(site: Site, link: str) -> None:
    scene.configure(site, scene.REMOVING.replace("[Active]", "[Active, Gone]"))
    assert "changed after this link was sent" in words(decide(site, link, "approved").text)
    assert site.rows("approvals.get", customer="acme", feed="everybody") == []


def test_of_nobody_is_404(site: Site, link: str) -> None:
    for path in ("/approval/x", link + "x", link[:-1]):
        assert site.client().get(path).status_code == 404
        assert decide(site, path, "approved").status_code == 404


def test_another_sites_page_cannot_decide(site: Site, link: str) -> None:
    answer = site.client().post(
        link, data={"decision": "approved", "name": "Eve"}, headers={"Origin": "https://elsewhere.example"}
    )
    assert answer.status_code == 403


def test_the_token_is_kept_as_a_hash_and_the_sheet_only_while_it_is_needed(site: Site, link: str) -> None:
    hashed = token_hash(link.rpartition("/")[2])

    def sheet() -> object:
        (row,) = site.rows("approval_links.get", token=hashed)
        return row["sheet"]

    approval_link.forget_old(site.store, datetime.now(UTC))
    assert "+1212" in str(sheet())
    approval_link.forget_old(site.store, datetime.now(UTC) + approval_link.GOOD_FOR)
    assert sheet() is None
    assert site.client().get(link).status_code == 409


def test_a_decision_erases_the_sheet(site: Site, link: str) -> None:
    decide(site, link, "sent_back", note="wrong")
    (row,) = site.rows("approval_links.get", token=token_hash(link.rpartition("/")[2]))
    assert row["sheet"] is None


def test_needs_somebody_to_be_sent_to(site: Site) -> None:
    scene.configure(site, scene.REMOVING.replace("report_to: [ops@acme.example]\n", ""))
    id_ = scene.unapproved(site)
    console = scene.operator(site)
    page = console.get(FEED).text
    assert "nobody in report_to" in words(page)
    answer = post(console, f"{FEED}/send", upload=str(id_), fingerprint=field(page, "fingerprint"))
    assert answer.status_code == 409
    assert mails(site) == []


def test_needs_our_own_address(make_site: SiteMaker) -> None:
    site = make_site()
    scene.configure(site)
    id_ = scene.unapproved(site)
    console = scene.operator(site)
    page = console.get(FEED).text
    answer = post(console, f"{FEED}/send", upload=str(id_), fingerprint=field(page, "fingerprint"))
    assert answer.status_code == 409
    assert "web.url is not set" in words(answer.text)


def test_an_uploader_cannot_send_one(site: Site) -> None:
    assert site.signed_in(Kind.uploader).post(f"{FEED}/send").status_code == 403
