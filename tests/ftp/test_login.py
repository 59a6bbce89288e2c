"""The door: what it lets in, what it says, and when it shuts."""

from __future__ import annotations

import ftplib
import select
import socket
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from alp_daemon.channels.ftp.hardened import HardenedHandler
from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire

HERE = "127.0.0.1"


def guess(site: Site) -> str:
    """The reply to a wrong password on a connection of its own."""
    wire = Wire(site, greeted=False)
    reply = wire.reply()
    if reply.startswith("220"):
        reply = wire.ask("USER acme", "PASS wrong")
    wire.close()
    return reply


def lock_out(site: Site) -> None:
    assert [guess(site)[:3] for _ in range(4)] == ["530"] * 4


def lockout_failures(site: Site) -> list[int]:
    with site.store.read() as transaction:
        rows = transaction.all("lockouts.active", now="")
    return [row["failures"] for row in rows]


def test_unknown_user_and_wrong_password_get_one_reply(site: Site) -> None:
    wire = Wire(site)
    assert wire.ask("USER nobody", "PASS x") == wire.ask("USER acme", "PASS x")


def test_commands_before_the_log_in_are_refused(site: Site) -> None:
    wire = Wire(site)
    for command in ("STOR a.csv", "LIST", "PASV", "RNFR a.csv", "SIZE a.csv", "STAT /"):
        assert wire.ask(command).startswith("530 "), command
    assert wire.ask("PASS x").startswith("503 ")


def test_commands_sent_behind_the_password_wait_for_the_verdict(site: Site) -> None:
    wire = Wire(site)
    wire.send(f"USER {site.login.user}", f"PASS {site.login.password}", "PWD", "TYPE I")
    assert [wire.reply()[:3] for _ in range(4)] == ["331", "230", "257", "200"]


def test_the_fifth_attempt_is_refused_even_with_the_right_password(site: Site) -> None:
    site.enter().quit()
    wire = Wire(site)
    replies = [wire.ask("USER acme", "PASS wrong") for _ in range(4)]
    assert replies[:3] == ["530 Log-in refused: unknown user or wrong password."] * 3
    assert replies[3].startswith(f"{replies[0]} Too many failed log-ins: your address is blocked until ")
    reply = wire.ask("USER acme", f"PASS {site.login.password}")
    assert reply.startswith("421 Too many failed log-ins: your address is blocked until ")
    assert wire.reply() == ""


def test_a_locked_out_address_is_told_at_once_until_when(site: Site) -> None:
    before = datetime.now(UTC)
    lock_out(site)
    reply = Wire(site, greeted=False).reply()
    *_, day, time, _utc = reply.split()
    until = datetime.fromisoformat(f"{day}T{time}Z")
    assert before + timedelta(hours=1) <= until <= datetime.now(UTC) + timedelta(hours=1, seconds=1)
    with pytest.raises(ftplib.error_temp, match="421"):
        site.connect()


def test_a_freed_address_is_let_in_at_once(site: Site) -> None:
    lock_out(site)
    assert site.access.unlock(HERE, "Ann", datetime.now(UTC))
    site.enter().quit()


def test_the_lockout_ends_by_itself(make_site: SiteMaker) -> None:
    site = make_site(lockout={"block": "1s"})
    lock_out(site)
    assert guess(site).startswith("421 ")
    threading.Event().wait(1.1)
    site.enter().quit()


def test_a_transfer_of_a_locked_out_address_finishes(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    with wire.passive() as connection:
        assert wire.ask("STOR a.csv").startswith(("125", "150"))
        connection.sendall(b"Phone\n")
        lock_out(site)
        connection.sendall(b"2125550123\n")
    assert wire.reply().startswith("226 ")
    assert wire.ask("NOOP").startswith("200 ")


def test_parallel_guesses_are_judged_four_times(make_site: SiteMaker) -> None:
    site = make_site(max_connections_per_ip=300)
    parallel = 199
    wires = [Wire(site) for _ in range(parallel)]
    for wire in wires:
        wire.send("USER acme", "PASS wrong")
    replies: Counter[str] = Counter()
    for wire in wires:
        assert wire.reply().startswith("331 ")
        replies[wire.reply()[:3]] += 1
    assert replies == {"530": 4, "421": parallel - 4}
    assert lockout_failures(site) == [4]


def test_pipelined_guesses_are_judged_four_times(site: Site) -> None:
    wire = Wire(site)
    wire.send(*["USER acme", "PASS wrong"] * 90)
    replies = []
    while reply := wire.reply():
        replies.append(reply[:3])
    assert Counter(replies) == {"331": 5, "530": 4, "421": 1}
    assert lockout_failures(site) == [4]


def test_a_guesser_who_hangs_up_at_once_is_counted(site: Site) -> None:
    for _ in range(4):
        wire = Wire(site)
        wire.send("USER acme", "PASS wrong")
        wire.close()
    eventually(lambda: lockout_failures(site), lambda found: found == [4])


def test_no_password_is_logged(site: Site) -> None:
    with capture_logs() as lines:
        site.enter().quit()
        Wire(site).ask("USER acme", "PASS my-mistyped-secret")
    assert {line["event"] for line in lines} >= {"ftp_login", "ftp_login_failed"}
    assert site.login.password not in str(lines)
    assert "my-mistyped-secret" not in str(lines)


def test_without_its_configuration_a_customer_stays_outside_and_uncounted(site: Site) -> None:
    (site.settings.customers_dir / "acme.yaml").unlink()
    site.registry.reload(datetime.now(UTC) - timedelta(minutes=1))
    site.registry.reload(datetime.now(UTC))
    for _ in range(6):
        wire = Wire(site)
        reply = wire.ask(f"USER {site.login.user}", f"PASS {site.login.password}")
        assert reply.startswith("530 This account is not configured")
    assert lockout_failures(site) == []


def test_without_its_folder_a_customer_is_told_to_try_again(site: Site) -> None:
    site.settings.drop_dir.mkdir(parents=True, exist_ok=True)
    obstacle = site.settings.drop_dir / "acme"
    obstacle.write_text("a file")
    wire = Wire(site)
    said = wire.ask(f"USER {site.login.user}", f"PASS {site.login.password}")
    assert said == "451 Your folder is not available just now; try again."
    obstacle.unlink()
    site.enter().quit()


def test_who_does_not_log_in_is_sent_away(make_site: SiteMaker) -> None:
    site = make_site(login_seconds=0.3)
    staying, idle = Wire(site), Wire(site)
    staying.log_in(site)
    assert idle.reply() == "421 No log-in within 0 seconds."
    assert idle.reply() == ""
    assert staying.ask("NOOP").startswith("200 ")


def test_connections_are_limited(make_site: SiteMaker) -> None:
    site = make_site(max_connections=3, max_connections_per_ip=2)
    first, _second = Wire(site), Wire(site)
    assert Wire(site, greeted=False).reply().startswith("421 Too many connections from the same")
    first.ask("QUIT")
    assert first.reply() == ""
    assert Wire(site, greeted=False).reply().startswith("220 ")


def test_an_idle_session_is_sent_away_and_a_busy_one_is_not(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HardenedHandler, "timeout", 2.0)
    site = make_site()
    idle, busy = Wire(site), Wire(site)
    idle.log_in(site)
    busy.log_in(site)
    ends_at = time.monotonic() + 20
    while time.monotonic() < ends_at:
        assert busy.ask("NOOP").startswith("200 ")
        if select.select([idle.socket], [], [], 0.1)[0]:
            break
    assert idle.reply() == "421 Control connection timed out."
    assert idle.reply() == ""
    assert busy.ask("NOOP").startswith("200 ")


def test_connections_are_limited_in_all(make_site: SiteMaker) -> None:
    site = make_site(max_connections=2)
    first, _second = Wire(site), Wire(site)
    # It may be closed before it has been told: nothing waits for who is too many.
    assert Wire(site, greeted=False).reply()[:3] in ("421", "")
    first.ask("QUIT")
    assert first.reply() == ""
    assert Wire(site, greeted=False).reply().startswith("220 ")


def test_a_session_at_the_limit_still_has_its_data_connection(make_site: SiteMaker) -> None:
    site = make_site(max_connections=1, max_connections_per_ip=1)
    wire = Wire(site)
    wire.log_in(site)
    assert wire.store("a.csv", b"Phone\n").startswith("226 ")


def test_ipv6_is_locked_out_by_network(make_site: SiteMaker) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    site = make_site(host="::1")
    connect = lambda: socket.create_connection(("::1", site.server.port), 20).makefile("rwb")  # noqa: E731
    for _ in range(4):
        with connect() as wire:
            wire.readline()
            wire.write(b"USER acme\r\nPASS wrong\r\n")
            wire.flush()
            assert [wire.readline()[:3] for _ in range(2)] == [b"331", b"530"]
    with connect() as wire:
        assert wire.readline().startswith(b"421 ")
    assert site.access.lockouts(datetime.now(UTC))[0].ip == "::/64"
