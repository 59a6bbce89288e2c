"""Addresses and the networks that the settings name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def networks(texts: Iterable[str]) -> Networks:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def plain(ip: str) -> str:
    """An address in its one way of writing: of IPv4 as such, also where a dual-stack socket shows it as IPv6."""
    return str(_address(ip))


def is_in(ip: str, allowed: Networks) -> bool:
    address = _address(ip)
    return any(address in network for network in allowed)


def _address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(ip)
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
