"""The fields that a brand's subscribers have, and requests that define them again.

What a field is was decided by the request that made it. A later one that calls it ``firstname``, or leaves out that it
holds whole numbers, means the same field: else one column would become two, and 5 would not be 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alp_daemon.domain.subscribers import Value
from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.fields import FieldDefinition, FieldType
from alp_daemon.files.informz.request import BulkUpload
from alp_daemon.files.informz.values import REASONS, SEPARATOR, BadValue, DataType, parser
from alp_daemon.store.subscribers import Field

_NO_ATTRIBUTES = {FieldType.email, FieldType.interest}


def as_made(request: BulkUpload, known: Mapping[str, Field]) -> BulkUpload:
    """The request with the name, type and number of values that its fields were made with.

    Raises ``UnusableFile`` (``bad_value``) for a default that is no value of its field's type.
    """
    by_form = {**{name.casefold(): field for name, field in known.items()}, **known}
    return replace(request, fields=tuple(_as_made(defined, by_form) for defined in request.fields))


def _as_made(defined: FieldDefinition, known: Mapping[str, Field]) -> FieldDefinition:
    made = known.get(defined.name) or known.get(defined.name.casefold())
    if made is None or defined.field_type in _NO_ATTRIBUTES:
        return defined
    data_type = DataType(made.data_type)
    default = _default(defined, data_type, multiple=made.is_multiple)
    return replace(defined, name=made.name, data_type=data_type, multiple=made.is_multiple, default=default)


def _default(defined: FieldDefinition, data_type: DataType, *, multiple: bool) -> Value | None:
    if defined.default is None or (data_type, multiple) == (defined.data_type, defined.multiple):
        return defined.default
    text = SEPARATOR.join(defined.default) if isinstance(defined.default, tuple) else str(defined.default)
    value = parser(data_type, multiple=multiple)(text)
    if isinstance(value, BadValue):
        raise UnusableFile(
            "bad_value",
            f"FieldDefinition/DefaultValue: the field {defined.name} was made as {data_type}. {REASONS[value]}",
        )
    return value
