"""The nodes of an ActionRequest as a small tree: all of it but the records, which have no limit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.document import Document, split

NAMESPACE: Final = "http://partner.informz.net/aapi/2009/08/"
ROOT: Final = "ActionRequest"
DATA: Final = "Data"

MAX_SIZE: Final = 2**20
"""Characters that all nodes but Data may have together, each node counted as ``_NODE_SIZE`` of them."""

_NODE_SIZE: Final = 64

MAX_NODES: Final = MAX_SIZE // _NODE_SIZE
"""How many nodes a request can have at the most."""

_SHOWN: Final = 60

_CHILDREN: Final = {
    ROOT: ("Password", "Brand", "User", "Actions"),
    "Actions": ("BulkUpload",),
    "BulkUpload": ("UploadDetails", "FieldDefinitions", DATA),
    "UploadDetails": (
        *("InterestDetails", "StatusEmailRecipients", "ColumnDelimiter", "HasFieldsEnclosedInQuotes"),
        *("RemovePersonalInfoIfBlank", "ColumnIndex"),
    ),
    "InterestDetails": ("InterestNames", "InterestAction"),
    "InterestNames": ("InterestName",),
    "StatusEmailRecipients": ("Email",),
    "FieldDefinitions": ("FieldDefinition",),
    "FieldDefinition": (
        *("Name", "DataType", "DefaultValue", "ColumnIndex", "FieldType", "DemographicType", "IsMultiple"),
    ),
}
"""Which nodes may stand in which. The others hold text."""

_REPEATED: Final = {"InterestName", "Email", "FieldDefinition"}

_BITS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(slots=True)
class Node:
    """A node with what stands in it."""

    path: str
    """Its name behind those of the nodes around it, for messages: ``UploadDetails/ColumnIndex``."""
    line: int
    file: str
    attributes: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def raw(self) -> str:
        """Its text as it stands there."""
        return "".join(self.texts)

    @property
    def text(self) -> str:
        """Its text without the blanks around it."""
        return self.raw.strip()

    def fault(self, code: str, message: str) -> UnusableFile:
        """What is wrong with this node."""
        return UnusableFile(code, f"{self.file}: line {self.line}: {self.path}: {message}")

    def find(self, name: str) -> Node | None:
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Node]:
        return (child for child in self.children if child.name == name)

    def need(self, name: str) -> Node:
        """The node of that name in this one. Raises ``UnusableFile`` (``missing_node``)."""
        found = self.find(name)
        if found is None:
            raise self.fault("missing_node", f"the node {name} is missing.")
        return found

    def text_of(self, name: str) -> str:
        """The text of a node in this one; empty where that is missing."""
        found = self.find(name)
        return found.text if found else ""

    def bit(self, name: str) -> bool:
        """A node that says yes or no; no where it is missing or blank."""
        found = self.find(name)
        if found is None or not found.text:
            return False
        if found.text.lower() not in _BITS:
            raise found.bad_value("1, true or yes, or 0, false or no")
        return _BITS[found.text.lower()]

    def choice(self, name: str, default: Choice) -> Choice:
        """A node that holds one of some words, in any case; ``default`` where it is missing or blank."""
        found = self.find(name)
        if found is None or not found.text:
            return default
        words = {word.value.lower(): word for word in type(default)}
        if found.text.lower() not in words:
            raise found.bad_value(", ".join(words[word].value for word in words))
        return words[found.text.lower()]

    def bad_value(self, expected: str) -> UnusableFile:
        shown = self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "…"
        return self.fault("bad_value", f"expected {expected}, found {shown!r}.")


class Tree:
    """Builds the nodes while a document is parsed. ``root`` is complete when the document is."""

    def __init__(self, document: Document) -> None:
        self.has_data = False
        """The node Data holds more than blanks."""
        self._document = document
        self._open: list[Node] = []
        self._root: Node | None = None
        self._size = 0
        document.parser.StartElementHandler = self._begin
        document.parser.EndElementHandler = self._end
        document.parser.CharacterDataHandler = self._text

    @property
    def root(self) -> Node:
        assert self._root is not None, "the document has been read to its end"
        return self._root

    def _begin(self, full_name: str, attributes: dict[str, str]) -> None:
        namespace, name = split(full_name)
        self._check_size(_NODE_SIZE + sum(map(len, attributes.values())))
        if not self._open:
            self._check_root(namespace, name)
        elif namespace != NAMESPACE:
            raise self._wrong_namespace(namespace, name)
        path = "/".join([*(node.name for node in self._open[-2:] if node.name != ROOT), name])
        node = Node(path, self._document.parser.CurrentLineNumber, self._document.name, attributes)
        if self._open:
            self._check_may_stand(node, self._open[-1])
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        node = self._open[-1]
        if node.name == DATA:
            self.has_data = self.has_data or not text.isspace()
        elif node.name not in _CHILDREN:
            self._check_size(len(text))
            node.texts.append(text)
        elif not text.isspace():
            raise node.fault("bad_value", f"expected the nodes {', '.join(_CHILDREN[node.name])}, found text.")

    def _check_size(self, more: int) -> None:
        self._size += more
        if self._size > MAX_SIZE:
            raise self._document.fault(
                "too_large",
                f"the nodes other than {DATA} have more than {MAX_SIZE:,} characters, the most that is read.",
            )

    def _check_root(self, namespace: str, name: str) -> None:
        if name != ROOT:
            raise self._document.fault("wrong_root", f"expected {ROOT} as the outermost node, found {name}.")
        if namespace != NAMESPACE:
            raise self._wrong_namespace(namespace, name)

    def _wrong_namespace(self, namespace: str, name: str) -> UnusableFile:
        # A message without a namespace, or of another year, may mean something else by the same names.
        found = f"in {namespace[:_SHOWN]}" if namespace else "without a namespace"
        return self._document.fault(
            "wrong_namespace", f'{name} stands {found}. Expected <{ROOT} xmlns="{NAMESPACE}"> around everything.'
        )

    def _check_may_stand(self, node: Node, parent: Node) -> None:
        allowed = _CHILDREN.get(parent.name, ())
        if node.name not in allowed:
            raise _unknown(node, parent, allowed)
        if node.name not in _REPEATED and parent.find(node.name):
            if node.name == "BulkUpload":
                raise node.fault("not_one_upload", "a request holds one BulkUpload. Send the others on their own.")
            raise node.fault("duplicate_node", f"{parent.name} has the node {node.name} twice.")


def _unknown(node: Node, parent: Node, allowed: Iterable[str]) -> UnusableFile:
    """A node that nobody knows is a mistake: without a word, a misspelt delimiter would be a Tab."""
    if parent.name == "Actions":
        return node.fault("not_one_upload", "the only action that is known here is BulkUpload.")
    if parent.name == DATA:
        return node.fault("unknown_node", "Data holds text only. Put it into a CDATA section, or write < as &lt;.")
    if not allowed:
        return node.fault("unknown_node", f"{parent.name} holds text only.")
    near = difflib.get_close_matches(node.name, allowed, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Expected one of {', '.join(allowed)}."
    return node.fault("unknown_node", f"there is no such node. {hint}")
