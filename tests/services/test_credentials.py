"""Log-ins of every kind: whose they are, what they are called, and what is kept of them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alp_daemon.errors import UsageProblem
from alp_daemon.sections import LockoutSettings
from alp_daemon.services.logins.access import Access, Denied, Login
from alp_daemon.services.logins.credentials import PROVIDER, Bearer, Credentials, Kind
from alp_daemon.store.store import Store, open_store
from tests import databases

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
TOKENS = [kind for kind in Kind if kind.is_token]
PASSWORDS = [kind for kind in Kind if not kind.is_token]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(databases.of(tmp_path))


@pytest.fixture
def credentials(store: Store) -> Credentials:
    return Credentials(store)


def whose(kind: Kind) -> tuple[str, str]:
    names = {Kind.operator: "maria", Kind.informz: "9999/ann"}
    return ("acme" if kind.is_of_customer else PROVIDER), names.get(kind, "")


def test_users_are_named_after_what_they_are_for(credentials: Credentials) -> None:
    names = {}
    for kind in set(Kind) - {Kind.informz}:
        customer, name = whose(kind)
        names[kind.value] = [credentials.issue(customer, kind, "Ann", NOW, name=name).user for _ in range(2)]
    assert names == {
        "ftp": ["acme", "acme-2"],
        "uploader": ["acme-uploader", "acme-uploader-2"],
        "admin": ["acme-admin", "acme-admin-2"],
        "api": ["acme-api", "acme-api-2"],
        "operator": ["maria", "maria-2"],
        "gateway": ["gateway", "gateway-2"],
    }


def test_a_brands_user_keeps_its_name_which_nobody_else_can_have(credentials: Credentials) -> None:
    """What requests call it is its name, so that another one would open nothing."""

    def issue(customer: str, name: str = "9999/ann") -> str:
        return credentials.issue(customer, Kind.informz, "Ann", NOW, name=name).user

    assert issue("acme") == "9999/ann"
    for customer in ("acme", "beta"):
        with pytest.raises(UsageProblem, match="there is a log-in 9999/ann already: revoke it first"):
            issue(customer)
    revoked_at = NOW + timedelta(days=100)
    assert credentials.revoke("acme", "9999/ann", "Bob", revoked_at)
    with pytest.raises(UsageProblem, match="an id that no other customer's has"):
        issue("beta")
    assert issue("acme") == "9999/ann"
    told = [(each.user, each.revoked_at, each.revoked_by) for each in credentials.list("acme")]
    assert told == [("9999/ann", revoked_at, "Bob"), ("9999/ann", None, None)], "who took it away stays known"
    with pytest.raises(UsageProblem, match="expected the name of one of the brand's users"):
        issue("acme", name="")


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_long_kept_as_its_hash_and_known_until_revoked(
    credentials: Credentials, store: Store, kind: Kind
) -> None:
    customer, _ = whose(kind)
    issued = credentials.issue(customer, kind, "Ann", NOW)
    assert issued.password.startswith("alp_")
    assert len(issued.password.removeprefix("alp_")) * 5 >= 128
    with store.read() as transaction:
        row = transaction.one("credentials.of_user", user=issued.user)
    assert row is not None
    assert row["secret"] == hashlib.sha256(issued.password.encode()).hexdigest()

    assert credentials.of_token(issued.password) == Bearer(issued.user, customer, kind)
    assert credentials.of_token(row["secret"]) is None
    assert credentials.revoke(customer, issued.user, "Ann", NOW)
    assert credentials.of_token(issued.password) is None


@pytest.mark.parametrize("kind", PASSWORDS)
def test_a_password_opens_its_own_kind_only(store: Store, credentials: Credentials, kind: Kind) -> None:
    customer, name = whose(kind)
    issued = credentials.issue(customer, kind, "Ann", NOW, name=name)
    access = Access(store, LockoutSettings(failures=99))
    for other in Kind:
        verdict = access.judge("192.0.2.1", issued.user, issued.password, NOW, (other,))
        assert verdict == (Login(issued.user, customer, kind) if other is kind else Denied())


@pytest.mark.parametrize("kind", PASSWORDS)
def test_a_password_is_no_token(credentials: Credentials, kind: Kind) -> None:
    customer, name = whose(kind)
    assert credentials.of_token(credentials.issue(customer, kind, "Ann", NOW, name=name).password) is None


def test_provider_and_customers_have_lists_of_their_own(credentials: Credentials) -> None:
    credentials.issue(PROVIDER, Kind.operator, "Ann", NOW, name="maria")
    credentials.issue("acme", Kind.api, "Ann", NOW)
    assert [each.user for each in credentials.list(PROVIDER)] == ["maria"]
    assert [each.user for each in credentials.list("acme")] == ["acme-api"]
    assert credentials.revoke("acme", "maria", "Ann", NOW) is False


@pytest.mark.parametrize("name", ["", "Maria", "a b", "-a", "x" * 64, "maria\n"])
def test_an_operator_has_a_name_that_can_be_typed(credentials: Credentials, name: str) -> None:
    with pytest.raises(UsageProblem, match="expected a name of small letters, digits"):
        credentials.issue(PROVIDER, Kind.operator, "Ann", NOW, name=name)


@pytest.mark.parametrize(("customer", "kind"), [("acme", Kind.gateway), ("acme", Kind.operator), (PROVIDER, Kind.api)])
def test_each_kind_is_a_customers_or_the_providers(credentials: Credentials, customer: str, kind: Kind) -> None:
    with pytest.raises(UsageProblem, match=rf"credentials for {kind}: expected (a|no) customer"):
        credentials.issue(customer, kind, "Ann", NOW, name="maria")
