"""The operation PostInformzMessage carries the same request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz import document
from alp_daemon.files.informz.request import read_bulk_upload
from alp_daemon.files.informz.root import is_bulk_upload, is_envelope
from alp_daemon.files.informz.soap import SOAP_1_1, SOAP_1_2, unwrap

from .requests import NAMESPACE, cdata, field, request, write

REQUEST = request("a@example.com,Zoë ]]> &amp;\nb@example.com,\n", field("Name", 2))

LAUGHS = (
    '<!DOCTYPE ActionRequest [<!ENTITY l0 "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + '<!ATTLIST ActionRequest a CDATA "&l9;">]>'
)


def envelope(message: str, *, namespace: str = SOAP_1_1, header: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="{namespace}">{header}<s:Body>'
        f'<PostInformzMessage xmlns="{NAMESPACE}">\n<x>{message}</x>\n</PostInformzMessage></s:Body></s:Envelope>'
    )


def unwrapped(folder: Path, content: str) -> bytes:
    source = write(folder, content)
    with (folder / "request.xml").open("wb") as target:
        unwrap(source, target)
    return (folder / "request.xml").read_bytes()


@pytest.mark.parametrize("chunk", [1500, 2**20])
@pytest.mark.parametrize("wrap", [escape, cdata])
def test_the_request_comes_out_as_it_went_in(
    wrap: Callable[[str], str], chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "PIECE", chunk)
    assert unwrapped(tmp_path, envelope(wrap(REQUEST))).decode().strip() == REQUEST.strip()


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml version='1.0' encoding='utf-16'?>",
        '\n <?xml version="1.0" encoding="windows-1252" ?>\r\n',
        "\ufeff<?xml version='1.0' encoding='utf-16'?>",
    ],
)
def test_what_the_text_says_of_its_own_encoding_means_nothing(declaration: str, tmp_path: Path) -> None:
    unwrapped(tmp_path, envelope(escape(declaration + REQUEST)))
    assert read_bulk_upload(tmp_path / "request.xml") == read_bulk_upload(write(tmp_path, REQUEST))


@pytest.mark.parametrize("namespace", [SOAP_1_1, SOAP_1_2])
def test_the_answer_needs_the_same_envelope(namespace: str, tmp_path: Path) -> None:
    header = "<s:Header><a><b><c><d>PostInformzMessage</d></c></b></a></s:Header>"
    source = write(tmp_path, envelope(escape(REQUEST), namespace=namespace, header=header))
    with (tmp_path / "request.xml").open("wb") as target:
        assert unwrap(source, target) == namespace


def test_ten_megabytes_come_through(tmp_path: Path) -> None:
    big = request("a@example.com,Zoë <&>\n" * 500_000, field("Name", 2))
    assert unwrapped(tmp_path, envelope(escape(big))) == big.encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (REQUEST, "wrong_root"),
        (envelope(escape(REQUEST), namespace="urn:soap"), "wrong_namespace"),
        (envelope(""), "missing_node"),
        (envelope(" \n"), "missing_node"),
        (envelope(escape("<?xml version='1.0'?>")), "missing_node"),
        (envelope(REQUEST), "unknown_node"),
        (envelope(escape(REQUEST)).replace("PostInformzMessage", "Ping"), "unknown_node"),
        (envelope("", header="<s:Header>" + "<a>" * 100_000), "too_large"),
        (envelope(escape(REQUEST))[:-5], "cut_xml"),
        (envelope(escape(REQUEST)) + "x", "not_xml"),
        ("<!DOCTYPE a>" + envelope("").partition("\n")[2], "doctype"),
    ],
)
def test_what_is_refused(content: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableFile) as refusal:
        unwrapped(tmp_path, content)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("content", "bulk_upload", "wrapped"),
    [
        (REQUEST, True, False),
        ("<?xml version='1.0'?>\n<!-- a -->\n" + REQUEST, True, False),
        ("\ufeff" + REQUEST, True, False),
        (REQUEST[:40], False, False),
        (REQUEST[:80], True, False),
        (request(namespace=""), True, False),
        ("<!DOCTYPE ActionRequest SYSTEM 'x'>" + REQUEST, True, False),
        (LAUGHS + REQUEST, True, False),
        (envelope(""), True, True),
        ("<rss/>", False, False),
        ("<!DOCTYPE html><html/>", False, False),
        ("<?xml version='1.0' encoding='klingon'?><ActionRequest/>", False, False),
        ("Phone,Tag\n2125550123,North\n", False, False),
        ("", False, False),
    ],
)
def test_what_looks_like_a_bulk_upload(content: str, bulk_upload: bool, wrapped: bool, tmp_path: Path) -> None:
    path = write(tmp_path, content)
    assert (is_bulk_upload(path), is_envelope(path)) == (bulk_upload, wrapped)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_does_not_hide_it(encoding: str, tmp_path: Path) -> None:
    assert is_bulk_upload(write(tmp_path, REQUEST.encode(encoding)))
