"""A customer and its feeds as typed models. What one key or one mapping must hold is checked here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from alp_daemon.customers.brand import Brand
from alp_daemon.customers.expect import Expect, TimeZone
from alp_daemon.customers.fileformat import ColumnRef, FileFormat
from alp_daemon.customers.guard import GuardSettings
from alp_daemon.customers.names import CUSTOMER_ID, CUSTOMER_ID_IS, pattern_fault
from alp_daemon.domain import phone, tag
from alp_daemon.problem import shortened
from alp_daemon.quantities import Duration, MailAddress, Size
from alp_daemon.yamlmodel import Model, Switch, TextLike, fault, schema_of

MODE_NAMES = ("preformatted", "append", "append_tags", "soft_opt_out", "soft_opt_out_tags", "hard_opt_out")

# ALP's own text says "soft overwrite" of both soft modes, for what happens to omitted numbers. An alias must not do
# more than its name says, so it is the one that removes no tags. "Hard overwrite" is one mode only.
MODE_ALIASES = {"soft_overwrite": "soft_opt_out", "hard_overwrite": "hard_opt_out"}


def _mode(value: object) -> object:
    return MODE_ALIASES.get(value, value) if isinstance(value, str) else value


def _tag(value: str) -> str:
    checked = tag.clean(value)
    if isinstance(checked, tag.BadTag):
        raise ValueError(f'"{shortened(value)}" cannot be a tag. {tag.REASONS[checked]}')
    return checked


def _tag_prefix(value: str) -> str:
    _tag(f"{value}x")
    return value


def _region(value: str) -> str:
    if not phone.is_region(value):
        raise ValueError(f"no country {value} is known (ISO 3166; the United Kingdom is GB)")
    return value


def _code(value: str) -> str:
    return value.removeprefix("+")


def _pattern(value: str) -> str:
    if message := pattern_fault(value):
        raise ValueError(message)
    return value


ModeName = Annotated[
    Literal["preformatted", "append", "append_tags", "soft_opt_out", "soft_opt_out_tags", "hard_opt_out"],
    BeforeValidator(_mode),
    WithJsonSchema({"enum": [*MODE_NAMES, *MODE_ALIASES]}),
]
Tag = Annotated[str, AfterValidator(_tag)]
Code = Annotated[
    str,
    TextLike(r"\+?[0-9]{3,15}", "a short code such as 55512, or a number with its country code such as +12125550100"),
    AfterValidator(_code),
]
"""Kept as digits: gateways write the same number with and without +."""
FeedName = Annotated[str, TextLike(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, - and _")]


class TagSource(Model):
    """Where tags come from: a column, or one value for every row."""

    column: ColumnRef | None = Field(None, description="The column that holds tags.")
    value: Tag | None = Field(None, description="A tag that every number of the file gets.")
    prefix: Annotated[str, AfterValidator(_tag_prefix)] = Field("", description="Put before each tag of the column.")
    split: str | None = Field(None, min_length=1, description="What separates several tags in one cell.")
    map: dict[str, Tag] | None = Field(None, description="From the file's words to tags; other words are refused.")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise fault("expected either column or value, and one of them only")
        for name in ("prefix", "split", "map"):
            if self.value is not None and getattr(self, name):
                raise fault("goes with column only; write the value as the tag shall be", name)
        return self


class Feed(Model):
    """One kind of file that a customer sends."""

    match: Annotated[str, AfterValidator(_pattern)] = Field(
        description='File name pattern such as "members*.csv", in any case; the first feed that matches has the file.'
    )
    mode: ModeName = Field(description="What the file does to the list, and to the numbers it omits.")
    file: FileFormat = Field(FileFormat(), description="How the bytes of the file become rows.")
    phones: tuple[ColumnRef, ...] = Field(
        min_length=1, description="Columns of phone numbers; each gets the row's tags."
    )
    tags: tuple[TagSource, ...] = Field((), description="Where the tags come from.")
    only: dict[ColumnRef, tuple[str, ...]] = Field({}, description="Keep the rows whose column has one of the values.")
    omitted_tags: Literal["keep", "clear"] = Field(
        "keep", description="append_tags only: what becomes of the tags of omitted numbers."
    )
    omitted_scope: Literal["list", "feed"] = Field(
        "list", description="Omitted from the whole list, or from what this feed has listed before."
    )
    completeness: Literal["assumed", "proven"] = Field(
        "assumed", description="How sure it must be that a file is whole."
    )
    sidecar: Literal["none", "done", "sha256"] = Field(
        "none", description="Wait for NAME.done or NAME.sha256, which proves that the file is whole."
    )
    sidecar_wait: Duration = Field(
        timedelta(minutes=10), description="How long to wait for it before the file is held."
    )
    guard: GuardSettings = Field(GuardSettings(), description="Limits past which a file waits for a person.")
    expect: Expect | None = Field(None, description="By when a file has to come; who is told if it does not.")

    @model_validator(mode="after")
    def _clears_tags_only_where_the_file_sets_them(self) -> Self:
        if self.omitted_tags == "clear" and self.mode != "append_tags":
            raise fault("clear goes with mode append_tags only", "omitted_tags")
        return self

    @model_validator(mode="after")
    def _names_columns_that_can_exist(self) -> Self:
        for at, column in self._column_refs():
            if message := self._column_fault(column):
                raise fault(message, *at)
        return self

    def _column_refs(self) -> list[tuple[tuple[str | int, ...], str]]:
        trailer = self.file.trailer
        return [
            *((("phones", i), column) for i, column in enumerate(self.phones)),
            *((("tags", i, "column"), source.column) for i, source in enumerate(self.tags) if source.column),
            *((("only", column), column) for column in self.only),
            *(
                [(("file", "trailer", "count_column"), trailer.count_column)]
                if trailer and trailer.count_column
                else []
            ),
        ]

    def _column_fault(self, column: str) -> str | None:
        if self.file.format == "fixed":
            return self._fixed_column_fault(column)
        if not self.file.header and not re.fullmatch(r"[1-9]\d{0,4}|[A-Za-z]{1,2}", column):
            return f'"{column}" needs a header; without one name columns by number (1, 2, …) or letter (A, B, …)'
        return None

    def _fixed_column_fault(self, column: str) -> str | None:
        names = [fixed.name for fixed in self.file.columns]
        by_number = map(str, range(1, len(names) + 1))
        if column.strip().casefold() in {*(name.strip().casefold() for name in names), *by_number}:
            return None
        return f'no column "{column}" (file.columns has: {", ".join(names)})'


class Preformatted(Model):
    """The standard format that every customer may send without set-up."""

    minus: Literal["reject", "opt_out"] = Field("reject", description="What a leading - on a number means.")


class UploadLimits(Model):
    """What this customer's uploads may take, in place of what ``alp.yaml`` says."""

    max_file_size: Size | None = Field(None, gt=0, description="A larger upload is refused.")
    free_space_floor: Size | None = Field(None, description="While less is free on the disk, uploads are refused.")


class LineTypeRule(Model):
    """What the line type of a number decides, where line types were loaded."""

    unknown: Literal["accept", "reject"] | None = Field(
        None, description="Numbers whose line type is not known; by default as alp.yaml says."
    )


class Customer(Model):
    """One account: one list of numbers, one keyword, any number of feeds, perhaps a brand with a list of its own."""

    id: Annotated[str, TextLike(CUSTOMER_ID, CUSTOMER_ID_IS)] = Field(description="The file's own name without .yaml.")
    name: str = Field(min_length=1, description="What reports and pages call the customer.")
    keyword: Annotated[str, TextLike(r"\S+", "one word")] = Field(description="The word that people text to opt in.")
    codes: tuple[Code, ...] = Field(
        (), description="Short codes and numbers that people text to; several customers may share one."
    )
    region: Annotated[
        str, TextLike("[A-Z]{2}", "a country's two capital letters, such as US"), AfterValidator(_region)
    ] = Field("US", description="ISO 3166 country of numbers written without one.")
    timezone: TimeZone = Field("UTC", description="IANA name of the time zone in which files are expected.")
    modes: tuple[ModeName, ...] = Field(
        ("preformatted", "append"), description="What the customer's plan includes. preformatted always is."
    )
    report_to: tuple[MailAddress, ...] = Field((), description="Who gets each report by mail, with numbers masked.")
    require_close_notify: Switch = Field(True, description="Off for TLS clients that never say goodbye.")
    preformatted: Preformatted = Field(Preformatted(), description="Files in the folder preformatted/.")
    line_types: LineTypeRule = Field(LineTypeRule(), description="What the line type of a number decides.")
    limits: UploadLimits = Field(UploadLimits(), description="What this customer's uploads may take.")
    feeds: dict[FeedName, Feed] = Field({}, description="The kinds of file that the customer sends, by name.")
    brand: Brand | None = Field(None, description="A second list, of e-mail subscribers, kept by BulkUpload XML.")


def json_schema() -> dict[str, Any]:
    """JSON Schema of a customer's file. The id is no part of it: it is the file's own name."""
    schema = schema_of(Customer)
    properties = {name: value for name, value in schema["properties"].items() if name != "id"}
    required = [name for name in schema["required"] if name != "id"]
    return schema | {"properties": properties, "required": required}
