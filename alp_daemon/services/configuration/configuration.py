"""A customer's configuration as people look at it: each line with what is wrong in it, each feed with its approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alp_daemon.customers import SUFFIX, Customer, check_file, is_customer_file
from alp_daemon.errors import NotFound
from alp_daemon.problem import Problem
from alp_daemon.registry import CustomerStatus, Registry
from alp_daemon.services.processing.rules import Approval, approval_of, rules_for
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, Transaction
from alp_daemon.yamlfile import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, counted from 1, with the problems that begin in it."""

    number: int
    text: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed as it is configured. ``approval`` is None where its files are held; ``why_not`` says why."""

    name: str
    match: str
    mode: str
    approval: Approval | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer as far as it is known: ``customer`` is the last good version, if there was one."""

    id: str
    status: CustomerStatus
    customer: Customer | None
    feeds: tuple[FeedState, ...]

    @property
    def name(self) -> str:
        return self.customer.name if self.customer else self.id


def known_customers(store: Store, settings: Settings, registry: Registry, now: datetime) -> list[Known]:
    """All that have a file, sound or not, and those whose file has gone."""
    with store.read() as transaction:
        return [_known(transaction, registry, id_, now) for id_ in sorted(_ids(settings, registry))]


def known_customer(store: Store, settings: Settings, registry: Registry, id_: str, now: datetime) -> Known:
    """Raises ``NotFound`` for an id that no file has or had."""
    if id_ not in _ids(settings, registry):
        raise NotFound(f"there is no customer {id_[:63]!r}")
    with store.read() as transaction:
        return _known(transaction, registry, id_, now)


def lines_of(settings: Settings, known: Known) -> list[Line]:
    """The file as it is now, line by line, judged as ``check-config`` does. Empty where it is gone or unreadable."""
    path = settings.customers_path / f"{known.id}{SUFFIX}"
    problems = check_file(path, settings.messages.in_force()).problems
    texts = _texts(path)
    by_line: dict[int, list[Problem]] = {}
    for problem in problems:
        by_line.setdefault(min(problem.line, max(len(texts), 1)), []).append(problem)
    return [Line(number, text, tuple(by_line.get(number, ()))) for number, text in enumerate(texts or [""], 1)]


def _texts(path: Path) -> list[str]:
    """The lines of the file, whatever is in it: what cannot be used is what somebody has to see."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return []


def _ids(settings: Settings, registry: Registry) -> set[str]:
    try:
        names = [path.name for path in settings.customers_path.iterdir()]
    except OSError:
        names = []
    return {name.removesuffix(SUFFIX) for name in names if is_customer_file(name)} | set(registry.all())


def _known(transaction: Transaction, registry: Registry, id_: str, now: datetime) -> Known:
    customer = registry.customer(id_)
    feeds = tuple(_feed(transaction, customer, name) for name in customer.feeds) if customer else ()
    return Known(id_, registry.status(id_, now), customer, feeds)


def _feed(transaction: Transaction, customer: Customer, name: str) -> FeedState:
    feed = customer.feeds[name]
    approval = approval_of(transaction, customer.id, rules_for(customer, name))
    if isinstance(approval, str):
        return FeedState(name, feed.match, feed.mode, None, approval)
    return FeedState(name, feed.match, feed.mode, approval)
