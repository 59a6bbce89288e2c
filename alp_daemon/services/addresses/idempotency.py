"""A call made again under the same key (its sender did not get the answer) is answered again and done once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alp_daemon.errors import UsageProblem
from alp_daemon.store.store import Store, Transaction, stamp

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Once:
    """The caller's key, and the SHA-256 of what it asks."""

    key: str
    request: bytes


def answered(transaction: Transaction, customer: str, once: Once, now: datetime) -> Any:
    """What the call was answered before; None if it is new.

    Raises ``UsageProblem`` where the key was used for another call. Ask, and ``keep`` the answer, in the write
    transaction that does what is asked: two calls at once then cannot both be new.
    """
    transaction.lock("call", customer, once.key)
    row = transaction.one("answers.get", customer=customer, key=once.key, since=stamp(now - KEPT))
    if row is None:
        return None
    if row["request"] != once.request:
        raise UsageProblem("this Idempotency-Key was used for another call: take a new key for each new call")
    return json.loads(row["answer"])


def keep(transaction: Transaction, customer: str, once: Once, answer: Any, now: datetime) -> None:
    text = json.dumps(answer, ensure_ascii=False)
    transaction.run("answers.put", customer=customer, key=once.key, request=once.request, answer=text, now=stamp(now))


def forget_old(store: Store, now: datetime) -> None:
    with store.write() as transaction:
        transaction.run("answers.prune", before=stamp(now - KEPT))
