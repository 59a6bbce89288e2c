"""Requests as people write them, with anything about them changed."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from alp_daemon.domain.subscribers import BLANK, UNSAID, Subscribers, Value
from alp_daemon.files.informz.request import BulkUpload, read_bulk_upload
from alp_daemon.files.informz.subscribers import read_subscribers

NAMESPACE = "http://partner.informz.net/aapi/2009/08/"

EXAMPLES = Path(__file__).parent / "examples"

EMAIL = "<Name>Email</Name><DataType>string</DataType><ColumnIndex>1</ColumnIndex><FieldType>Email</FieldType>"


def node(name: str, content: str | None) -> str:
    """``None`` leaves the node out."""
    return "" if content is None else f"<{name}>{content}</{name}>"


def cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def field(name: str, column: int | str, type_: str | None = None, **more: str | None) -> str:
    """The content of a FieldDefinition."""
    nodes = {"Name": name, "ColumnIndex": str(column), "FieldType": type_, **more}
    return "".join(node(name, content) for name, content in nodes.items())


def request(
    records: str = "",
    *fields: str,
    action: str | None = "AddOrUpdateSubscribers",
    interests: tuple[str, ...] = (),
    recipients: str | None = "<Email/>",
    delimiter: str | None = ",",
    quotes: str | None = None,
    blank_removes: str | None = None,
    id_column: str | None = None,
    definitions: bool = True,
    data: str | None = "",
    brand: str = '<Brand id="9999">Brand Name</Brand>',
    namespace: str = f' xmlns="{NAMESPACE}"',
    more: str = "",
) -> str:
    """A request whose Data holds ``records`` in a CDATA section, or else ``data`` as it is.

    ``fields`` are contents of FieldDefinitions beside the address's; with ``None`` a node is missing.
    """
    names = node("InterestNames", "".join(node("InterestName", escape(name)) for name in interests))
    details = (
        node("InterestDetails", names + node("InterestAction", action))
        + node("StatusEmailRecipients", recipients)
        + node("ColumnDelimiter", delimiter)
        + node("HasFieldsEnclosedInQuotes", quotes)
        + node("RemovePersonalInfoIfBlank", blank_removes)
        + node("ColumnIndex", id_column)
    )
    defined = "".join(node("FieldDefinition", content) for content in (EMAIL, *fields)) if definitions else None
    upload = (
        node("UploadDetails", details)
        + node("FieldDefinitions", defined)
        + node("Data", cdata(records) if records else data)
    )
    return (
        f"<ActionRequest{namespace}>\n<Password>apasswordgoeshere</Password>\n{brand}\n<User>testuser</User>\n"
        f"<Actions>\n<BulkUpload>{upload}</BulkUpload>\n{more}</Actions>\n</ActionRequest>\n"
    )


def write(folder: Path, content: str | bytes, name: str = "upload.xml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parsed(folder: Path, content: str | bytes) -> BulkUpload:
    return read_bulk_upload(write(folder, content))


def subscribers(folder: Path, content: str | bytes, known: tuple[str, ...] = ("News", "Events")) -> Subscribers:
    path = write(folder, content)
    return read_subscribers(path, read_bulk_upload(path), name=path.name, known_interests=known)


def interests_of(said: Subscribers) -> dict[str, tuple[str, ...]]:
    """The addresses with their interests."""
    return dict(zip(said.addresses, (said.sets[code] for code in said.interests.tolist()), strict=True))


def values_of(said: Subscribers, name: str) -> dict[str, Value | None]:
    """The addresses with the value that one field has; ``None`` for a blank. Who has nothing usable is left out."""
    column = next(column for column in said.columns if column.name == name)
    pairs = zip(said.addresses, column.codes.tolist(), strict=True)
    return {address: None if code == BLANK else column.values[code] for address, code in pairs if code != UNSAID}
