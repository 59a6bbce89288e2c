"""The PROXY header: how a TCP balancer says whose connection it passes on.

https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt, whose sections the comments name. Version 1 is a line of
text, version 2 is binary. What follows the header belongs to the client, so no byte too many may be read.
"""

from __future__ import annotations

import ipaddress
from struct import Struct

from alp_daemon.domain.networks import plain

MAX_V1 = 107
"""The longest line, with its CRLF (2.1)."""
MAX_V2 = 536
"""What surely comes in one TCP segment, which a sender must keep to (2)."""

_V1 = b"PROXY "
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_HEAD = Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21
# Protocol and the bytes of its two addresses and two ports (2.2); "unspecified" has none that we could use.
_UNSPECIFIED = 0x00
_TCP = {0x11: 4, 0x21: 16}
_IP_VERSIONS = {"TCP4": 4, "TCP6": 6}


class BadHeader(ValueError):
    """No PROXY header begins, or goes on, like this. The message quotes none of it."""


def missing(header: bytes) -> int:
    """How many more bytes are the header's for certain; 0 when it is whole. Raises ``BadHeader``."""
    if header.startswith(_SIGNATURE):
        return _missing_v2(header)
    if len(header) >= len(_SIGNATURE) and header.startswith(_V1):
        return _missing_v1(header)
    if _SIGNATURE.startswith(header) or header.startswith(_V1[: len(header)]):
        return len(_SIGNATURE) - len(header)
    raise BadHeader("no PROXY header")


def client(header: bytes) -> str | None:
    """The client's address as a whole header says it; None where the balancer speaks for itself. Raises ``BadHeader``.

    It does so in health checks (2.2, LOCAL), and where it cannot tell (2.1, UNKNOWN).
    """
    try:
        return _client_v2(header) if header.startswith(_SIGNATURE) else _client_v1(header)
    except BadHeader:
        raise
    except ValueError:
        raise BadHeader("a PROXY header with no address in it") from None


def _missing_v1(header: bytes) -> int:
    if header.endswith(b"\r\n"):
        return 0
    if len(header) >= MAX_V1 or b"\n" in header:
        raise BadHeader("a PROXY header without its end")
    return 1


def _missing_v2(header: bytes) -> int:
    if len(header) < _HEAD.size:
        return _HEAD.size - len(header)
    length = _HEAD.size + int(_HEAD.unpack_from(header)[3])
    if length > MAX_V2:
        raise BadHeader(f"a PROXY header of more than {MAX_V2} bytes")
    return length - len(header)


def _client_v1(header: bytes) -> str | None:
    _proxy, protocol, *rest = header.removesuffix(b"\r\n").decode("ascii").split(" ")
    if protocol == "UNKNOWN":
        return None
    source, _target, source_port, _target_port = rest
    address = ipaddress.ip_address(source)
    if address.version != _IP_VERSIONS.get(protocol, 0) or not 0 <= int(source_port) <= 65535:
        raise BadHeader("a PROXY header of no TCP connection")
    return plain(source)


def _client_v2(header: bytes) -> str | None:
    _signature, command, protocol, _length = _HEAD.unpack_from(header)
    if command == _LOCAL:
        return None
    if command != _PROXY:
        raise BadHeader("a PROXY header of an unknown version or command")
    if protocol == _UNSPECIFIED:
        return None
    size = _TCP.get(protocol)
    addresses = header[_HEAD.size :]
    if size is None or len(addresses) < 2 * size + 4:
        raise BadHeader("a PROXY header of no TCP connection")
    return plain(str(ipaddress.ip_address(addresses[:size])))
