"""What a newer release makes of the data of an older one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alp_daemon.services.logins.credentials import Credential, Credentials
from alp_daemon.store import postgres, sql, sqlite
from alp_daemon.store.store import migrate, moment, open_store
from tests.databases import server

NOW = "2026-11-21T06:00:0{}.000000Z"
UPLOAD = (
    "INSERT INTO uploads (id, customer, feed, name, channel, actor, received_at, arrived_at, size, object, state,"
    " finished_at) VALUES ({id}, 'acme', 'members', 'm.csv', 'ftp', 'acme', '', '', 1, '{id}', '{state}', '{at}')"
)

LOG_IN = (
    'INSERT INTO credentials (customer, id, kind, "user", secret, issued_at, issued_by, revoked_at)'
    " VALUES ('acme', {id}, 'ftp', '{user}', 'secret {id}', '2026-11-20T06:00:00.000000Z', 'Ann', {revoked})"
)


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as it was before undos knew the order of the uploads."""
    address = str(tmp_path / "alp.db") if request.param == "sqlite" else server().new(like="template1")
    earlier = [each for each in sql.migrations(request.param) if each[0] < "0009"]
    with monkeypatch.context() as patched:
        for module in (sqlite, postgres):
            patched.setattr(module, "migrations", lambda _: earlier)
        migrate(address)
        store = open_store(address)
        with store.write() as transaction:
            for id_, state, second in ((1, "applied", 3), (2, "rejected", 4), (3, "applied", 1), (4, "applied", 3)):
                transaction._connection.execute(UPLOAD.format(id=id_, state=state, at=NOW.format(second)))
            for id_, user, revoked in ((1, "acme", f"'{NOW.format(5)}'"), (2, "acme-2", "NULL")):
                transaction._connection.execute(LOG_IN.format(id=id_, user=user, revoked=revoked))
            for key, status in ((5, 0), (6, 1)):
                transaction._connection.execute(
                    f"INSERT INTO addresses (list, key, status, tag_set, feeds) VALUES (1, {key}, {status}, 0, 3)"
                )
        store.close()
    return address


def test_uploads_have_the_order_in_which_they_were_applied(address: str) -> None:
    migrate(address)
    store = open_store(address)
    with store.read() as transaction:
        order = {id_: transaction.one("uploads.get", id=id_)["applied_order"] for id_ in (1, 2, 3, 4)}
        later = transaction.one("uploads.later_applied", customer="acme", feed="members", id=3)
    store.close()
    assert order == {3: 1, 1: 2, 4: 3, 2: None}
    assert later["id"] == 1


def test_nobody_lists_what_an_undo_took_off(address: str) -> None:
    migrate(address)
    store = open_store(address)
    with store.read() as transaction:
        state = transaction.read_addresses(1, 0)
    store.close()
    assert (state.keys.tolist(), state.feeds.tolist()) == ([5, 6], [0, 3])


def test_log_ins_stay_as_they_are_and_who_revoked_one_is_not_known(address: str) -> None:
    migrate(address)
    store = open_store(address)
    found = Credentials(store).list("acme")
    with store.read() as transaction:
        live = transaction.one("credentials.of_user", user="acme-2")
        assert transaction.one("credentials.of_user", user="acme") is None
    store.close()
    issued = datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert found == [
        Credential("acme", "ftp", "acme", issued, "Ann", moment(NOW.format(5)), None),
        Credential("acme", "ftp", "acme-2", issued, "Ann", None, None),
    ]
    assert live["secret"] == "secret 2"
