"""IP addresses and the networks that the settings name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def networks(texts: Iterable[str]) -> Networks:
    """Raises ``ValueError`` for what is neither an address nor a network such as ``10.0.0.0/8``."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def parsed(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Of IPv4 as such, also where a dual-stack socket shows it as IPv6 (RFC 4291, 2.5.5.2). Raises ``ValueError``."""
    address = ipaddress.ip_address(ip)
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address


def plain(ip: str) -> str:
    """An address in its one way of writing."""
    return str(parsed(ip))


def is_in(ip: str, allowed: Networks) -> bool:
    address = parsed(ip)
    return any(address in network for network in allowed)
