"""The PROXY header, byte by byte: what is read of a connection, and whose it is then."""

from __future__ import annotations

import socket
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.channels.ftp.proxyheader import MAX_V1, MAX_V2, BadHeader, client, missing

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command: int, protocol: int, body: bytes) -> bytes:
    return SIGNATURE + pack("!BBH", command, protocol, len(body)) + body


def v2_tcp4(source: str, extra: bytes = b"") -> bytes:
    return v2(0x21, 0x11, socket.inet_aton(source) + socket.inet_aton("192.0.2.1") + pack("!HH", 40000, 21) + extra)


def v2_tcp6(source: str) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    return v2(0x21, 0x21, addresses + pack("!HH", 40000, 21))


def taken(stream: bytes) -> bytes:
    """What is read of a connection that sends this."""
    header = b""
    while wanted := missing(header):
        piece = stream[len(header) : len(header) + wanted]
        if not piece:
            return header
        header += piece
    return header


HEADERS = {
    b"PROXY TCP4 198.51.100.7 192.0.2.1 40000 21\r\n": "198.51.100.7",
    b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 21\r\n": "2001:db8::7",
    b"PROXY TCP6 ::ffff:198.51.100.7 ::1 40000 21\r\n": "198.51.100.7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ff:: ff:: 1 2\r\n": None,
    v2_tcp4("198.51.100.7"): "198.51.100.7",
    v2_tcp4("198.51.100.7", extra=b"\x04\x00\x03abc" * 80): "198.51.100.7",
    v2_tcp6("2001:db8::7"): "2001:db8::7",
    v2_tcp6("::ffff:198.51.100.7"): "198.51.100.7",
    v2(0x20, 0x00, b""): None,
    v2(0x20, 0x11, bytes(12)): None,
    v2(0x21, 0x00, b""): None,
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_says_whose_connection_it_is(header: bytes) -> None:
    assert client(header) == HEADERS[header]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("rest", [b"", b"USER acme\r\n", b"\r\n", b"\x16\x03\x01"])
def test_not_a_byte_of_the_client_is_read(header: bytes, rest: bytes) -> None:
    assert taken(header + rest) == header


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 198.51.100.7 192.0.2.1 40000\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 40000 21\r\n",
        b"PROXY TCP4 198.51.100.777 192.0.2.1 40000 21\r\n",
        b"PROXY TCP4 198.51.100.7 192.0.2.1 70000 21\r\n",
        b"PROXY TCP4 198.51.100.7 192.0.2.1 -1 21\r\n",
        b"PROXY UDP4 198.51.100.7 192.0.2.1 40000 21\r\n",
        b"PROXY \xff\xff\xff\xff\xff\xff\xff\r\n",
        v2(0x21, 0x11, bytes(11)),
        v2(0x21, 0x21, bytes(35)),
        v2(0x21, 0x12, bytes(12)),
        v2(0x21, 0x31, bytes(216)),
        v2(0x22, 0x11, bytes(12)),
        v2(0x11, 0x11, bytes(12)),
    ],
)
def test_what_names_no_client_is_refused(header: bytes) -> None:
    assert taken(header) == header
    with pytest.raises(BadHeader):
        client(header)


@pytest.mark.parametrize(
    "stream",
    [
        b"USER acme\r\nPASS secret\r\n",
        b"GET / HTTP/1.1\r\n",
        b"PROXZ TCP4 198.51.100.7 192.0.2.1 40000 21\r\n",
        b"PROXY TCP4 198.51.100.7\n 192.0.2.1 40000 21\r\n",
        b"PROXY " + b"x" * 200,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00",
        v2(0x21, 0x11, bytes(MAX_V2 - 15)),
    ],
)
def test_what_is_no_header_is_refused_before_it_is_read(stream: bytes) -> None:
    with pytest.raises(BadHeader) as refused:
        taken(stream)
    assert "secret" not in str(refused.value)


def test_the_longest_headers_are_read() -> None:
    longest = b"PROXY UNKNOWN " + b"f" * (MAX_V1 - 16) + b"\r\n"
    assert len(longest) == MAX_V1
    assert taken(longest) == longest
    longest = v2(0x20, 0, bytes(MAX_V2 - 16))
    assert len(longest) == MAX_V2
    assert taken(longest) == longest


@given(st.binary(max_size=600), st.sampled_from([b"", b"PROXY ", SIGNATURE, SIGNATURE + b"\x21\x11"]))
def test_whatever_comes_is_read_to_a_bound_or_refused(rest: bytes, beginning: bytes) -> None:
    try:
        header = taken(beginning + rest)
        assert len(header) <= MAX_V2
        if not missing(header):
            client(header)
    except BadHeader:
        return
