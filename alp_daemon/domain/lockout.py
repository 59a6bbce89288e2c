"""When failed log-ins shut an address out, and for how long.

The promise to customers: "If there are four (4) failed attempts at logging into the FTP site within a 20-minute
period your IP address will be blocked for one hour. It will automatically release after the hour expires."
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from alp_daemon.domain.networks import parsed


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """``failures`` failed log-ins less than ``window`` apart block an address for ``block``."""

    failures: int = 4
    window: timedelta = timedelta(minutes=20)
    block: timedelta = timedelta(hours=1)


CLOCKS_APART = timedelta(minutes=2)
"""The clocks of nodes may differ by so much (a dead node's lease lasts as long).

What was written farther ahead of the clock than this was written before the clock was set back: nobody can say when
that was, so it counts no more. Else a lockout could last as long as the clock had been wrong.
"""


def blocked_until(failures: Sequence[datetime], limits: LockoutLimits) -> datetime | None:
    """The end of the lockout that the last of these failures causes, or ``None`` if it causes none.

    The window slides and is open at its far end: a failure exactly ``window`` ago no longer counts. The address is
    blocked while ``now < end``. Who records the failures forgets them with the lockout, so that a released address
    starts anew.
    """
    last = max(failures)
    counted = [at for at in failures if at > last - limits.window]
    return last + limits.block if len(counted) >= limits.failures else None


@lru_cache(maxsize=4096)
def normalise(ip: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address.

    A single subscriber is given a /64 at least (RFC 6177), so that its 2**64 addresses are one guesser. A network as
    ``normalise`` writes it is accepted too: people copy it from the list of lockouts. Raises ``ValueError``.
    """
    if "/" in ip:
        return str(ipaddress.ip_network(ip))
    address = parsed(ip)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
