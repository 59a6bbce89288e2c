"""The operators' console: who sees it, what each page says with data and without, and that it does what it says."""

from __future__ import annotations

import gzip
import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from starlette.routing import Route

from alp_daemon.channels.web.console.routes import ROUTES
from alp_daemon.services.addresses import history, optin
from alp_daemon.services.addresses.codes import addressee
from alp_daemon.services.alarms import expectations
from alp_daemon.services.decisions import undo
from alp_daemon.services.logins.credentials import Kind
from tests.web import scene
from tests.web.site import ANN, JOE, Site

PAGES = (
    "/console",
    "/console/held",
    "/console/uploads",
    "/console/customers",
    "/console/customers/acme",
    "/console/customers/acme/feeds/members",
    "/console/number",
    "/console/usage",
    "/console/lockouts",
)


@pytest.fixture
def console(site: Site) -> httpx.Client:
    """The browser of the operator maria."""
    return scene.operator(site)


def text(client: httpx.Client, path: str, **query: Any) -> str:
    """What a page says, without its marks."""
    answer = client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def badges(client: httpx.Client, path: str) -> list[str]:
    """The states that a page shows, from its top."""
    return re.findall(r'<span class="badge (\w+)">\1</span>', client.get(path).text)


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    csrf = re.search(r'name="csrf" value="(\w+)"', client.get("/console").text)
    assert csrf
    return client.post(path, data={"csrf": csrf[1], **fields})


def address(path: str) -> str:
    """One of the addresses that a route takes."""
    for part, value in {"{id:upload}": "1", "{customer}": "acme", "{feed}": "members", "{token}": "x"}.items():
        path = path.replace(part, value)
    return path


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return html.unescape(found[1])


def status_of(site: Site, number: str) -> str:
    customer = site.registry.customer("acme")
    assert customer
    return optin.status(site.store, addressee(customer), number).status


def calls() -> list[tuple[str, str]]:
    """Every method and address of the console."""
    return [
        (method, address(route.path))
        for route in ROUTES
        if isinstance(route, Route) and route.path.startswith("/console")
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


class TestWho:
    @pytest.mark.parametrize("kind", [Kind.uploader, Kind.admin])
    def test_nobody_of_a_customer(self, site: Site, kind: Kind) -> None:
        client = site.signed_in(kind)
        let_in = [call for call in calls() if client.request(*call).status_code != 403]
        assert let_in == []

    def test_who_has_not_signed_in_may_do_so_first(self, site: Site) -> None:
        client = site.client()
        answers = {call: client.request(*call) for call in calls()}
        assert [call for call, answer in answers.items() if answer.status_code != 303] == []
        assert client.get("/console/held").headers["location"] == "/login?next=%2Fconsole%2Fheld"

    def test_changes_need_the_token_of_the_session(self, site: Site, console: httpx.Client) -> None:
        forms = [path for method, path in calls() if method == "POST"]
        assert len(forms) == 8
        for path in [*forms, "/approval/x"]:
            elsewhere = {"Origin": "https://elsewhere.example"}
            assert console.post(path, data={"sure": "yes"}, headers=elsewhere).status_code == 403
        for path in forms:
            assert console.post(path, data={"sure": "yes", "csrf": "guessed"}).status_code == 403


def test_every_page_of_an_empty_installation(console: httpx.Client) -> None:
    for path in PAGES:
        page = console.get(path)
        assert page.status_code == 200, path
        assert page.text.count("<h1") == 1
        assert page.text.count('aria-current="page"') == 1


def test_hostile_names_are_text(site: Site, console: httpx.Client) -> None:
    scene.configure(site)
    scene.applied(site, "members" + scene.EVIL, scene.csv([(JOE, scene.EVIL, "Active"), (scene.EVIL, "", "Active")]))
    scene.held(site, "cut" + scene.EVIL, scene.csv([(ANN, scene.EVIL, "Active"), (JOE, "", "Active")]))
    scene.unapproved(site, scene.EVIL, scene.csv([(ANN, scene.EVIL, "Active")]))
    shown = 0
    for path in (*PAGES, "/console/uploads/1", "/console/held/2", "/console/customers/acme/feeds/everybody",
                 "/console/number?number=%2B12125550123", "/console/number?number=<img src=x>",
                 "/console/uploads?name=<img src=x>&customer=<img src=x>"):  # fmt: skip
        page = console.get(path).text
        assert "<img" not in page, path
        assert "<b>Water" not in page, path
        shown += page.count("&lt;img")
    assert shown > 10, "they were there"


@pytest.mark.parametrize(
    "path", ["/console/uploads/99", f"/console/uploads/{10**30}", "/console/held/99", "/console/customers/nobody",
             "/console/customers/..%2f..%2fetc%2fpasswd", "/console/customers/acme/feeds/none",
             "/console/uploads/99/rejects.csv"]
)  # fmt: skip
def test_what_is_not_there_is_404(console: httpx.Client, path: str) -> None:
    assert console.get(path).status_code == 404


class TestOverview:
    def test_counts_what_came_and_what_waits(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        scene.held(site)
        scene.arrive(site, "members-2.csv", scene.members(3))
        scene.lock_out(site)
        said = text(console, "/console")
        assert "1 held" in said
        assert "1 in the queue" in said
        assert "1 locked out" in said
        assert "3 in the last 24 hours" in said
        assert re.search(r"acme 300 0 0 0 \d{4}-", said)
        page = console.get("/console").text
        assert page.count("<rect") == 3, "applied, received and held"
        assert "<title" in page and "<desc" in page

    def test_tells_of_a_feed_that_is_silent_for_too_long(self, site: Site, console: httpx.Client) -> None:
        first = datetime.now(UTC) - timedelta(days=8)
        for day in range(6):
            with time_machine.travel(first + timedelta(days=day), tick=False):
                scene.applied(site, content=scene.members(5 + day))
        said = text(console, "/console")
        assert "1 late" in said
        assert re.search(r"acme members \d{4}-\d\d-\d\d \d\d:\d\d 1 d 0 h", said)

    def test_tells_of_a_file_that_is_overdue(self, site: Site, console: httpx.Client) -> None:
        assert "Every file that is expected by a certain time has come." in text(console, "/console")
        scene.configure(
            site, scene.REMOVING.replace("mode: append\n", "mode: append\n    expect: {every: day, by: 06:00}\n")
        )
        for day in (2, 0):
            now = datetime.now(UTC) - timedelta(days=day)
            expectations.watch(site.store, site.settings, site.registry.all(), now)
        said = text(console, "/console")
        assert "1 overdue" in said
        assert re.search(r"acme members \d{4}-\d\d-\d\d 06:00", said)

    def test_a_feed_in_its_rhythm_is_not_late(self, site: Site, console: httpx.Client) -> None:
        first = datetime.now(UTC) - timedelta(days=5)
        for day in range(5):
            with time_machine.travel(first + timedelta(days=day), tick=False):
                scene.applied(site, content=scene.members(5 + day))
        assert "No feed is silent for longer" in text(console, "/console")


class TestUploads:
    def test_are_found_by_what_one_remembers(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site, "members-one.csv")
        scene.held(site, "members-two.csv")
        today = datetime.now(UTC).date()

        def found(**query: str) -> set[str]:
            return set(re.findall(r"members-(one|two)\.csv", text(console, "/console/uploads", **query)))

        assert found() == {"one", "two"}
        assert found(state="held") == {"two"}
        assert found(name="ONE") == {"one"}
        assert found(customer="beta") == set()
        assert found(channel="web") == set()
        assert found(**{"from": str(today), "to": str(today)}) == {"one", "two"}
        assert found(to=str(today - timedelta(days=1))) == set()
        assert found(state="nonsense") == {"one", "two"}
        assert found(state="undone") == set()
        undo.undo(site.store, 1, "maria", datetime.now(UTC))
        assert found(state="undone") == {"one"}
        assert found(state="applied") == set()
        assert console.get("/console/uploads", params={"from": "yesterday"}).status_code == 422

    def test_come_in_pages(self, site: Site, console: httpx.Client) -> None:
        for index in range(60):
            scene.arrive(site, f"members-{index:02}.csv", scene.members(1))
        seen, path = [], "/console/uploads?state=received"
        while path:
            page = console.get(path).text
            seen += re.findall(r"members-(\d\d)\.csv", page)
            older = re.search(r'href="([^"]+)" rel="next"', page)
            path = html.unescape(older[1]) if older else ""
        assert seen == [f"{index:02}" for index in reversed(range(60))]

    def test_one_shows_all_that_became_of_it(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.applied(site)
        said = text(console, f"/console/uploads/{id_}")
        assert "ftp, by acme from 192.0.2.7" in said
        assert "Rows read 301 listed 300 rejected 1" in said
        assert "302 Phone nonsense not a number" in said
        assert f"Upload {id_} (members.csv) was applied." in said
        rejects = console.get(f"/console/uploads/{id_}/rejects.csv")
        assert rejects.text.splitlines() == ["row,column,value,reason", "302,Phone,nonsense,not_a_number"]
        assert rejects.headers["content-disposition"] == f'attachment; filename="upload-{id_}-rejects.csv"'

    def test_undo_takes_back_and_says_how_much(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.applied(site)
        scene.stop(site)
        answer = post(console, f"/console/uploads/{id_}/undo", sure="yes")
        assert answer.status_code == 303
        said = text(console, answer.headers["location"])
        assert "299" in said
        assert "refused (said STOP since)" in said
        assert "UTC by maria" in said
        assert (status_of(site, ANN), status_of(site, JOE)) == ("absent", "opted_out")

    def test_an_undone_file_is_called_so_wherever_it_is_shown(self, site: Site, console: httpx.Client) -> None:
        undone, applied = scene.applied(site), scene.applied(site, "members-2.csv", scene.members(3))
        undo.undo(site.store, undone, "maria", datetime.now(UTC), anyway=True)
        for path in (f"/console/uploads/{undone}", f"/console/held/{undone}", "/console/uploads?name=members.csv"):
            assert badges(console, path) == ["undone"], path
        assert re.search(r"undone by maria, \d{4}-\d\d-\d\d \d\d:\d\d", text(console, "/console/uploads"))
        assert badges(console, "/console/uploads") == ["applied", "undone"]
        assert badges(console, f"/console/uploads/{applied}") == ["applied"]
        overview = text(console, "/console")
        assert "1 applied, 1 undone" in overview
        assert f"{undone}: members.csv (undone)" in text(console, "/console/customers/acme/feeds/members")

    def test_undo_asks_first(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.applied(site)
        answer = post(console, f"/console/uploads/{id_}/undo")
        assert answer.status_code == 422
        assert "tick the box" in words(answer.text)
        assert status_of(site, ANN) == "opted_in"

    def test_undo_of_an_older_file_needs_a_word_more(self, site: Site, console: httpx.Client) -> None:
        older = scene.applied(site)
        scene.applied(site, content=scene.members(2))
        refused = post(console, f"/console/uploads/{older}/undo", sure="yes")
        assert refused.status_code == 409
        assert "undo that one first" in words(refused.text)
        assert post(console, f"/console/uploads/{older}/undo", sure="yes", anyway="yes").status_code == 303


class TestHeld:
    def test_lists_why_and_what(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        scene.held(site)
        said = text(console, "/console/held")
        assert "the upload may be cut short: as a test says" in said
        assert "300 opted in now" in said
        assert "opted in 20 tags added 20 unchanged 290" in said

    def test_shows_the_list_before_and_after_and_some_of_the_numbers(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        id_ = scene.held(site)
        said = text(console, f"/console/held/{id_}")
        assert "opted in 300 320 +20" in said
        assert "20 from absent to opted in; 8 of them" in said
        assert "+12125550300" in said
        assert "+12125550319" in said

    def test_a_large_file_is_read_when_somebody_asks(
        self, site: Site, console: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        id_ = scene.held(site)
        monkeypatch.setattr("alp_daemon.channels.web.console.frame.READ_UNASKED", 10)
        assert "+12125550" not in text(console, f"/console/held/{id_}")
        assert "+12125550" in text(console, f"/console/held/{id_}", effect="yes")

    def test_a_small_file_that_unpacks_to_a_large_one_is_too(
        self, site: Site, console: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = "Phone,Group\n2125550123,a\n" + "x,y\n" * 1000
        site.api().post("/api/v1/uploads", params={"filename": "members.csv"}, content=gzip.compress(content.encode()))
        held = site.work()
        assert held["state"] == "held"
        path = f"/console/held/{held['upload']}"
        monkeypatch.setattr("alp_daemon.channels.web.console.frame.READ_UNASKED", len(content))
        assert "+12125550123" in text(console, path)
        monkeypatch.setattr("alp_daemon.channels.web.console.frame.READ_UNASKED", len(content) - 1)
        assert "+12125550123" not in text(console, path)
        assert "+12125550123" in text(console, path, effect="yes")

    def test_a_release_applies_it_in_the_operators_name(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.held(site)
        page = console.get(f"/console/held/{id_}").text
        held_at = field(page, "held_at")
        refused = post(console, f"/console/held/{id_}/release", held_at=held_at)
        assert refused.status_code == 409, "its end may be missing"
        released = post(console, f"/console/held/{id_}/release", held_at=held_at, though_cut="yes")
        assert "back in the queue" in text(console, released.headers["location"])
        assert site.work()["state"] == "applied"
        page = text(console, f"/console/uploads/{id_}")
        assert re.search(r"Released \d{4}-\d\d-\d\d \d\d:\d\d UTC by maria", page)

    def test_what_was_held_again_has_to_be_looked_at_again(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.held(site)
        answer = post(console, f"/console/held/{id_}/release", held_at="2026-01-01T00:00:00.000000Z", though_cut="yes")
        assert answer.status_code == 409
        assert "look at its figures again" in words(answer.text)

    def test_a_discarded_one_is_over(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.held(site)
        held_at = field(console.get(f"/console/held/{id_}").text, "held_at")
        assert post(console, f"/console/held/{id_}/discard", held_at=held_at).status_code == 422
        answer = post(console, f"/console/held/{id_}/discard", held_at=held_at, sure="yes")
        assert "discarded by maria" in text(console, answer.headers["location"])
        assert "Nothing is held" in text(console, "/console/held")

    def test_what_a_release_cannot_cure_leads_to_what_does(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site)
        id_ = scene.unapproved(site)
        page = console.get(f"/console/held/{id_}").text
        assert "/release" not in page
        assert f"/console/customers/acme/feeds/everybody?upload={id_}" in page


class TestCustomers:
    def test_shows_the_file_with_its_problems_beside_the_lines(self, site: Site, console: httpx.Client) -> None:
        broken = scene.REMOVING.replace("mode: append\n", "mode: apend\n")
        scene.configure(site, broken)
        page = console.get("/console/customers/acme").text
        line = next(number for number, text in enumerate(broken.splitlines(), 1) if "apend" in text)
        assert f'id="L{line}" class="bad"' in page
        assert f'href="#L{line}">Line {line}</a>: feeds.members.mode: no such choice; did you mean' in html.unescape(
            page
        )
        assert "1 problem" in text(console, "/console/customers")

    def test_a_file_that_is_gone_says_so(self, site: Site, console: httpx.Client) -> None:
        (site.settings.customers_dir / "acme.yaml").unlink()
        site.registry.reload(datetime.now(UTC) - timedelta(minutes=1))
        assert "missing" in text(console, "/console/customers/acme")

    def test_draws_the_size_of_the_list_with_a_dot_for_each_file(self, site: Site, console: httpx.Client) -> None:
        first = scene.applied(site)
        second = scene.applied(site, content=scene.members(10, start=300))
        scene.stop(site)
        page = console.get("/console/customers/acme").text
        assert page.count("<circle") == 2
        assert f'<a href="/console/uploads/{second}"><circle' in page
        assert "309 end user" in words(page)
        assert f"310 file upload {second}" in words(page)
        assert f"300 file upload {first}" in words(page)

    @pytest.mark.parametrize("kind", ["ftp", "uploader", "api"])
    def test_issues_a_log_in_that_is_shown_once(self, site: Site, console: httpx.Client, kind: str) -> None:
        answer = post(console, "/console/customers/acme/credentials", kind=kind)
        said = re.search(r"User (\S+) Password or token (\S+)", words(answer.text))
        assert said
        assert answer.headers["cache-control"] == "no-store"
        assert said[2] not in console.get("/console/customers/acme").text
        (issued,) = [each for each in site.credentials.list("acme") if each.user == said[1]]
        assert (issued.kind, issued.issued_by) == (kind, "maria")

    def test_a_log_in_for_informz_is_that_of_the_brands_user(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site, scene.REMOVING.replace('{id: "9999"}', '{id: "9999", users: [newsletter]}'))
        answer = post(console, "/console/customers/acme/credentials", kind="informz")
        said = re.search(r"User (\S+) Password or token (\S+)", words(answer.text))
        assert said
        assert said[1] == "newsletter"
        asking = site.client(auth=(f"9999/{said[1]}", said[2])).get("/informz/uploads/1")
        assert asking.status_code == 404, "who asks is known; there is no such upload"
        assert post(console, "/console/customers/acme/credentials", kind="informz").status_code == 422, "each has one"

    def test_without_a_brand_there_is_none(self, site: Site, console: httpx.Client) -> None:
        assert "<option>informz" not in console.get("/console/customers/beta").text
        assert post(console, "/console/customers/beta/credentials", kind="informz").status_code == 422
        assert [each.kind for each in site.credentials.list("beta")] == ["ftp"]

    @pytest.mark.parametrize("kind", ["operator", "gateway", "", "nonsense"])
    def test_issues_none_but_a_customers(self, site: Site, console: httpx.Client, kind: str) -> None:
        assert post(console, "/console/customers/acme/credentials", kind=kind).status_code == 422

    def test_revokes_one(self, site: Site, console: httpx.Client) -> None:
        uploader = site.signed_in(Kind.uploader)
        user = site.credentials.list("acme")[-1].user
        assert post(console, "/console/customers/acme/credentials/revoke", user=user).status_code == 422
        assert post(console, "/console/customers/acme/credentials/revoke", user=user, sure="yes").status_code == 303
        assert uploader.get("/account").status_code == 303
        again = post(console, "/console/customers/acme/credentials/revoke", user=user, sure="yes")
        assert again.status_code == 404
        assert site.credentials.list("acme")[-1].revoked_by == "maria"
        assert re.search(r"revoked \d{4}-\d\d-\d\d by maria", text(console, "/console/customers/acme"))


class TestFeed:
    PATH = "/console/customers/acme/feeds/everybody"

    def test_shows_their_columns_beside_ours(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        scene.configure(site)
        scene.unapproved(site)
        said = text(console, self.PATH)
        assert "Phone number Group tags Status filter Name not read, not kept" in said
        assert "2 2125550000 west Active +12125550000 west" in said
        assert "Nobody" not in said, "what is not mapped is not shown"
        assert "opted in 300 200 -100" in said
        assert "100 from opted in to suspended; 8 of them" in said
        assert "it would suspend 100 of 300" not in said, "a hundred is not more than the floor"

    def test_an_approval_frees_what_waited_for_it(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site)
        id_ = scene.unapproved(site)
        page = console.get(self.PATH).text
        answer = post(console, f"{self.PATH}/approve", upload=str(id_), fingerprint=field(page, "fingerprint"))
        assert answer.status_code == 303
        assert "approved by maria" in text(console, self.PATH)
        assert site.work()["state"] == "applied"

    def test_a_feed_that_was_changed_meanwhile_is_looked_at_again(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site)
        id_ = scene.unapproved(site)
        shown = field(console.get(self.PATH).text, "fingerprint")
        scene.configure(site, scene.REMOVING.replace("[Active]", "[Active, Gone]"))
        answer = post(console, f"{self.PATH}/approve", upload=str(id_), fingerprint=shown)
        assert answer.status_code == 409
        assert "not approved" in text(console, self.PATH)

    def test_a_file_that_does_not_fit_says_why(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site)
        scene.unapproved(site, content="Mobile,Group,Status\n2125550123,a,Active\n")
        assert 'has no column "Phone"' in text(console, self.PATH)

    def test_a_large_file_is_read_when_somebody_asks(
        self, site: Site, console: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene.configure(site)
        id_ = scene.unapproved(site)
        monkeypatch.setattr("alp_daemon.channels.web.console.frame.READ_UNASKED", 10)
        assert "Choose a file" in text(console, self.PATH)
        assert "+12125550000" in text(console, self.PATH, upload=id_)

    def test_without_a_file_it_says_how_to_get_one(self, site: Site, console: httpx.Client) -> None:
        scene.configure(site)
        assert "alp-daemon preview acme FILE --send" in text(console, self.PATH)


class TestNumber:
    def test_says_in_a_sentence_why_it_stands_so(self, site: Site, console: httpx.Client) -> None:
        id_ = scene.applied(site)
        scene.stop(site)
        customer = site.registry.customer("acme")
        assert customer
        said = text(console, "/console/number", number="(212) 555-0123")
        assert re.search(
            r"Opted out since \d{4}-\d\d-\d\d \d\d:\d\d UTC: its own message m-1 said so\. No file and no command lifts"
            r" that, only its own message with the keyword ACME\.",
            said,
        )
        assert f"upload {id_}" in said
        assert "opted in → opted out" in said
        assert f"upload {id_} of acme listed it" in text(console, "/console/number", number=ANN)

    def test_of_one_customer_or_of_every_list(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        assert "acme opted in" in text(console, "/console/number", number=JOE)
        assert "never been on that list" in text(console, "/console/number", number=JOE, customer="beta")

    def test_of_nobody(self, console: httpx.Client) -> None:
        assert "never been on any list" in text(console, "/console/number", number=JOE)

    def test_that_is_none(self, console: httpx.Client) -> None:
        answer = console.get("/console/number", params={"number": "12"})
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text

    def test_an_address_of_a_brand(self, site: Site, console: httpx.Client) -> None:
        from alp_daemon.services.addresses import subscriber
        from alp_daemon.services.addresses.optin import Sender

        scene.configure(site)
        customer = site.registry.customer("acme")
        assert customer
        sender = Sender("maria", "operator", "cli")
        subscriber.unsubscribe(site.store, customer.id, "Joe@Example.org", sender, datetime.now(UTC))
        said = text(console, "/console/number", number="joe@example.org")
        assert "acme opted out" in said or "acme unsubscribed" in said
        assert "maria said so" in said
        assert "never been on any list" in text(console, "/console/number", number="ann@example.org")
        assert console.get("/console/number", params={"number": "a@"}).status_code == 422


class TestUsage:
    def test_counts_by_month_and_mode(self, site: Site, console: httpx.Client) -> None:
        scene.applied(site)
        scene.applied(site, content=scene.members(10, start=295))
        said = text(console, "/console/usage")
        assert re.search(r"acme \d{4}-\d\d-\d\d 305 305 0", said)
        assert "acme 2 2" in said
        assert re.search(r"beta \d{4}-\d\d-\d\d 0 0", said)
        usage = history.usage(site.store, "acme", None)
        assert sum(each["never_seen_before"] for each in usage) == 305, "as the command line has it"

    def test_an_undone_file_was_used_all_the_same(self, site: Site, console: httpx.Client) -> None:
        undo.undo(site.store, scene.applied(site), "maria", datetime.now(UTC))
        assert re.search(r"acme \d{4}-\d\d-\d\d 300 300", text(console, "/console/usage"))


class TestLockouts:
    def test_frees_one(self, site: Site, console: httpx.Client) -> None:
        scene.lock_out(site)
        assert "203.0.113.9" in text(console, "/console/lockouts")
        answer = post(console, "/console/lockouts/free", ip="203.0.113.9")
        assert answer.status_code == 303
        assert "Nobody is locked out" in text(console, answer.headers["location"])
        assert site.access.lockouts(datetime.now(UTC)) == []
        assert [(each.lockout.ip, each.by) for each in site.access.unlocked()] == [("203.0.113.9", "maria")]

    @pytest.mark.parametrize(("ip", "status"), [("203.0.113.9", 404), ("<b>", 422), ("", 422)])
    def test_of_nobody(self, console: httpx.Client, ip: str, status: int) -> None:
        answer = post(console, "/console/lockouts/free", ip=ip)
        assert answer.status_code == status
        assert "<b>" not in answer.text.partition("<main")[2].replace("<b>0", "")
