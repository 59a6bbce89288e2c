"""Log-ins judged, counted and locked out, with the clock in the test's hand."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alp_daemon.domain.lockout import CLOCKS_APART
from alp_daemon.errors import UsageProblem
from alp_daemon.sections import LockoutSettings
from alp_daemon.services.logins.access import Access, Denied, LockedOut, Login, Unlocked, forget_old
from alp_daemon.services.logins.credentials import Credentials, Issued
from alp_daemon.store.store import Store, open_store, stamp
from tests import databases

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=1)
WINDOW = LockoutSettings().window
IP = "192.0.2.7"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(databases.of(tmp_path))


@pytest.fixture
def login(store: Store) -> Issued:
    return Credentials(store).issue("acme", "ftp", "Ann", NOW)


@pytest.fixture
def access(store: Store) -> Access:
    return Access(store, LockoutSettings())


def fail(access: Access, now: datetime, times: int = 1, ip: str = IP) -> list[object]:
    return [access.judge(ip, "acme", "wrong", now) for _ in range(times)]


def test_the_right_password_opens(access: Access, login: Issued) -> None:
    assert access.judge(IP, login.user, login.password, NOW) == Login("acme", "acme")


def test_an_unknown_user_and_a_wrong_password_look_alike(access: Access, login: Issued) -> None:
    assert access.judge(IP, login.user, "wrong", NOW) == access.judge(IP, "nobody", "wrong", NOW) == Denied()


def test_an_unknown_user_costs_the_time_of_a_known_one(access: Access, login: Issued) -> None:
    def seconds(user: str, ip: str) -> float:
        started = time.thread_time()  # the hash is all of it, and others are at work on this machine
        access.judge(ip, user, "wrong", NOW)
        return time.thread_time() - started

    # The best of several, each from an address of its own.
    known = min(seconds("acme", f"192.0.2.{n}") for n in range(8))
    unknown = min(seconds("nobody", f"198.51.100.{n}") for n in range(8))
    assert known / 2 < unknown < known * 2


def test_the_fourth_failure_locks_out_for_exactly_an_hour(access: Access, login: Issued) -> None:
    assert fail(access, NOW, 3) == [Denied()] * 3
    until = NOW + timedelta(hours=1)
    assert fail(access, NOW) == [Denied(until)]
    assert access.judge(IP, login.user, login.password, until - MOMENT) == LockedOut(until)
    assert access.judge(IP, login.user, login.password, until) == Login("acme", "acme")


def test_refused_retries_do_not_lengthen_the_hour(access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    until = NOW + timedelta(hours=1)
    for minutes in range(1, 60):
        assert fail(access, NOW + minutes * MINUTE) == [LockedOut(until)]
    assert access.locked_until(IP, until) is None


def test_a_released_address_starts_anew(access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    released = NOW + timedelta(hours=1)
    assert fail(access, released, 3) == [Denied()] * 3


def test_failures_before_a_short_lockout_do_not_count_after_it(store: Store, login: Issued) -> None:
    access = Access(store, LockoutSettings.model_validate({"block": "1m"}))
    fail(access, NOW, 4)
    assert fail(access, NOW + MINUTE, 3) == [Denied()] * 3


@pytest.mark.parametrize(("span", "locks"), [(20 * MINUTE - MOMENT, True), (20 * MINUTE, False)])
def test_the_window_slides(access: Access, login: Issued, span: timedelta, locks: bool) -> None:
    fail(access, NOW)
    fail(access, NOW + MINUTE, 2)
    fail(access, NOW + span)
    assert (access.locked_until(IP, NOW + span) is not None) is locks


def test_a_success_forgives_nothing(access: Access, login: Issued) -> None:
    fail(access, NOW, 3)
    assert isinstance(access.judge(IP, login.user, login.password, NOW), Login)
    fail(access, NOW)
    assert access.locked_until(IP, NOW) == NOW + timedelta(hours=1)


def test_failures_outside_the_window_are_forgotten(store: Store) -> None:
    with store.write() as transaction:
        for minutes in (20, 19):
            transaction.run("logins.add_failure", ip=IP, now=stamp(NOW - minutes * MINUTE))
    forget_old(store, WINDOW, NOW)
    with store.read() as transaction:
        assert [row["at"] for row in transaction.all("logins.failures", ip=IP, since="")] == [stamp(NOW - 19 * MINUTE)]


class TestAClockThatIsSetBack:
    BACK = NOW - timedelta(hours=1)

    @pytest.mark.parametrize("by", ["the daemon's round", "a failure elsewhere"])
    def test_keeps_nobody_out_for_longer(self, store: Store, access: Access, login: Issued, by: str) -> None:
        fail(access, NOW, 4)
        if by == "the daemon's round":
            forget_old(store, WINDOW, self.BACK)
        else:
            fail(access, self.BACK, ip="198.51.100.1")
        assert access.lockouts(self.BACK) == []
        for now in (self.BACK, NOW + MINUTE):
            assert isinstance(access.judge(IP, login.user, login.password, now), Login)

    def test_frees_nobody_where_it_is_a_node_that_is_a_little_behind(
        self, store: Store, access: Access, login: Issued
    ) -> None:
        fail(access, NOW, 4)
        forget_old(store, WINDOW, NOW - CLOCKS_APART)
        fail(access, NOW - CLOCKS_APART, ip="198.51.100.1")
        for now in (NOW - CLOCKS_APART, NOW + 59 * MINUTE):
            assert isinstance(access.judge(IP, login.user, login.password, now), LockedOut)

    def test_gives_no_guesses_away(self, access: Access, login: Issued) -> None:
        """What was counted before lies ahead, and was taken for the latest: no window held what came then."""
        fail(access, NOW, 3)
        assert fail(access, self.BACK, 5) == [
            *[Denied()] * 3,
            Denied(self.BACK + timedelta(hours=1)),
            LockedOut(self.BACK + timedelta(hours=1)),
        ]

    def test_nor_does_a_node_that_is_a_little_behind(self, access: Access, login: Issued) -> None:
        fail(access, NOW, 3)
        (fourth,) = fail(access, NOW - CLOCKS_APART)
        assert isinstance(fourth, Denied)
        assert fourth.until is not None


def test_addresses_are_counted_apart(access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    assert isinstance(access.judge("192.0.2.8", login.user, login.password, NOW), Login)


def test_one_ipv6_network_is_one_guesser(access: Access, login: Issued) -> None:
    for host in range(4):
        fail(access, NOW, ip=f"2001:db8:1:2::{host}")
    assert isinstance(access.judge("2001:db8:1:2:ffff::1", login.user, login.password, NOW), LockedOut)
    assert isinstance(access.judge("2001:db8:1:3::1", login.user, login.password, NOW), Login)


def test_an_ipv4_address_is_the_same_on_a_dual_stack_socket(access: Access, login: Issued) -> None:
    fail(access, NOW, 4, ip=f"::ffff:{IP}")
    assert isinstance(access.judge(IP, login.user, login.password, NOW), LockedOut)


def test_allowed_networks_are_never_locked_out(store: Store, login: Issued) -> None:
    access = Access(store, LockoutSettings.model_validate({"allow": ["192.0.2.0/24"]}))
    assert fail(access, NOW, 9) == [Denied()] * 9
    assert access.locked_until(IP, NOW) is None
    assert access.lockouts(NOW) == []


def test_exactly_four_passwords_are_judged_however_many_come_at_once(access: Access, login: Issued) -> None:
    with ThreadPoolExecutor(32) as pool:
        verdicts = list(pool.map(lambda _: access.judge(IP, "acme", "wrong", NOW), range(199)))
    assert Counter(type(v) for v in verdicts) == {Denied: 4, LockedOut: 195}
    assert [lockout.failures for lockout in access.lockouts(NOW)] == [4]


def test_exactly_four_are_judged_on_all_nodes_together(tmp_path: Path, login: Issued) -> None:
    """Three processes guess at once from one address, each as fast as it can."""
    script = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from datetime import UTC, datetime;"
        "from alp_daemon.services.logins.access import Access; from alp_daemon.sections import LockoutSettings;"
        "from alp_daemon.store.store import open_store;"
        "access = Access(open_store(sys.argv[1]), LockoutSettings()); now = datetime(2026, 11, 21, 6, tzinfo=UTC);"
        "print('ready', flush=True); sys.stdin.readline();"
        "judge = lambda _: type(access.judge('192.0.2.7', 'acme', 'wrong', now)).__name__;"
        "print(*ThreadPoolExecutor(8).map(judge, range(24)))"
    )
    database = databases.of(tmp_path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    nodes = [subprocess.Popen([sys.executable, "-c", script, database], **pipes) for _ in range(3)]
    for node in nodes:
        assert node.stdout.readline() == "ready\n"
    for node in nodes:
        node.stdin.write("go\n")
        node.stdin.flush()
    verdicts = Counter(word for node in nodes for word in node.communicate(timeout=60)[0].split())
    assert verdicts == {"Denied": 4, "LockedOut": 68}


def test_a_lockout_outlives_the_process(tmp_path: Path, access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    restarted = Access(open_store(databases.of(tmp_path)), LockoutSettings())
    assert isinstance(restarted.judge(IP, login.user, login.password, NOW), LockedOut)


def test_an_operator_sees_and_frees(access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    (lockout,) = access.lockouts(NOW)
    assert (lockout.ip, lockout.since, lockout.until, lockout.failures) == (IP, NOW, NOW + 60 * MINUTE, 4)
    assert access.unlock(IP, "Ann", NOW + MINUTE) is True
    assert access.lockouts(NOW) == []
    assert access.unlocked() == [Unlocked(lockout, NOW + MINUTE, "Ann")]
    assert fail(access, NOW, 3) == [Denied()] * 3
    assert access.unlock(IP, "Ann", NOW) is False
    assert fail(access, NOW, 3) == [Denied()] * 3, "the failures were forgotten too"


def test_who_freed_an_address_and_when_is_kept_for_years(store: Store, access: Access, login: Issued) -> None:
    for day, by in ((0, "Ann"), (1, "Bob"), (2, "")):
        now = NOW + timedelta(days=day)
        fail(access, now, 4)
        if by:
            access.unlock(IP, by, now)
    years_after = NOW + timedelta(days=3000)
    assert access.unlock(IP, "Cleo", years_after) is False, "it was over"
    forget_old(store, WINDOW, years_after)
    assert [(each.by, each.at, each.lockout.failures) for each in access.unlocked()] == [
        ("Bob", NOW + timedelta(days=1), 4),
        ("Ann", NOW, 4),
    ]


def test_what_is_over_is_not_listed(access: Access, login: Issued) -> None:
    fail(access, NOW, 4)
    assert access.lockouts(NOW + timedelta(hours=1)) == []


def test_users_are_named_after_the_customer_and_never_again(store: Store) -> None:
    credentials = Credentials(store)
    assert credentials.issue("acme-2", "ftp", "Ann", NOW).user == "acme-2"
    assert credentials.issue("acme", "ftp", "Ann", NOW).user == "acme"
    assert credentials.revoke("acme", "acme", "Ann", NOW)
    assert credentials.issue("acme", "ftp", "Ann", NOW).user == "acme-3"


def test_a_password_is_long_readable_and_kept_as_a_hash_only(store: Store) -> None:
    first, second = (Credentials(store).issue("acme", "ftp", "Ann", NOW).password for _ in range(2))
    assert first != second
    assert len(first.replace("-", "")) * 5 >= 128
    assert not set(first) & set("ilou ")
    with store.read() as transaction:
        row = transaction.one("credentials.of_user", user="acme")
    assert row is not None
    assert row["secret"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first not in row["secret"]


def test_a_revoked_log_in_is_denied_and_stays_listed(store: Store, access: Access) -> None:
    credentials = Credentials(store)
    login = credentials.issue("acme", "ftp", "Ann", NOW)
    assert credentials.revoke("acme", login.user, "Bob", NOW) is True
    assert access.judge(IP, login.user, login.password, NOW) == Denied()
    assert credentials.revoke("acme", login.user, "Cleo", NOW + MINUTE) is False
    (listed,) = credentials.list("acme")
    assert (listed.user, listed.issued_by, listed.revoked_at, listed.revoked_by) == ("acme", "Ann", NOW, "Bob")


def test_one_customer_cannot_revoke_anothers(store: Store) -> None:
    credentials = Credentials(store)
    login = credentials.issue("acme", "ftp", "Ann", NOW)
    assert credentials.revoke("other", login.user, "Ann", NOW) is False


def test_an_unknown_kind_is_refused(store: Store) -> None:
    with pytest.raises(UsageProblem, match="'fax': expected one of ftp, uploader"):
        Credentials(store).issue("acme", "fax", "Ann", NOW)


def test_what_is_no_address_cannot_be_freed(access: Access) -> None:
    with pytest.raises(UsageProblem, match="'acme' is no IP address: expected one such as"):
        access.unlock("acme", "Ann", NOW)
