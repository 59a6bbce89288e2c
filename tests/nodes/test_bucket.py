"""The shape of a large installation: nodes of one role each on one PostgreSQL, and the uploaded files in a bucket.

Node a takes files and works none, node b works files and takes none, node c does both. So what a takes another one
works, from bytes that it finds in the bucket only.
"""

from __future__ import annotations

import ftplib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.crash import model
from tests.crash.processes import Step
from tests.databases import Server
from tests.eventually import eventually
from tests.nodes.cluster import Cluster, put
from tests.nodes.conftest import Inbox
from tests.s3.proxy import Fault, Proxy
from tests.s3.world import OURS

CUSTOMERS = ("worked", "gone", "torn", "kept", "recorded", "sending", "working")
PREFIX = "alp/uploads"
STEPS = [
    Step("alp_daemon.services.receiving.intake:Intake._record", "before", "kept.csv"),
    Step("alp_daemon.services.receiving.intake:Intake._record", "after", "recorded.csv"),
]
"""Node a dies when the bytes are in the bucket, and when their record is there too; nobody has been told of either."""
DEATHS = {"kept": 0, "recorded": 1}


class Site(Cluster):
    """The nodes, the bucket as another client sees it, and the way from the one to the other, which may fail."""

    bucket: Any
    way: Proxy

    def names(self) -> set[str]:
        """The files in the bucket."""
        found = {each.key.removeprefix(f"{PREFIX}/") for each in self.bucket.objects.filter(Prefix=PREFIX)}
        return found - set(OURS)

    def content(self, upload: int) -> bytes:
        return self.bucket.Object(f"{PREFIX}/{self.upload(upload)['object']}").get()["Body"].read()

    def send(self, node: str, customer: str, name: str, rows: model.Rows) -> int:
        """One file by a sender that says goodbye."""
        ftp = self.nodes[node].login(customer)
        upload = put(ftp, name, rows)
        ftp.quit()
        return upload


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgres: Server, inbox: tuple[Inbox, int]) -> Iterator[Site]:
    for library in ("obstore", "boto3", "moto"):
        pytest.importorskip(library, reason=f"no {library}: pip install -e '.[test,s3]'")
    from tests.s3.server import serving

    with serving() as server, pytest.MonkeyPatch.context() as environment:
        way = Proxy(server.port)
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            environment.delenv(name, raising=False)
        for name, value in {
            "ENDPOINT_URL": way.url,
            "REGION": "us-east-1",
            "ACCESS_KEY_ID": "id",
            "SECRET_ACCESS_KEY": "key",
            "ALLOW_HTTP": "true",
        }.items():
            environment.setenv(f"AWS_{name}", value)
        site = Site(
            tmp_path_factory.mktemp("bucket"),
            postgres,
            inbox[1],
            CUSTOMERS,
            STEPS,
            spool=f"s3://nodes/{PREFIX}",
            roles={"a": "ftp", "b": "worker", "c": "all"},
        )
        postgres.keep()
        site.bucket, site.way = server.make_bucket("nodes"), way
        with site.running():
            yield site
        way.close()


def rows(mark: int) -> model.Rows:
    """A file that changes the list, whatever came before it."""
    return [("2125550101", f"tag {mark}"), (f"21255502{mark:02}", "")]


def sent_until_kept(send: Callable[[], int], refusals: list[str]) -> int:
    """As a scheduler does."""
    while True:
        try:
            return send()
        except ftplib.Error as refusal:
            refusals.append(str(refusal))


def started_again(site: Site) -> None:
    a = site.nodes["a"]
    a.start()
    a.wait_until_ready()


def test_what_one_node_takes_another_works(site: Site) -> None:
    contents = {}
    for number in range(6):
        name = f"{number}.csv"
        contents[name] = rows(number)
        with site.nodes["a"].login("worked") as ftp:
            upload = put(ftp, name, contents[name])
            assert site.content(upload) == model.file_of(contents[name]).encode()
        site.becomes(upload, "applied")
    site.assert_applied_once_and_in_order("worked", contents)
    assert {row["node"] for row in site.uploads("worked")} == {"a"}
    for node in site.nodes.values():
        assert not (node.folder / "data/spool").exists()
        assert list(node.folder.glob("data/incoming/*")) == []


def test_a_file_whose_node_died_after_the_226_is_worked_without_it(site: Site) -> None:
    a = site.nodes["a"]
    upload = site.send("a", "gone", "gone.csv", rows(1))
    # Only then does anybody know that its client was well; else it would wait for a person.
    eventually(lambda: site.upload(upload)["evidence"] == "assumed", otherwise=site.logs)
    a.kill()
    site.becomes(upload, "applied")
    site.assert_applied_once_and_in_order("gone", {"gone.csv": rows(1)})
    started_again(site)


def test_a_node_that_dies_in_the_middle_of_an_upload(site: Site) -> None:
    """What came half is nowhere. What came whole is kept, and waits for a person if nobody saw that its client was
    well."""
    a, before = site.nodes["a"], site.names()
    half, whole = a.login("torn"), a.login("torn")
    connection = half.transfercmd("STOR half.csv")
    connection.sendall(b"Phone,Tag\n2125550199,")
    upload = put(whole, "whole.csv", rows(1))
    eventually(lambda: len(list(a.folder.glob("data/incoming/*.part"))) == 1, otherwise=site.logs)
    a.kill()
    for each in (connection, half, whole):
        each.close()

    evidence = {"held": "cut", "applied": "assumed"}
    eventually(lambda: site.upload(upload)["state"] in evidence, otherwise=site.logs)
    assert site.upload(upload)["evidence"] == evidence[site.upload(upload)["state"]]
    assert site.content(upload) == model.file_of(rows(1)).encode()
    assert site.names() - before == {site.upload(upload)["object"]}
    started_again(site)
    assert list(a.folder.glob("data/incoming/*.part")) == []
    again = site.send("a", "torn", "half.csv", rows(2))
    site.becomes(again, "applied")
    site.assert_applied_once_and_in_order("torn", {"whole.csv": rows(1), "half.csv": rows(2)})
    assert [row["name"] for row in site.uploads("torn")] == ["whole.csv", "half.csv"]


@pytest.mark.parametrize(("customer", "left"), [("kept", []), ("recorded", ["recorded.csv"])])
def test_a_node_that_dies_before_its_226(site: Site, customer: str, left: list[str]) -> None:
    """Its client sends the file again, to another node. Nothing is applied twice."""
    name = f"{customer}.csv"
    ftp = site.nodes["a"].login(customer)
    with pytest.raises((EOFError, ConnectionError)):
        put(ftp, name, rows(1))
    ftp.close()
    assert site.has_taken(DEATHS[customer])
    assert site.nodes["a"].exit_code() == -9
    assert [row["name"] for row in site.uploads(customer)] == left
    started_again(site)
    again = site.send("c", customer, name, rows(1))
    site.becomes(again, "applied")
    assert [row["state"] for row in site.uploads(customer)] == ["discarded"] * len(left) + ["applied"]
    site.assert_applied_once_and_in_order(customer, {name: rows(1)})
    unknown = {each for each in site.names() if each.startswith(f"{customer}/")} - objects(site, customer)
    assert len(unknown) == (1 if customer == "kept" else 0), "fresh: another node might be about to record it"


def objects(site: Site, customer: str) -> set[str]:
    return {row["object"] for row in site.uploads(customer)}


@pytest.mark.parametrize("fault", [Fault.busy, Fault.cut])
def test_the_bucket_goes_and_comes_back_while_files_are_sent(site: Site, fault: Fault) -> None:
    """What was answered with 226 is applied once and in order; what was not was refused for the moment (4xx)."""
    acknowledged: list[int] = []
    refusals: list[str] = []
    contents: dict[str, model.Rows] = {}
    earlier = len(site.uploads("sending"))

    def send_all() -> None:
        for number in range(earlier, earlier + 6):
            name = f"{number}.csv"
            contents[name] = rows(number)
            node = "ac"[number % 2]
            acknowledged.append(
                sent_until_kept(lambda: site.send(node, "sending", name, contents[name]), refusals)  # noqa: B023
            )

    for number in range(earlier):
        contents[f"{number}.csv"] = rows(number)
    client = threading.Thread(target=send_all)
    client.start()
    eventually(lambda: len(acknowledged) >= 2, otherwise=site.logs)
    with site.way.broken(fault):
        eventually(lambda: refusals, otherwise=site.logs)
    client.join(90)
    assert len(acknowledged) == 6
    assert all(refusal.startswith("4") and "send it again later" in refusal for refusal in refusals), refusals
    for upload in acknowledged:
        site.becomes(upload, "applied")
    site.assert_applied_once_and_in_order("sending", contents)
    assert site.names() >= objects(site, "sending")
    assert not any(node.is_dead for node in site.nodes.values())


@pytest.mark.parametrize("fault", [Fault.denied, Fault.breaks_off])
def test_the_bucket_gives_no_files_for_a_while(site: Site, fault: Fault) -> None:
    """It still takes them. The queue waits, keeps its order, and goes on by itself."""
    earlier = [row["name"] for row in site.uploads("working")]
    contents = {name: rows(number) for number, name in enumerate(earlier)}
    seen = len(troubles(site))
    sent = []
    with site.way.broken(fault, only="GET"):
        for number in range(len(earlier), len(earlier) + 3):
            name = f"{number}.csv"
            contents[name] = rows(number)
            sent.append(site.send("a", "working", name, contents[name]))
        eventually(lambda: len(troubles(site)) > seen, otherwise=site.logs)
        assert {site.upload(upload)["state"] for upload in sent} == {"received"}
    for upload in sent:
        site.becomes(upload, "applied")
    site.assert_applied_once_and_in_order("working", contents)


def troubles(site: Site) -> list[dict[str, Any]]:
    return [line for name in "bc" for line in site.nodes[name].events("worker_failed") if line["customer"] == "working"]
