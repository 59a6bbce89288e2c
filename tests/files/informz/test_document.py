"""Documents that lie, attack, or end too early; and every encoding that they may come in."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.document import MAX_TOKEN

from .requests import field, parsed, request, subscribers, values_of, write

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def refused(folder: Path, content: str | bytes) -> UnusableFile:
    with pytest.raises(UnusableFile) as refusal:
        parsed(folder, content)
    return refusal.value


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE ActionRequest [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE ActionRequest SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE ActionRequest [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE ActionRequest [<!ATTLIST ActionRequest a CDATA "x">]>',
        '<!DOCTYPE ActionRequest [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]>',
        "<!DOCTYPE ActionRequest>",
    ],
)
def test_a_doctype_is_refused_whatever_it_declares(declaration: str, tmp_path: Path) -> None:
    error = refused(tmp_path, "\n" + declaration + request(data="&l9;"))
    assert error.code == "doctype"
    assert str(error).startswith("upload.xml: line 2: ")


def test_an_entity_that_nobody_declared(tmp_path: Path) -> None:
    error = refused(tmp_path, request(data="a@example.com,&nbsp;"))
    assert error.code == "not_xml"
    assert "line 6" in str(error)


def test_deep_nesting_stops_at_the_first_unknown_node(tmp_path: Path) -> None:
    assert refused(tmp_path, request(data="<a>" * 1_000_000)).code == "unknown_node"
    assert refused(tmp_path, "<a>" * 1_000_000).code == "wrong_root"


@pytest.mark.parametrize(
    "content",
    [
        request(brand=f'<Brand id="{"9" * (MAX_TOKEN + 2**23)}"/>'),
        request(brand=f'<Brand id="{"9" * (MAX_TOKEN + 1)}"/>'),
        request(data=f"<!-- {'x' * 2**23} -->"),
        request(brand=f'<Brand id="9999">{"B" * (MAX_TOKEN + 1)}</Brand>'),
        request(recipients="<Email/>" * 20_000),
    ],
    ids=["a huge attribute", "a big attribute", "a huge comment", "a long text", "many nodes"],
)
def test_everything_but_data_is_bounded(content: str, tmp_path: Path) -> None:
    assert refused(tmp_path, content).code == "too_large"


@pytest.mark.parametrize(
    "content", [f"<{'a' * 2**20}/>", request(more=f"<{'a' * 2**20}/>"), f"<a xmlns='{'a' * 2**20}'/>"]
)
def test_messages_stay_short(content: str, tmp_path: Path) -> None:
    assert len(str(refused(tmp_path, content))) < 400


def test_memory_does_not_grow_with_data(tmp_path: Path) -> None:
    path = write(tmp_path, request(data="a@example.com,&lt;x&gt;\n" * 4_000_000))
    code = (
        "import resource, sys; from pathlib import Path; "
        "from alp_daemon.files.informz.request import read_bulk_upload; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "assert read_bulk_upload(Path(sys.argv[1])).has_data; "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True)
    assert path.stat().st_size > 80 * 2**20
    assert int(grown.stdout) < 40 * 2**10


def test_a_document_cut_anywhere_is_never_accepted_and_known_as_cut(tmp_path: Path) -> None:
    content = ('<?xml version="1.0" encoding="utf-8"?>\n' + request("a@example.com,Zoë\n", field("Name", 2))).encode()
    whole = len(content.rstrip())
    for end in range(whole):
        assert refused(tmp_path, content[:end]).code == "cut_xml", end
    assert parsed(tmp_path, content[:whole]).has_data


def test_a_document_without_declaration_cut_inside_a_character_is_cut(tmp_path: Path) -> None:
    content = request("a@example.com,Zoë\n", field("Name", 2)).encode()
    assert refused(tmp_path, content[: content.index("ë".encode()) + 1]).code == "cut_xml"


def test_a_damaged_byte_is_read_or_refused_with_a_code(tmp_path: Path) -> None:
    content = request("a@example.com,Zoe\n", field("Name", 2)).encode()
    chance = random.Random(7)
    for _ in range(300):
        at, damaged = chance.randrange(len(content)), bytearray(content)
        damaged[at] = chance.randrange(256)
        try:
            parsed(tmp_path, bytes(damaged))
        except UnusableFile as error:
            assert error.code


@pytest.mark.parametrize("junk", ["x", "<a/>", "\0", request()])
def test_nothing_may_follow(junk: str, tmp_path: Path) -> None:
    assert refused(tmp_path, request() + junk).code == "not_xml"


def test_a_malformed_document_names_its_line_and_column(tmp_path: Path) -> None:
    error = refused(tmp_path, request(data="\na@example.com,Tim & Tom\n"))
    assert error.code == "not_xml"
    assert str(error).startswith("upload.xml: line 7, column 20: this is not well-formed XML")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        (None, "utf-8"),
        (None, "utf-8-sig"),
        (None, "utf-16"),
        (None, "utf-16-le"),
        (None, "cp1252"),
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("windows-1252", "cp1252"),
        ("Windows-1252", "cp1252"),
        ("iso-8859-1", "cp1252"),
        ("iso-8859-15", "iso-8859-15"),
    ],
)
def test_ansi_text_and_unicode(declared: str | None, encoding: str, tmp_path: Path) -> None:
    declaration = f"<?xml version='1.0' encoding='{declared}' ?>\n" if declared else ""
    content = (declaration + request("a@example.com,Zoë €\n", field("Name", 2))).encode(encoding)
    assert values_of(subscribers(tmp_path, content), "Name") == {"a@example.com": "Zoë €"}


@pytest.mark.parametrize("declared", ["shift_jis", "utf-7", "klingon", "zlib_codec", "cp037", "idna"])
def test_an_encoding_that_cannot_be_read(declared: str, tmp_path: Path) -> None:
    error = refused(tmp_path, f'<?xml version="1.0" encoding="{declared}"?>' + request())
    assert error.code == "encoding"
    assert declared in str(error)


def test_bytes_that_are_not_in_the_declared_encoding(tmp_path: Path) -> None:
    declared = b'<?xml version="1.0" encoding="utf-8"?>\n'
    error = refused(tmp_path, declared + request("a@example.com,Zo\xeb\n").encode("latin-1"))
    assert error.code == "not_xml"
    assert "line 7" in str(error)
    assert "encoding" in str(error)
