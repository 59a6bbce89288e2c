"""Who sends a request, as its beginning says: read of strangers, so it must be cheap and hold nobody up."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from alp_daemon.files.informz.sender import MOST_BEFORE, Sender, sender_of

from .requests import request

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WHO = Sender("9999", "testuser", "apasswordgoeshere")
IN_SOAP = Sender("9999", "testuser", "apasswordgoeshere", SOAP)


def envelope(inside: str, header: str = "") -> str:
    message = f"<PostInformzMessage><x>{escape(inside)}</x></PostInformzMessage>"
    return f'<s:Envelope xmlns:s="{SOAP}">{header}<s:Body>{message}</s:Body></s:Envelope>'


def test_the_beginning_is_enough() -> None:
    content = request("a@example.com\n").encode()
    beginning = content[: content.index(b"<Actions>")]
    assert sender_of(beginning) == WHO
    assert sender_of(beginning[: beginning.index(b"</User>")]) is None
    assert "apasswordgoeshere" not in repr(WHO)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_brand_may_have_any_name_in_any_encoding(encoding: str) -> None:
    """Text that says nothing of its encoding is ANSI where it is no UTF-8."""
    content = request("a@example.com\n", brand='<Brand id="9999">Café</Brand>')
    assert sender_of(content.encode(encoding)) == WHO


def test_the_beginning_may_end_within_a_character() -> None:
    content = request(data="é").replace("testuser", "Zoë").encode()
    found = sender_of(content[: content.index("é".encode()) + 1])
    assert found is not None
    assert found.user == "Zoë"


@pytest.mark.parametrize(
    "header", ["", "<s:Header><To>https://provider.example/aapi</To><Action>PostInformzMessage</Action></s:Header>"]
)
def test_an_envelope_is_opened_whatever_its_header_says(header: str) -> None:
    assert sender_of(envelope(request(), header).encode()) == IN_SOAP


def test_an_envelope_in_an_envelope_is_nobodys() -> None:
    assert sender_of(envelope(envelope(request())).encode()) is None


@pytest.mark.parametrize(
    "content",
    ["", "hello", "<!DOCTYPE x>" + request(), '<?xml version="1.0" encoding="x-none"?>' + request(), "<a>" * 300_000],
    ids=["nothing", "no XML", "a DOCTYPE", "an encoding that nobody knows", "many nodes"],
)
def test_what_says_nothing(content: str) -> None:
    assert sender_of(content.encode()) is None


@pytest.mark.parametrize(("nodes", "found"), [(200, WHO), (300, None)])
def test_brand_and_user_stand_among_the_first_nodes(nodes: int, found: Sender | None) -> None:
    """Each node costs a call. A megabyte of them took half a second, and nobody needs a password to send one."""
    content = request().replace("<Password>", "<a/>" * nodes + "<Password>")
    assert sender_of(content.encode()) == found


@pytest.mark.parametrize(("size", "found"), [(MOST_BEFORE // 2, WHO), (MOST_BEFORE, None)])
def test_and_within_so_many_bytes(size: int, found: Sender | None) -> None:
    content = request().replace("<Password>", f"<!--{'x' * size}--><Password>")
    assert sender_of(content.encode()) == found
