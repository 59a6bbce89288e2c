"""Backups of a provider's database, and their return."""

from __future__ import annotations

from alp_daemon.services.safekeeping.backup import BackedUp, backup
from alp_daemon.services.safekeeping.restore import Restored, restore
from alp_daemon.services.safekeeping.verify import verify
from alp_daemon.store import copying
from alp_daemon.store.store import Store, open_store
from tests.services.provider import Provider


def back_up(provider: Provider, name: str = "backup.db", *, with_spool: bool = False) -> BackedUp:
    return backup(provider.settings, provider.folder / name, with_spool=with_spool)


def bring_back(provider: Provider, name: str = "backup.db", *, anyway: bool = False) -> Restored:
    provider.store.close()
    done = restore(provider.settings, provider.folder / name, provider.tick(), anyway=anyway)
    provider.store = open_store(provider.settings.database_address)
    return done


def contents(store: Store) -> dict[str, copying.Content]:
    """Rows and digest of every table: lists, events, credentials, reports…"""
    with store.read() as transaction:
        return {table: copying.content(transaction, table) for table in copying.TABLES}


def faults(provider: Provider) -> list[str]:
    return [fault for each in verify(provider.store) for fault in each.faults]
