"""The parts of one process, and what each of them is given of the others."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

from alp_daemon.channels.ftp import FtpServer
from alp_daemon.channels.watch import DropWatcher
from alp_daemon.channels.web import WebServer
from alp_daemon.channels.web.site import Site
from alp_daemon.daemon.dispatcher import Dispatcher
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.operations.nodes import Presence
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, open_store

# A loop that has not gone round for this long does not go on.
STALLED_SECONDS = 60.0
# A daemon has a dozen threads with a connection each, and none of them works a list.
_CACHE_MIB = 1
# Programs that send files or messages hang up after a minute (curl does), and never learn then what was the matter.
_BUSY_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs in this process; None where its role does not include it."""

    settings: Settings
    store: Store
    registry: Registry
    intake: Intake
    access: Access
    presence: Presence | None
    dispatcher: Dispatcher | None
    ftp: FtpServer | None
    drop: DropWatcher | None
    web: WebServer | None
    to_follow_up: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Customers whose files have changed, until everything is done that follows from it; the next one first."""

    @property
    def ports(self) -> dict[str, int]:
        listening = {"ftp": self.ftp, "web": self.web}
        return {name: part.port for name, part in listening.items() if part is not None}

    @property
    def all_go_on(self) -> bool:
        """Whether no loop stands still that a new start would help. The scan of the drop folders is none of them: it
        waits for a folder that does not answer, it would do so again, and all else is served meanwhile."""
        loops = (self.ftp, self.dispatcher, self.web)
        return not any(_stalled(part) for part in loops if part is not None)

    def ring(self) -> None:
        """Something may be due."""
        if self.dispatcher:
            self.dispatcher.bell()


def assemble(settings: Settings, role: str) -> Parts:
    """Opens the database and makes the parts of a role; nothing of them runs yet."""
    store = open_store(settings.database_address, cache_mib=_CACHE_MIB, busy_seconds=_BUSY_SECONDS)
    # An SQLite file has one node.
    presence = Presence(store, settings, role) if settings.database_path is None else None
    registry = Registry(settings.customers_path, settings.messages.in_force())
    dispatcher = Dispatcher(store, settings, registry) if role in ("all", "worker") else None
    intake = Intake(store, settings, registry, on_due=dispatcher.bell if dispatcher else lambda: None)
    access = Access(store, settings.lockout)
    ftp = FtpServer(settings, access, intake, registry) if role in ("all", "ftp") else None
    drop = DropWatcher(settings, registry, intake) if role in ("all", "ftp") else None
    web = None
    if role in ("all", "web"):
        # /readyz asks the parts that run in this process.
        asked = {"ftp": ftp, "drop": drop, "worker": dispatcher}
        checks = {name: partial(_stalled, part) for name, part in asked.items() if part is not None}
        web = WebServer(Site(store, settings, access, intake, registry, checks))
    return Parts(settings, store, registry, intake, access, presence, dispatcher, ftp, drop, web)


def _stalled(part: FtpServer | DropWatcher | Dispatcher | WebServer) -> str | None:
    """What is wrong with a part whose loop has not gone round for long, or None."""
    return "does not go on" if time.monotonic() - part.last_turn >= STALLED_SECONDS else None
