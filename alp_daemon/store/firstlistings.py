"""Which addresses each upload was the first of its feed to list, for its undo: a feed's bit has no event.

An address that came onto the list by the upload is not among them, since its event says so. Most uploads therefore
keep nothing; the first file of a second feed keeps two to four bytes for each address that both have.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

import numpy as np

from alp_daemon.domain.model import Keys, Status
from alp_daemon.domain.plan import Plan
from alp_daemon.store.transaction import Transaction

# The lowest key, and in how many bytes each step to the next one follows: compressing would take many times as long.
_HEAD = Struct("<qB")
_WIDTHS = (1, 2, 4, 8)


def keep(transaction: Transaction, list_id: int, upload: int, plan: Plan) -> None:
    """Writes down the addresses that were on the list already, and gain the feed's bit by this plan."""
    gained = plan.before.status != Status.absent
    if gained.any():  # for none of a first load
        gained &= (plan.after.feeds & ~plan.before.feeds) != 0
    if gained.any():
        transaction.run("first_listings.add", list=list_id, upload=upload, keys=_packed(plan.after.keys[gained]))


def add(transaction: Transaction, list_id: int, upload: int, keys: Keys) -> None:
    """Writes down further addresses: the upload is now the first of its feed to list them."""
    together = np.union1d(of_upload(transaction, list_id, upload), keys)
    if len(together):
        forget(transaction, list_id, upload)
        transaction.run("first_listings.add", list=list_id, upload=upload, keys=_packed(together))


def of_upload(transaction: Transaction, list_id: int, upload: int) -> Keys:
    """Sorted; none where nothing was kept, as with uploads from before there was such a record."""
    row = transaction.one("first_listings.get", list=list_id, upload=upload)
    return _unpacked(row["keys"]) if row else np.empty(0, np.int64)


def of_list(transaction: Transaction, list_id: int) -> Iterator[tuple[int, Keys]]:
    """Uploads and what was kept of each."""
    for row in transaction.all("verify.first_listings", list=list_id):
        yield row["upload"], _unpacked(row["keys"])


def forget(transaction: Transaction, list_id: int, upload: int) -> None:
    """The upload was undone: it has listed nobody."""
    transaction.run("first_listings.forget", list=list_id, upload=upload)


def _packed(keys: Keys) -> bytes:
    steps = np.diff(keys)
    furthest = int(steps.max(initial=0))
    width = next(width for width in _WIDTHS if furthest < 256**width)
    return _HEAD.pack(int(keys[0]), width) + steps.astype(f"<u{width}").tobytes()


def _unpacked(data: bytes) -> Keys:
    first, width = _HEAD.unpack_from(data)
    steps = np.frombuffer(data, f"<u{width}", offset=_HEAD.size).astype(np.int64)
    return np.cumsum(np.concatenate(([first], steps)), dtype=np.int64)
