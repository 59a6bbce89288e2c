"""The FieldDefinitions: which column holds what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alp_daemon.domain.subscribers import Value
from alp_daemon.files.informz.nodes import Node
from alp_daemon.files.informz.values import REASONS, BadValue, DataType, parser

INTEREST_SEPARATOR: Final = ","

MAX_COLUMNS: Final = 16_384
"""What a spreadsheet has at most."""

MAX_NAME: Final = 100

_EMAIL_COLUMN: Final = 0
_ID_COLUMN: Final = 1


class FieldType(StrEnum):
    personal_info = "PersonalInfo"
    email = "Email"
    id = "ID"
    source = "Source"
    news_format = "NewsFormat"
    demographic = "Demographic"
    interest = "Interest"


class DemographicType(StrEnum):
    standard = "Standard"
    state = "State"
    country = "Country"


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One column that is read. ``column`` counts from 0; ``demographic_type`` matters for demographics only."""

    name: str
    column: int
    field_type: FieldType = FieldType.personal_info
    data_type: DataType = DataType.string
    default: Value | None = None
    demographic_type: DemographicType = DemographicType.standard
    multiple: bool = False


EMAIL: Final = FieldDefinition("Email", _EMAIL_COLUMN, FieldType.email)
"""What there is without any definition."""

_RESERVED: Final = {"email": FieldType.email, "interest": FieldType.interest}
"""Names that mean a type by themselves."""

_ONLY_ONE: Final = {
    FieldType.email: "two_emails",
    FieldType.interest: "two_interests",
    FieldType.id: "duplicate_field",
    FieldType.source: "duplicate_field",
    FieldType.news_format: "duplicate_field",
}

_Defined = list[tuple[Node, FieldDefinition]]


def read_fields(upload: Node, delimiter: str) -> tuple[FieldDefinition, ...]:
    """The fields of a BulkUpload, the address among them.

    Raises ``UnusableFile``: ``missing_node``, ``bad_value``, ``duplicate_field``, ``two_emails``, ``two_interests``,
    ``email_not_first``, ``id_conflict``, ``id_not_second``, ``comma_with_interests``.
    """
    definitions = upload.need("FieldDefinitions")
    defined = [(node, _definition(node)) for node in definitions.all("FieldDefinition")]
    defined += _id_by_column_index(upload, defined)
    _check_only_one(defined)
    _check_names(defined)
    if not any(field.field_type is FieldType.email for _, field in defined):
        raise definitions.fault("missing_node", "no FieldDefinition has the FieldType Email.")
    for node, field in defined:
        _check_place(node, field)
        _check_delimiter(node, field, delimiter)
    return tuple(field for _, field in defined)


def read_fields_of_removal(upload: Node, delimiter: str, *, interests_named: bool) -> tuple[FieldDefinition, ...]:
    """The fields of RemoveSubscribers, which ignores definitions: the address is the first column.

    Where no InterestNames say what to remove from, the definition of the interests' column is the only one that can.
    """
    definitions = upload.find("FieldDefinitions")
    if interests_named or definitions is None:
        return (EMAIL,)
    nodes = [node for node in definitions.all("FieldDefinition") if _says_interest(node)]
    defined = [(node, _definition(node)) for node in nodes]
    _check_only_one(defined)
    for node, field in defined:
        _check_delimiter(node, field, delimiter)
    return (EMAIL, *(field for _, field in defined))


def _says_interest(node: Node) -> bool:
    return FieldType.interest.value.lower() in (node.text_of("FieldType").lower(), node.text_of("Name").lower())


def _definition(node: Node) -> FieldDefinition:
    name = _name(node)
    data_type = node.choice("DataType", DataType.string)
    multiple = node.bit("IsMultiple")
    return FieldDefinition(
        name,
        _column(node.need("ColumnIndex")),
        _field_type(node, name),
        data_type,
        _default(node, data_type, multiple=multiple),
        node.choice("DemographicType", DemographicType.standard),
        multiple,
    )


def _name(node: Node) -> str:
    name = node.need("Name")
    if not 0 < len(name.text) <= MAX_NAME or not name.text.isprintable():
        raise name.bad_value(f"a name of 1 to {MAX_NAME} characters without line breaks")
    return name.text


def _column(node: Node) -> int:
    text = node.text
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_COLUMNS)) and 0 < int(text) <= MAX_COLUMNS):
        raise node.bad_value(f"the number of a column, from 1 to {MAX_COLUMNS:,}")
    return int(text) - 1


def _field_type(node: Node, name: str) -> FieldType:
    field_type = node.choice("FieldType", FieldType.personal_info)
    reserved = _RESERVED.get(name.lower(), field_type)
    if field_type not in (reserved, FieldType.personal_info):
        raise node.need("FieldType").bad_value(f"{reserved}, which the name {name} is reserved for")
    return reserved


def _default(node: Node, data_type: DataType, *, multiple: bool) -> Value | None:
    value = parser(data_type, multiple=multiple)(node.text_of("DefaultValue"))
    if isinstance(value, BadValue):
        raise node.need("DefaultValue").fault("bad_value", REASONS[value])
    return value


def _id_by_column_index(upload: Node, defined: _Defined) -> _Defined:
    """UploadDetails/ColumnIndex is another way to say where the ID stands."""
    node = upload.need("UploadDetails").find("ColumnIndex")
    if node is None or not node.text:
        return []
    column = _column(node)
    ids = [field for _, field in defined if field.field_type is FieldType.id]
    if not ids:
        return [(node, FieldDefinition("ID", column, FieldType.id))]
    if any(field.column != column for field in ids):
        raise node.fault(
            "id_conflict", f"this says that the ID is column {column + 1}, its definition column {ids[0].column + 1}."
        )
    return []


def _check_names(defined: _Defined) -> None:
    # Two names that differ in case only would be two columns that nobody can tell apart.
    names: set[str] = set()
    for node, field in defined:
        folded = field.name.casefold()
        if folded in names:
            raise node.fault("duplicate_field", f"the field {field.name} is defined twice.")
        names.add(folded)


def _check_only_one(defined: _Defined) -> None:
    seen = Counter[FieldType]()
    for node, field in defined:
        seen[field.field_type] += 1
        if seen[field.field_type] > 1 and field.field_type in _ONLY_ONE:
            raise node.fault(
                _ONLY_ONE[field.field_type], f"only one field can be the {field.field_type}; this is the second."
            )


def _check_place(node: Node, field: FieldDefinition) -> None:
    if field.field_type is FieldType.email and field.column != _EMAIL_COLUMN:
        raise node.fault("email_not_first", f"the address must be column 1, not {field.column + 1}.")
    if field.field_type is FieldType.id and field.column != _ID_COLUMN:
        raise node.fault("id_not_second", f"the ID must be column 2, not {field.column + 1}.")


def _check_delimiter(node: Node, field: FieldDefinition, delimiter: str) -> None:
    if field.field_type is FieldType.interest and delimiter == INTEREST_SEPARATOR:
        raise node.fault(
            "comma_with_interests",
            "commas separate the interests of a record, so that they cannot separate its columns. Use another "
            "ColumnDelimiter, such as ~.",
        )
