"""The FileUploader page over HTTP: what is taken, what is said, and who sees it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
import pytest

from alp_daemon.channels.web.uploader.multipart import UploadForm
from alp_daemon.services.decisions import approval, holds, undo
from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import MEMBERS, SiteMaker
from tests.web.site import JOE, Site
from tests.web.test_uploads import spooled, uploads

REMOVING = """\
name: Acme Water & Power
keyword: ACME
modes: [soft_opt_out, hard_opt_out, append_tags]
feeds:
  members:
    match: "*.csv"
    mode: soft_opt_out
    phones: [Phone]
"""


def describe(site: Site, yaml: str, *, approved: str | None = "members") -> None:
    """Gives Acme another configuration, and approves its feed as it is then."""
    (site.settings.customers_dir / "acme.yaml").write_text(yaml)
    assert site.registry.reload(datetime.now(UTC))
    if approved:
        acme = site.registry.customer("acme")
        assert acme
        sample = site.settings.customers_dir.parent / "members.csv"
        approval.approve(site.store, site.settings, acme, approved, sample, "Ann", datetime.now(UTC))


def members(count: int) -> str:
    return "Phone,Group\n" + "".join(f"+1212555{number:04},north\n" for number in range(100, 100 + count))


class Person:
    """Somebody of the customer at a browser."""

    def __init__(self, site: Site, kind: Kind = Kind.uploader, customer: str = "acme") -> None:
        self.client = site.signed_in(kind, customer)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def text(self, path: str = "/") -> str:
        """What a page says, without its markup."""
        return plain(self.get(path).text)

    @property
    def action(self) -> str:
        found = re.search(r'action="(/\?csrf=\w+)"', self.get("/").text)
        assert found
        return found[1]

    def send(self, content: str | bytes = MEMBERS, name: str = "members.csv", feed: str = "members") -> httpx.Response:
        return self.client.post(self.action, data={"feed": feed}, files={"file": (name, content)})


def plain(html: str) -> str:
    main = html.partition("<main")[2]
    text = re.sub(r"<[^>]*>", " ", main).replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&")
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def person(site: Site) -> Person:
    return Person(site)


class TestSending:
    def test_leads_from_the_queue_to_the_result(self, site: Site, person: Person) -> None:
        answer = person.send()
        assert (answer.status_code, answer.headers["location"]) == (303, "/uploads/1")
        assert "in the queue Your file has arrived and waits for its turn." in person.text("/uploads/1")
        report = site.work()
        assert (report["state"], report["evidence"], report["channel"], report["sent_by"]) == (
            "applied", "proven", "web", "acme-uploader",
        )  # fmt: skip
        told = person.text("/uploads/1")
        assert "applied Your list is up to date." in told
        assert "2 numbers were added. 2 tags were added to numbers." in told
        assert "We read 3 rows: 2 listed, 1 refused." in told

    @pytest.mark.parametrize("name", ["mitglieder ü.csv", 'a "b".csv', "members.csv.gz"])
    def test_names_are_kept(self, site: Site, person: Person, name: str) -> None:
        person.send(name=name)
        (upload,) = uploads(site)
        assert upload["name"] in (name, name.replace('"', "%22")), "browsers write %22 for a quote"

    def test_a_large_file_arrives_as_it_was_sent(self, site: Site, person: Person) -> None:
        content = b"Phone,Group\n" + b"".join(b"+1212555%04d,\r\n--g\n" % (n % 10_000) for n in range(300_000))
        assert person.send(content).status_code == 303
        (path,) = spooled(site)
        assert path.read_bytes() == content

    def test_preformatted_is_always_there(self, site: Site, person: Person) -> None:
        person.send(f"{JOE},board\n", "anything.txt", "preformatted")
        assert (site.work()["feed"], site.rows("uploads.list", customer=None, state=None, limit=1)[0]["folder"]) == (
            "preformatted",
            "preformatted",
        )

    def test_xml_goes_to_the_brand(self, site: Site, person: Person) -> None:
        assert 'value="bulkupload"' not in person.get("/").text, "Acme has no brand yet"
        describe(site, REMOVING + 'brand: {id: "9999"}\n')
        assert "e-mail subscribers of brand 9999" in person.text()
        refused = person.send("<x/>", "request.txt", "bulkupload")
        assert "a BulkUpload request is a file whose name ends with .xml." in plain(refused.text).lower().replace(
            "bulkupload", "BulkUpload"
        )
        person.send("<x/>", "request.xml", "bulkupload")
        assert site.work()["state"] == "rejected"
        assert "rejected Nothing was changed: the file cannot be used as it is." in person.text("/uploads/1")

    @pytest.mark.parametrize(
        ("how", "fault"),
        [
            ({"name": ""}, "Choose a file first."),
            ({"feed": ""}, "Say first what is in the file"),
            ({"feed": "nobody"}, "Say first what is in the file"),
            ({"name": "a/b.csv"}, "without folders or control characters"),
        ],
    )
    def test_what_is_wrong_is_said_on_the_form(
        self, site: Site, person: Person, how: dict[str, str], fault: str
    ) -> None:
        answer = person.send(**how)
        assert answer.status_code == 422
        assert fault in plain(answer.text)
        assert (uploads(site), spooled(site)) == ([], [])

    def test_a_file_that_is_too_large_is_not_kept(self, make_site: SiteMaker) -> None:
        site = make_site(max_file_size="1kB")
        person = Person(site)
        assert person.send("x" * 3000).status_code == 413, "the form has room for the file's frame, not for more file"
        assert (uploads(site), spooled(site)) == ([], [])

    def test_needs_the_sessions_token(self, site: Site, person: Person) -> None:
        for action in ("/", "/?csrf=x"):
            answer = person.client.post(action, data={"feed": "members"}, files={"file": ("members.csv", MEMBERS)})
            assert answer.status_code in (403, 415)
        elsewhere = {"Origin": "https://evil.example"}
        assert person.client.post(person.action, files={"file": ("m.csv", "1")}, headers=elsewhere).status_code == 403
        assert uploads(site) == []


def body(*parts: bytes, end: bytes = b"--edge--\r\n") -> bytes:
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + end


FEED = b'Content-Disposition: form-data; name="feed"\r\n\r\nmembers'
FILE = b'Content-Disposition: form-data; name="file"; filename="members.csv"\r\n\r\n' + MEMBERS.encode()


class TestForms:
    """Bodies that no browser sends."""

    def post(self, person: Person, content: bytes, kind: str = "multipart/form-data; boundary=edge") -> httpx.Response:
        return person.client.post(person.action, content=content, headers={"Content-Type": kind})

    def test_as_they_ought_to_be(self, site: Site, person: Person) -> None:
        assert self.post(person, body(FEED, FILE)).status_code == 303
        assert site.work()["rows"]["listed"] == 2

    def test_the_order_of_the_fields_is_free(self, person: Person) -> None:
        assert self.post(person, body(FILE, FEED)).status_code == 303

    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (body(FEED, FILE, end=b""), "multipart/form-data; boundary=edge", 400),
            (body(FEED, FILE)[:-40], "multipart/form-data; boundary=edge", 400),
            (body(FEED, FILE, FILE), "multipart/form-data; boundary=edge", 400),
            (body(*[FEED] * 21, FILE), "multipart/form-data; boundary=edge", 400),
            (body(FEED * 100, FILE), "multipart/form-data; boundary=edge", 400),
            (b"nonsense", "multipart/form-data; boundary=edge", 400),
            (b"", "multipart/form-data; boundary=edge", 400),
            (body(FEED, FILE), "multipart/form-data", 415),
            (body(FEED, FILE), "text/csv", 415),
            (b"feed=members", "application/x-www-form-urlencoded", 415),
        ],
    )
    def test_as_they_ought_not(self, site: Site, person: Person, content: bytes, kind: str, status: int) -> None:
        assert self.post(person, content, kind).status_code == status
        assert (uploads(site), spooled(site)) == ([], [])

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
    def test_pieces_of_any_size_are_one_form(self, size: int) -> None:
        form, content = UploadForm("multipart/form-data; boundary=edge"), body(FEED, FILE)
        pieces = [form.file_bytes(content[at : at + size]) for at in range(0, len(content), size)]
        assert b"".join(pieces) == MEMBERS.encode()
        assert (form.fields, form.filename, form.is_whole) == ({"feed": "members"}, "members.csv", True)


class TestResults:
    def test_refused_cells_stand_under_their_cure(self, site: Site, person: Person) -> None:
        rows = "nonsense,north\n" * 12
        person.send(f'Phone,Group\n{JOE},ok\n2.12556E+09,x\n{rows}+12125550199,"a;b"\n')
        site.work()
        holds.release(site.store, 1, "maria", datetime.now(UTC))  # most of its rows are refused
        site.work()
        told = person.text("/uploads/1")
        assert "Refused: 14" in told
        assert re.findall(r"(\d+) × (\w+ \w+)", told) == [("12", "This is"), ("1", "A spreadsheet"), ("1", "A tag")]
        assert "give exactly one" in told
        assert "4 Phone nonsense 5 Phone nonsense" in told
        assert "and 2 more in rejects.csv" in told
        csv = person.get("/uploads/1/rejects.csv")
        assert csv.headers["content-disposition"] == 'attachment; filename="upload-1-rejects.csv"'
        assert len(csv.text.splitlines()) == 15

    def test_a_removing_file_says_whom_it_suspended(self, site: Site, person: Person) -> None:
        describe(site, REMOVING)
        for count in (3, 1):
            person.send(members(count))
            site.work()
        told = person.text("/uploads/2")
        assert "2 numbers were suspended: no messages go there until a file lists them again." in told
        assert "1 number was as the file says already." in told
        person.send(members(1))
        site.work()
        assert "Nothing had to be changed: the list says already what the file says." in person.text("/uploads/3")

    def test_a_held_file_says_why_and_whom_to_call(self, site: Site, person: Person) -> None:
        describe(site, REMOVING)
        for count in (200, 20):
            person.send(members(count))
            site.work()
        told = person.text("/uploads/2")
        assert "held Nothing was changed, and nothing is lost." in told
        assert "It would suspend 180 of 200 opted-in numbers (90.0%; the limit is 20%)." in told
        assert "Your provider can release or discard it: call them, and say that it is upload 2." in told
        assert "It would suspend 180 numbers." in told
        holds.discard(site.store, 2, "maria", datetime.now(UTC))
        assert "discarded Nothing was changed." in person.text("/uploads/2")

    def test_what_waits_for_an_approval_goes_on_by_itself(self, site: Site, person: Person) -> None:
        person.send()
        describe(site, REMOVING, approved=None)
        site.work()
        told = person.text("/uploads/1")
        assert "Files of this kind have to be approved before they are applied" in told
        assert "It goes on by itself once the approval is there" in told
        assert "alp-daemon approve" not in told, "the operator's command is not for the customer"
        page = person.text()
        assert "Not approved yet, so not offered: members." in page
        assert "Preformatted" in page

    def test_a_file_that_cannot_be_used_says_what_is_wrong_with_it(self, site: Site, person: Person) -> None:
        person.send("Telephone\n1\n")
        site.work()
        told = person.text("/uploads/1")
        assert "rejected Nothing was changed: the file cannot be used as it is." in told
        assert "members.csv:" in told
        assert "Telephone" in told
        assert "Correct the file and send the whole of it again." in told

    def test_a_fault_of_ours_is_said_to_be_ours(
        self, site: Site, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person.send()
        (path,) = spooled(site)
        path.unlink()
        site.work()
        told = person.text("/uploads/1")
        assert "An error on our side stopped it" in told
        assert "Do not send the file again." in told
        assert "FileNotFoundError" not in told

    def test_an_undone_file_says_so(self, site: Site, person: Person) -> None:
        person.send()
        site.work()
        undo.undo(site.store, 1, "maria", datetime.now(UTC))
        told = person.text("/uploads/1")
        assert "undone It was undone later" in told
        assert "What it changed" in told
        assert "members.csv undone members" in person.text("/")

    def test_at_work_it_says_so(self, site: Site, person: Person) -> None:
        from alp_daemon.services.processing import queue

        person.send()
        assert queue.claim(site.store, site.settings, "acme", "a worker", datetime.now(UTC))
        assert "being processed Your file is being read" in person.text("/uploads/1")
        assert "being processed" in person.text()

    def test_what_is_still_on_its_way_is_asked_for_again(self, site: Site, person: Person) -> None:
        person.send()
        waiting = person.get("/uploads/1").text
        assert 'hx-trigger="every 1s"' in waiting
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
        site.work()
        over = person.get("/uploads/1").text
        assert "hx-get" not in over
        assert "refresh" not in over

    def test_the_recent_ones_are_listed_newest_first(self, site: Site, person: Person) -> None:
        assert "Nothing has been sent yet." in person.text()
        for name in ("members-1.csv", "members-2.csv"):
            person.send(name=name)
        site.work()
        told = person.text()
        assert told.index("members-2.csv in the queue") < told.index("members-1.csv applied")

    @pytest.mark.parametrize("path", ["/uploads/99", f"/uploads/{2**70}", "/uploads/99/rejects.csv"])
    def test_what_is_not_there_is_404(self, person: Person, path: str) -> None:
        assert person.get(path).status_code == 404

    def test_hostile_names_and_cells_are_text(self, site: Site, person: Person) -> None:
        person.send('Phone,Group\n<script>alert(1)</script>,"<b>"\n', "<img src=x>.csv")
        site.work()
        for path in ("/", "/uploads/1"):
            page = person.get(path).text
            assert "<img" not in page
            assert "<script>" not in page
            assert "<b>" not in page


class TestFeeds:
    @pytest.mark.parametrize(
        ("rules", "effect"),
        [
            ("mode: append", "stay as they are"),
            ("mode: append_tags\n    omitted_tags: clear", "lose their tags"),
            ("mode: soft_opt_out", "leaves out are suspended until a file lists them again"),
            ("mode: soft_opt_out\n    omitted_scope: feed", "of those that this kind of file has listed before, are"),
            ("mode: hard_opt_out", "are opted out; only their owners can opt in again"),
        ],
    )
    def test_say_what_they_do(self, site: Site, person: Person, rules: str, effect: str) -> None:
        describe(site, REMOVING.replace("modes: [", "modes: [append, ").replace("mode: soft_opt_out", rules))
        assert effect in person.text()

    def test_a_minus_is_said_to_opt_out_where_it_does(self, site: Site, person: Person) -> None:
        assert "takes nobody off" in person.text()
        describe(site, REMOVING + "preformatted: {minus: opt_out}\n")
        assert "a number with a minus before it is opted out" in person.text()

    def test_the_only_one_is_chosen_already(self, site: Site, person: Person) -> None:
        assert re.search(r'value="members" required checked', person.get("/").text)
        another = REMOVING + '  others: {match: "o*", mode: soft_opt_out, phones: [Phone]}\n'
        describe(site, another)
        describe(site, another, approved="others")
        assert "checked" not in person.get("/").text


class TestWho:
    def test_nobody_is_sent_to_the_sign_in(self, site: Site) -> None:
        assert site.client().get("/").headers["location"] == "/login?next=%2F"

    def test_an_operator_has_another_page(self, site: Site) -> None:
        operator = site.signed_in(Kind.operator, name="maria")
        assert operator.get("/").headers["location"] == "/console"
        assert operator.get("/uploads/1").status_code == 403
        assert operator.post("/").status_code == 403

    def test_two_customers_never_see_each_other(self, site: Site, person: Person) -> None:
        person.send(name="of-acme.csv")
        site.work()
        other = Person(site, Kind.admin, "beta")
        assert "of-acme" not in other.text()
        for path in ("/uploads/1", "/uploads/1/rejects.csv"):
            answer = other.get(path)
            assert answer.status_code == 404
            never = other.get(path.replace("1", "987654321")).text.replace("987654321", "1")
            assert answer.text == never, "as if there were none"

    def test_all_that_came_for_the_customer_is_shown(self, site: Site, person: Person) -> None:
        site.api().post("/api/v1/uploads", params={"filename": "members.csv"}, content=MEMBERS)
        assert "acme-api, the API" in person.text()

    def test_only_admins_are_led_to_the_uploaders(self, site: Site, person: Person) -> None:
        assert 'href="/uploaders"' not in person.get("/").text
        assert 'href="/uploaders"' in Person(site, Kind.admin).get("/").text

    def test_a_customer_whose_file_is_gone_is_told_so(self, site: Site, person: Person) -> None:
        site.registry._entries.pop("acme")
        assert person.get("/").status_code == 503


def test_pages_need_nothing_from_elsewhere(site: Site, person: Person) -> None:
    person.send()
    for path in ("/", "/uploads/1"):
        page = person.get(path).text
        assert "//" not in page
        assert not re.search(r"<script>|<style|style=|onclick=", page)
        for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert person.get(asset).status_code == 200
    licence = person.get("/static/htmx.LICENSE.txt").text
    assert "Zero-Clause BSD" in licence
