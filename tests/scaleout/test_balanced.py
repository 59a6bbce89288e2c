"""Nodes behind a balancer are one server to clients, and see each client as if there were no balancer."""

from __future__ import annotations

import ftplib
import io
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests import databases
from tests.eventually import eventually
from tests.scaleout.cluster import BALANCER, NODES, Cluster

pytestmark = pytest.mark.skipif(
    shutil.which("haproxy") is None and not Path("/usr/sbin/haproxy").exists(), reason="needs Debian's haproxy"
)

FILE = b"Phone\n2125550123\n"
BIG = b"Phone\n" + b"2125550123\n" * 2_000_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Not tmp_path: it is the same for all tests of this module.
    with tempfile.TemporaryDirectory(prefix="alp-scale-out-") as folder:
        database = databases.server().new()
        databases.server().keep()
        cluster = Cluster(Path(folder), database, trustme.CA())
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def test_an_upload_and_a_listing(cluster: Cluster) -> None:
    ftp = cluster.enter("127.0.0.21")
    assert ftp.storbinary("STOR plain.csv", io.BytesIO(FILE)).startswith("226 ")
    assert "plain.csv" in ftp.nlst()
    ftp.quit()
    row = cluster.settled("plain.csv")
    assert (row["ip"], row["evidence"]) == ("127.0.0.21", "assumed")


def test_tls_goes_through_to_the_node(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "secure.csv").write_bytes(FILE)
    command = ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", cluster.folder / "authority.pem"]
    target = f"ftp://{BALANCER}:{cluster.ftp_port}/"
    login = ["--user", f"{cluster.user}:{cluster.password}", "--interface", "127.0.0.22"]
    for then in (["--upload-file", tmp_path / "secure.csv"], []):
        told = subprocess.run([*command, *login, *then, target], capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr
    assert "secure.csv" in told.stdout
    row = cluster.settled("secure.csv")
    assert (row["ip"], row["evidence"], row["channel"]) == ("127.0.0.22", "proven", "ftps")


def test_sessions_are_spread_and_each_finds_its_data_ports(cluster: Cluster) -> None:
    sessions = [cluster.enter("127.0.0.23") for _ in range(4)]
    ports = {number: set(range(*_ends(cluster, number))) for number in range(len(NODES))}
    used = set()
    for number, ftp in enumerate(sessions):
        host, port = ftp.makepasv()
        assert host == BALANCER
        used |= {node for node, own in ports.items() if port in own}
        ftp.storbinary(f"STOR spread-{number}.csv", io.BytesIO(FILE))
        ftp.quit()
    assert used == {0, 1}
    assert [cluster.settled(f"spread-{number}.csv")["evidence"] for number in range(4)] == ["assumed"] * 4


def _ends(cluster: Cluster, number: int) -> tuple[int, int]:
    first, last = cluster._range(number).split("-")
    return int(first), int(last) + 1


def test_the_guesser_is_locked_out_on_all_nodes_and_nobody_else(cluster: Cluster) -> None:
    for _ in range(4):
        with pytest.raises(ftplib.error_perm, match="530"), ftplib.FTP(timeout=30) as ftp:
            ftp.connect(BALANCER, cluster.ftp_port, source_address=("127.0.0.24", 0))
            ftp.login("acme", "wrong")
    for _ in range(4):
        assert cluster.greeting("127.0.0.24").startswith(b"421 Too many failed log-ins")
    assert cluster.greeting("127.0.0.25").startswith(b"220 ")
    assert cluster.greeting(BALANCER).startswith(b"220 ")


def test_a_client_that_is_killed_leaves_a_cut_file(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "killed.csv").write_bytes(BIG)
    command = ["curl", "--silent", "--limit-rate", "2M", "--user", f"{cluster.user}:{cluster.password}"]
    target = f"ftp://{BALANCER}:{cluster.ftp_port}/"
    client = subprocess.Popen([*command, "--upload-file", tmp_path / "killed.csv", target])
    eventually(lambda: _received(cluster), lambda size: size > 2**20)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert cluster.settled("killed.csv")["evidence"] == "cut"


def _received(cluster: Cluster) -> int:
    """Bytes of the largest file that is coming in."""
    parts = cluster.folder.glob("node*/data/incoming/*.part")
    return max((part.stat().st_size for part in parts), default=0)


def test_under_tls_a_data_connection_that_is_reset_leaves_a_cut_file(cluster: Cluster) -> None:
    """HAProxy makes a good end of a reset with bytes under way. Only TLS says then that it is none."""
    for number in range(3):
        ftp = cluster.enter("127.0.0.26", tls=True)
        connection = ftp.transfercmd(f"STOR reset-{number}.csv")
        connection.sendall(BIG[: 2**20])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(connection)
        assert cluster.settled(f"reset-{number}.csv")["evidence"] == "cut"
        assert ftp.getmultiline()[:3] in ("226", "426"), "the client is still there"
        ftp.close()


def test_the_pages_say_whose_request_it_was(cluster: Cluster) -> None:
    token = cluster.done("credentials", "issue", "acme", "--for", "api", "--json").split('"')[3]
    command = ["curl", "--silent", "--cacert", cluster.folder / "authority.pem", "--interface", "127.0.0.27"]
    url = f"https://{BALANCER}:{cluster.web_port}"
    sent = [*command, "--header", f"Authorization: Bearer {token}", "--data-binary", FILE.decode()]
    told = subprocess.run([*sent, f"{url}/api/v1/uploads?filename=web.csv"], capture_output=True, text=True, timeout=60)
    assert '"upload"' in told.stdout, told.stdout
    assert cluster.settled("web.csv")["ip"] == "127.0.0.27"


def test_all_nodes_load_what_is_pushed(cluster: Cluster) -> None:
    bolt = cluster.folder / "customers" / "bolt.yaml"
    bolt.write_text("name: Bolt\nkeyword: BOLT\nfeeds: {}\n")
    cluster.done("customers", "push", "--folder", str(bolt.parent), "--by", "maria", node=1)
    for number in range(len(NODES)):
        log = cluster.folder / f"node{number}" / "log"
        eventually(lambda log=log: log.read_text(), lambda text: '"customer": "bolt"' in text)


def test_with_a_node_down_the_next_log_in_works(cluster: Cluster) -> None:
    for number in range(len(NODES)):
        os.kill(cluster.nodes[number].pid, signal.SIGKILL)
        cluster.nodes[number].wait()
        for attempt in range(3):
            ftp = cluster.enter("127.0.0.28")
            assert ftp.storbinary(f"STOR down-{number}-{attempt}.csv", io.BytesIO(FILE)).startswith("226 ")
            ftp.quit()
        cluster.restart(number)
        # The balancer lets it have clients again.
        eventually(lambda number=number: _serves(cluster, number), bool)


def _serves(cluster: Cluster, number: int) -> bool:
    ftp = cluster.enter("127.0.0.29")
    _, port = ftp.makepasv()
    ftp.quit()
    return port in range(*_ends(cluster, number))
