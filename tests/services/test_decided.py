"""What people have decided since a backup is not taken back unasked, and is named where it is."""

from __future__ import annotations

import pytest

from alp_daemon.errors import Refused
from alp_daemon.services.addresses import subscribers
from alp_daemon.services.configuration import customerfiles
from alp_daemon.services.configuration.customerfiles import Pushed
from alp_daemon.services.logins.credentials import PROVIDER, Credentials, Kind
from alp_daemon.services.processing import line_types
from alp_daemon.services.safekeeping.restore import restore
from alp_daemon.store import sqlite
from alp_daemon.store.sql import migrations
from alp_daemon.store.store import open_store
from tests.databases import sqlite_only
from tests.services.backups import back_up, bring_back
from tests.services.provider import Provider, feed

pytestmark = sqlite_only


@pytest.fixture
def credentials(acme: Provider) -> Credentials:
    """``acme`` has had its log-in since its first approval."""
    back_up(acme)
    return Credentials(acme.store)


def test_a_log_in_that_was_revoked(acme: Provider, credentials: Credentials) -> None:
    assert credentials.revoke("acme", "acme", "Ann", acme.tick())
    with pytest.raises(Refused, match=r"decided since the backup \(log-ins revoked: 1\), which would be undone"):
        bring_back(acme)
    (revoked,) = bring_back(acme, anyway=True).decided.revoked
    assert (revoked["customer"], revoked["user"]) == ("acme", "acme")
    (again,) = Credentials(acme.store).list("acme")
    assert again.revoked_at is None, "which is why it is said"


def test_a_log_in_that_was_issued(acme: Provider, credentials: Credentials) -> None:
    credentials.issue(PROVIDER, Kind.operator, "Ann", acme.tick(), name="maria")
    with pytest.raises(Refused, match=r"\(log-ins issued: 1\)"):
        bring_back(acme)
    (issued,) = bring_back(acme, anyway=True).decided.issued
    assert (issued["user"], issued["kind"]) == ("maria", "operator")


def test_a_log_in_that_was_revoked_and_issued_anew_under_its_name(acme: Provider, credentials: Credentials) -> None:
    """A brand's user keeps its name, so the name alone does not tell which of its log-ins is meant."""
    credentials.issue("acme", Kind.informz, "Ann", acme.tick(), name="9999/news")
    (acme.folder / "backup.db").unlink()
    back_up(acme)
    assert credentials.revoke("acme", "9999/news", "Ann", acme.tick())
    credentials.issue("acme", Kind.informz, "Ann", acme.tick(), name="9999/news")
    decided = bring_back(acme, anyway=True).decided
    assert [each["user"] for each in (*decided.revoked, *decided.issued)] == ["9999/news", "9999/news"]


def test_a_log_in_of_a_night_leaves_nothing_to_do(acme: Provider, credentials: Credentials) -> None:
    credentials.issue("acme", Kind.ftp, "Ann", acme.tick())
    assert credentials.revoke("acme", "acme-2", "Ann", acme.tick())
    assert not bring_back(acme).decided


@pytest.mark.usefixtures("credentials")
def test_a_feed_that_was_approved(acme: Provider) -> None:
    acme.configure({"append": feed("append", tags=[{"value": "new"}])})
    acme.approve("append")
    with pytest.raises(Refused, match=r"\(feeds approved: 1\)"):
        bring_back(acme)
    (approved,) = bring_back(acme, anyway=True).decided.approved
    assert (approved["customer"], approved["feed"]) == ("acme", "append")


@pytest.mark.usefixtures("credentials")
def test_nothing_was_decided(acme: Provider) -> None:
    assert not bring_back(acme).decided


def push(provider: Provider, by: str, **texts: str) -> Pushed:
    newest = customerfiles.newest(provider.store)
    return customerfiles.push(
        provider.store, texts, by, provider.tick(), based_on=newest.stand if newest else None, remove=True
    )


def load_line_types(provider: Provider, *rows: str) -> None:
    path = provider.folder / "types.csv"
    path.write_text("\n".join(rows))
    line_types.load(provider.store, path, may_be_empty=True)


def test_a_new_database_has_decided_nothing(acme: Provider) -> None:
    """As on a new machine, where the daemon was started once."""
    push(acme, "Ann", acme="name: Acme")
    load_line_types(acme, "+1212,mobile")
    back_up(acme)
    new = acme.settings.model_copy(update={"database": str(acme.folder / "new.db")})
    open_store(new.database_address).close()
    assert not restore(new, acme.folder / "backup.db", acme.tick(), anyway=False).decided


class TestCustomersFiles:
    def test_that_were_pushed(self, acme: Provider) -> None:
        push(acme, "Ann", acme="name: Acme")
        back_up(acme)
        push(acme, "Ben", acme="name: Acme Water")
        push(acme, "Maria", acme="name: Acme Water", bolt="name: Bolt")
        with pytest.raises(Refused, match=r"\(versions of the customers' files pushed: 2\)"):
            bring_back(acme)
        pushed = bring_back(acme, anyway=True).decided.pushed
        assert [(each["version"], each["pushed_by"]) for each in pushed] == [(3, "Maria"), (2, "Ben")]

    def test_that_went_back_to_what_they_were(self, acme: Provider) -> None:
        push(acme, "Ann", acme="name: Acme")
        back_up(acme)
        push(acme, "Ben", acme="name: Acme Water")
        push(acme, "Maria", acme="name: Acme")
        assert not bring_back(acme).decided

    def test_of_a_backup_that_is_newer(self, acme: Provider) -> None:
        push(acme, "Ann", acme="name: Acme")
        back_up(acme, "old.db")
        push(acme, "Ben", acme="name: Acme Water")
        back_up(acme, "new.db")
        bring_back(acme, "old.db", anyway=True)
        assert not bring_back(acme, "new.db").decided

    def test_that_nobody_could_push_in_an_earlier_release(
        self, acme: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        back_up(acme)
        before = acme.settings.model_copy(update={"database": str(acme.folder / "early.db")})
        with monkeypatch.context() as earlier:
            earlier.setattr(sqlite, "migrations", lambda dialect: migrations(dialect)[:6])
            open_store(before.database_address).close()
        assert not restore(before, acme.folder / "backup.db", acme.tick(), anyway=False).decided


class TestLineTypes:
    def test_that_were_loaded(self, acme: Provider) -> None:
        load_line_types(acme, "+1212,mobile")
        back_up(acme)
        load_line_types(acme, "+1212,mobile", "+1646,landline")
        with pytest.raises(Refused, match=r"\(line types loaded: 2\)"):
            bring_back(acme)
        assert bring_back(acme, anyway=True).decided.line_types == 2

    def test_that_were_loaded_again_as_they_were(self, acme: Provider) -> None:
        load_line_types(acme, "+1212,mobile", "+1646,landline")
        back_up(acme)
        load_line_types(acme, "+1646,landline", "+1212,mobile")
        assert not bring_back(acme).decided

    def test_that_only_the_backup_has(self, acme: Provider) -> None:
        """As on a new machine, where the daemon was started before."""
        load_line_types(acme, "+1212,mobile")
        back_up(acme)
        load_line_types(acme)
        assert not bring_back(acme).decided


class TestInterests:
    def test_that_were_made(self, acme: Provider) -> None:
        subscribers.add_interest(acme.store, acme.customer, "News", "Ann", acme.tick())
        back_up(acme)
        subscribers.add_interest(acme.store, acme.customer, "News", "Ben", acme.tick())
        subscribers.add_interest(acme.store, acme.customer, "Offers", "Ben", acme.tick())
        with pytest.raises(Refused, match=r"\(interests made: 1\)"):
            bring_back(acme)
        (made,) = bring_back(acme, anyway=True).decided.interests
        assert (made["customer"], made["interest"], made["created_by"]) == ("acme", "Offers", "Ben")

    def test_that_the_backup_has_too(self, acme: Provider) -> None:
        subscribers.add_interest(acme.store, acme.customer, "News", "Ann", acme.tick())
        back_up(acme)
        assert not bring_back(acme).decided


def test_several_kinds_are_one_refusal(acme: Provider) -> None:
    back_up(acme)
    Credentials(acme.store).issue(PROVIDER, Kind.operator, "Ann", acme.tick(), name="maria")
    load_line_types(acme, "+1212,mobile")
    with pytest.raises(Refused, match=r"\(log-ins issued: 1, line types loaded: 1\)"):
        bring_back(acme)
