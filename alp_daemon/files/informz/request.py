"""What an ActionRequest asks for: everything it says but the records themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from alp_daemon.files.informz import address
from alp_daemon.files.informz.document import Document
from alp_daemon.files.informz.fields import FieldDefinition, FieldType, read_fields, read_fields_of_removal
from alp_daemon.files.informz.nodes import DATA, Node, Tree

TAB: Final = "\t"
QUOTE: Final = '"'

# A letter or digit would take addresses apart; the other sign is that of quotes.
_DELIMITER = re.compile(rf"[^\w{QUOTE}\r\n]")


class Action(StrEnum):
    """What happens to the subscribers of the list, by the names that the format has for it."""

    add_or_update = "AddOrUpdateSubscribers"
    replace_all = "ReplaceAllSubscribers"
    remove = "RemoveSubscribers"
    unsubscribe = "UnsubscribeSubscribers"
    resubscribe = "ResubscribeSubscribers"


_ABOUT_INTERESTS: Final = {Action.replace_all, Action.remove}


@dataclass(frozen=True, slots=True)
class BulkUpload:
    """A request that is well-formed, complete and without contradiction."""

    brand_id: str
    user: str
    password: str = field(repr=False)
    action: Action
    interests: tuple[str, ...]
    """Those of InterestDetails, whether they exist or not."""
    recipients: tuple[str, ...]
    """Of the status mail, as addresses in lower case."""
    delimiter: str
    quotes: bool
    """Cells may stand in quotes; without, a quote is an ordinary character."""
    blank_removes: bool
    """A blank cell removes the value that the subscriber has."""
    fields: tuple[FieldDefinition, ...]
    """The columns that are read, the address always among them."""
    has_data: bool
    """There is at least one record, or something that should be one."""

    @property
    def needs_interests(self) -> bool:
        """The action is about interests, and no record can name any."""
        of_records = any(field.field_type is FieldType.interest for field in self.fields)
        return self.action in _ABOUT_INTERESTS and not of_records


def read_bulk_upload(path: Path, name: str = "") -> BulkUpload:
    """Read a request from its first byte to its last; ``name`` is what messages call the file (else its own name).

    Memory stays bounded whatever the size of Data. Raises ``UnusableFile`` naming the line and the node: what
    ``Document.pieces`` and ``read_fields`` raise, ``wrong_root``, ``wrong_namespace``, ``unknown_node``,
    ``duplicate_node``, ``not_one_upload``, ``missing_node``, ``bad_value``, ``no_interest``.
    """
    document = Document(path, name)
    tree = Tree(document)
    document.read()
    return _bulk_upload(tree.root, has_data=tree.has_data)


def _bulk_upload(root: Node, *, has_data: bool) -> BulkUpload:
    actions = root.need("Actions")
    upload = actions.find("BulkUpload")
    if upload is None:
        raise actions.fault("not_one_upload", "the node BulkUpload is missing.")
    upload.need(DATA)
    details = upload.need("UploadDetails")
    interest_details = details.need("InterestDetails")
    action = _action(interest_details.need("InterestAction"))
    interests = _interests(interest_details)
    delimiter = _delimiter(details)
    if action is Action.remove:
        fields = read_fields_of_removal(upload, delimiter, interests_named=bool(interests))
    else:
        fields = read_fields(upload, delimiter)
    request = BulkUpload(
        _brand_id(root.need("Brand")),
        root.text_of("User"),
        root.text_of("Password"),
        action,
        interests,
        _recipients(details.need("StatusEmailRecipients")),
        delimiter,
        details.bit("HasFieldsEnclosedInQuotes"),
        details.bit("RemovePersonalInfoIfBlank"),
        fields,
        has_data,
    )
    if request.needs_interests and not interests:
        raise interest_details.fault(
            "no_interest", f"{action} needs InterestNames, or a FieldDefinition with the FieldType Interest."
        )
    return request


def _brand_id(brand: Node) -> str:
    id_ = brand.attributes.get("id", "").strip()
    if not id_:
        raise brand.fault("missing_node", 'the attribute id is missing: <Brand id="…">.')
    return id_


def _action(node: Node) -> Action:
    if node.text not in list(Action):
        raise node.bad_value(", ".join(Action))
    return Action(node.text)


def _interests(details: Node) -> tuple[str, ...]:
    names = details.find("InterestNames")
    texts = (node.text for node in names.all("InterestName")) if names else ()
    return tuple(dict.fromkeys(filter(None, texts)))


def _delimiter(details: Node) -> str:
    """A sign; Tab where the node is missing or holds nothing but blanks, a Tab among them or not.

    A Tab is itself a blank, and editors turn it into spaces, as the format's own documentation shows it.
    """
    node = details.find("ColumnDelimiter")
    if node is None or not node.text:
        return TAB
    if not _DELIMITER.fullmatch(node.text):
        raise node.bad_value("one sign that is neither letter nor digit nor quote, or nothing for Tab")
    return node.text


def _recipients(node: Node) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for email in node.all("Email"):
        recipient = address.parse(email.text)
        if recipient is None and email.text:
            raise email.fault("bad_value", "this is no e-mail address. Correct it, or write <Email/> for nobody.")
        if recipient is not None:
            found[recipient] = None
    return tuple(found)
