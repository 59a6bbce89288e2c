"""Three nodes on one database: whichever a customer reaches, and whichever dies, freezes or is cut off meanwhile."""

from __future__ import annotations

import ftplib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.crash import model
from tests.databases import Server
from tests.eventually import eventually
from tests.nodes.cluster import LEASE_SECONDS, Cluster, Node, put
from tests.nodes.conftest import FROZEN, KILLED, STUCK, Inbox
from tests.proc import workers_of

ROWS: model.Rows = [("2125550101", "north"), ("2125550102", "south")]


def rows(mark: int) -> model.Rows:
    """A file that changes the list, whatever came before it."""
    return [("2125550101", f"tag {mark}"), (f"21255502{mark:02}", "")]


def test_a_file_is_worked_whichever_node_took_it(cluster: Cluster) -> None:
    contents = {}
    for number, node in enumerate([*cluster.nodes.values()] * 2):
        name = f"{number}.csv"
        contents[name] = rows(number)
        with node.login("killed") as ftp:
            upload = put(ftp, name, contents[name])
        cluster.becomes(upload, "applied")
    cluster.assert_applied_once_and_in_order("killed", contents)
    assert [row["node"] for row in cluster.uploads("killed")] == ["a", "b", "c"] * 2


@pytest.fixture
def thawed(cluster: Cluster) -> Iterator[list[int]]:
    """Processes that go on in the end, whatever happens."""
    frozen: list[int] = []
    yield frozen
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def namesake(node: Node, folder: Path) -> Node:
    """Another machine that is called as the node is."""
    second = Node.__new__(Node)
    second.__dict__.update(node.__dict__)
    second.folder = folder
    second.folder.mkdir()
    second.configure(node.name)
    return second


def test_a_name_that_lives_is_not_given_again(cluster: Cluster) -> None:
    b = cluster.nodes["b"]
    second = namesake(b, cluster.folder / "second-b")
    second.start()
    assert second.exit_code() == 69
    assert "a daemon of role all calls itself node b on this database already" in second.log()
    assert not b.is_dead


def test_who_comes_back_to_find_its_name_taken_ends(cluster: Cluster, thawed: list[int]) -> None:
    c = cluster.nodes["c"]
    thawed.append(c.pid)
    c.send(signal.SIGSTOP)
    second = namesake(c, cluster.folder / "second-c")
    time.sleep(LEASE_SECONDS)
    second.start()
    second.wait_until_ready()
    c.send(signal.SIGCONT)
    thawed.clear()
    assert c.exit_code() == 69
    assert "another daemon has taken the name of node c on this database" in c.log()
    assert second.stop() == 0
    c.start()
    c.wait_until_ready()


def test_reports_are_at_every_node(cluster: Cluster) -> None:
    with cluster.nodes["a"].login("reports") as ftp:
        upload = put(ftp, "members.csv", [*ROWS, ("nonsense", "")])
    cluster.becomes(upload, "applied")
    assert [reports(node) for node in cluster.nodes.values()] == [reports(cluster.nodes["a"])] * 3
    names = [name.rpartition("/")[2].removeprefix(f"{upload:06d}-") for name in reports(cluster.nodes["a"])]
    assert names == ["members.csv.rejects.csv", "members.csv.report.json", "members.csv.report.txt"]


def reports(node: Node) -> dict[str, tuple[str, bytes]]:
    """What the customer finds there: names, times and contents."""
    found = {}
    with node.login("reports") as ftp:
        for name in sorted(ftp.nlst("reports")):
            path, content = f"reports/{name.rpartition('/')[2]}", bytearray()
            ftp.retrbinary(f"RETR {path}", content.extend)
            found[path] = (ftp.sendcmd(f"MDTM {path}"), bytes(content))
    return found


def test_four_failures_spread_over_the_nodes_lock_out_at_all_of_them(cluster: Cluster) -> None:
    guesser, a, b, c = "127.0.0.77", *cluster.nodes.values()
    for node in (a, b, c, a):
        with pytest.raises(ftplib.error_perm, match="530"):
            node.connect(guesser).login("locked", "wrong")
    issued = cluster.logins["locked"]
    for node in (a, b, c):
        with pytest.raises((ftplib.error_perm, ftplib.error_temp), match="blocked until"):
            node.connect(guesser).login(issued.user, issued.password)
        node.connect("127.0.0.78").login(issued.user, issued.password)


def test_each_mail_is_sent_once(cluster: Cluster, inbox: tuple[Inbox, int]) -> None:
    sent = []
    for number in range(9):
        with cluster.nodes["abc"[number % 3]].login("mails") as ftp:
            sent.append(put(ftp, f"{number}.csv", rows(number)))

    def arrived() -> list[str]:
        return [mail["Subject"] for mail in inbox[0].mails if "[mails]" in mail["Subject"]]

    eventually(lambda: len(arrived()) >= len(sent), otherwise=cluster.logs)
    eventually(lambda: not cluster.rows("outbox.due", now="9999", limit=1), otherwise=cluster.logs)
    assert sorted(arrived()) == [f"[mails] {number}.csv: applied" for number in range(9)]


def test_postgresql_goes_and_comes_back(cluster: Cluster, postgres: Server) -> None:
    """What was answered with 226 is applied once and in order; what was not is refused for the moment (4xx)."""
    refusals: list[str] = []
    acknowledged: list[int] = []
    contents: dict[str, model.Rows] = {}
    away, back = threading.Event(), threading.Event()

    def send_all() -> None:
        for number in range(12):
            if number == 4:
                away.set()
            name = f"{number}.csv"
            contents[name] = rows(number)
            acknowledged.append(sent(cluster, "abc"[number % 3], name, contents[name], refusals))
            if number == 7:
                assert back.wait(60)

    client = threading.Thread(target=send_all)
    client.start()
    assert away.wait(60)
    postgres.stop(signal.SIGQUIT)
    eventually(lambda: refusals, otherwise=cluster.logs)
    for node in cluster.nodes.values():
        eventually(lambda node=node: node.events("dispatcher_waits"), otherwise=cluster.logs)
    with pytest.raises(HTTPError, match="503"):
        urlopen(f"{cluster.nodes['a'].web()}/readyz", timeout=30)
    assert not any(node.is_dead for node in cluster.nodes.values())
    postgres.start()
    back.set()
    client.join(90)
    assert len(acknowledged) == 12
    assert all(refusal.startswith("4") for refusal in refusals), refusals
    for upload in acknowledged:
        cluster.becomes(upload, "applied")
    cluster.assert_applied_once_and_in_order("restart", contents)
    eventually(lambda: is_ready(cluster.nodes["a"]), otherwise=cluster.logs)


def sent(cluster: Cluster, node: str, name: str, content: model.Rows, refusals: list[str]) -> int:
    """Sends until it is told that the file is kept, as a scheduler does."""
    while True:
        try:
            with cluster.nodes[node].login("restart") as ftp:
                return put(ftp, name, content)
        except (ftplib.error_temp, ftplib.error_perm) as refusal:
            refusals.append(str(refusal))
            time.sleep(0.2)


def is_ready(node: Node) -> bool:
    try:
        return bool(urlopen(f"{node.web()}/readyz", timeout=30).status == 200)
    except HTTPError:
        return False


def test_a_worker_that_is_killed_within_its_transaction(cluster: Cluster) -> None:
    with cluster.nodes["a"].login("killed") as ftp:
        upload = put(ftp, "killed.csv", rows(50))
    eventually(lambda: cluster.has_taken(KILLED), otherwise=cluster.logs)
    cluster.becomes(upload, "applied")
    assert cluster.upload(upload)["attempts"] == 2


@pytest.mark.parametrize(("customer", "step"), [("frozen", FROZEN), ("stuck", STUCK)])
def test_a_worker_that_stands_still_past_its_lease_changes_nothing_afterwards(
    cluster: Cluster, thawed: list[int], customer: str, step: int
) -> None:
    """Before its transaction, and within it, when it holds the locks of the list."""
    with cluster.nodes["a"].login(customer) as ftp:
        upload = put(ftp, f"{customer}.csv", rows(1))
        later = put(ftp, "later.csv", rows(2))
    eventually(lambda: cluster.has_taken(step), otherwise=cluster.logs)
    frozen = int(cluster.upload(upload)["lease_owner"].partition("@")[0])
    node = next(node for node in cluster.nodes.values() if frozen in workers_of(node.pid))
    thawed.append(frozen)
    cluster.becomes(later, "applied")
    contents = {f"{customer}.csv": rows(1), "later.csv": rows(2)}
    cluster.assert_applied_once_and_in_order(customer, contents)
    before = cluster.upload(upload), cluster.export(customer)

    failed = len(node.events("worker_failed"))
    os.kill(frozen, signal.SIGCONT)
    eventually(lambda: len(node.events("worker_failed")) > failed, otherwise=cluster.logs)
    assert (cluster.upload(upload), cluster.export(customer)) == before
    cluster.assert_applied_once_and_in_order(customer, contents)


def test_what_a_dead_node_had_in_hand_is_settled_as_cut(cluster: Cluster, thawed: list[int]) -> None:
    """One node is killed and one freezes, each with a file that it has just answered for and one half received."""
    a, b, c = cluster.nodes.values()
    sessions = [node.login("dead") for node in (a, b)]
    torn = [half_sent(ftp) for ftp in sessions]
    # They stay: a session's end would settle its upload.
    sessions += [node.login("dead") for node in (a, b)]
    uploads = [put(ftp, f"{node.name}.csv", ROWS) for node, ftp in zip((a, b), sessions[2:], strict=True)]
    a.kill()
    thawed.append(b.pid)
    b.send(signal.SIGSTOP)
    with c.login("dead") as ftp:
        behind = put(ftp, "behind.csv", ROWS)
    cluster.becomes(behind, "applied")
    note = "the node that took it in died before it saw how the client left"
    assert {cluster.upload(upload)["evidence_note"] for upload in uploads} == {note}

    b.send(signal.SIGCONT)
    a.start()
    a.wait_until_ready()
    for each in (*torn, *sessions):
        each.close()
    with b.login("dead") as ftp:
        last = put(ftp, "last.csv", rows(1))
    cluster.becomes(last, "applied")
    assert {cluster.upload(upload)["evidence_note"] for upload in uploads} == {note}, "the first evidence stands"
    assert {cluster.upload(upload)["reason"] for upload in uploads} == {f"superseded by {behind}"}
    cluster.assert_applied_once_and_in_order("dead", {"behind.csv": ROWS, "last.csv": rows(1)})


def half_sent(ftp: ftplib.FTP):
    connection = ftp.transfercmd("STOR half.csv")
    connection.sendall(b"Phone,Tag\n2125550199,")
    return connection
