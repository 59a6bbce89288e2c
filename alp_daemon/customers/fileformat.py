"""How the bytes of a customer's file become rows, as typed models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alp_daemon.yamlmodel import Model, Switch, TextLike, fault


def _encoding(value: str) -> str:
    if value != "auto":
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("expected auto, or an encoding such as utf-8 or windows-1252") from None
    return value


def _tab_by_name(value: object) -> object:
    return "tab" if value in ("\t", r"\t") else value


ColumnRef = Annotated[
    str, Field(min_length=1, description="A column: its header, its number from 1, or its letter (A, B, … AA).")
]
Delimiter = Annotated[
    str,
    TextLike(r"auto|tab|[^\r\n\w]", 'one sign in quotes, such as ";" or "|", or tab, or auto'),
    BeforeValidator(_tab_by_name),
]


class FixedColumn(Model):
    """One column of a fixed-width file."""

    name: str = Field(min_length=1, description="What phones, tags and only call this column.")
    start: int = Field(ge=1, description="Its first character, counted from 1.")
    width: int = Field(ge=1, description="How many characters it has.")


class Trailer(Model):
    """The last row of a file that says that the file is whole."""

    starts_with: str = Field(min_length=1, description="How the trailer's first cell begins.")
    count_column: ColumnRef | None = Field(None, description="The trailer's column that holds the number of data rows.")


class FileFormat(Model):
    """How the bytes of a file become rows."""

    format: Literal["auto", "csv", "fixed", "xlsx", "xls", "ods"] = Field(
        "auto", description="The kind of file; auto looks at its first bytes. csv is any delimited text."
    )
    delimiter: Delimiter = Field("auto", description="One sign, or tab, or auto.")
    quote: Annotated[str, TextLike(r"none|[^\r\n\w]", "one sign in quotes, or none")] = Field(
        '"', description="The sign around a cell that holds a delimiter, or none."
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        "auto", description="auto: byte order mark, else UTF-8, else Windows-1252."
    )
    header: Switch = Field(True, description="Whether the first row names the columns.")
    skip_rows: int = Field(0, ge=0, description="Rows above the header to leave out.")
    trailer: Trailer | None = Field(None, description="The last row, where it proves that the file is whole.")
    columns: tuple[FixedColumn, ...] = Field((), description="Only for format fixed: where each column stands.")
    sheet: str | None = Field(None, min_length=1, description="The spreadsheet's sheet; the first by default.")

    @model_validator(mode="after")
    def _fits_its_format(self) -> Self:
        if self.format == "fixed" and not self.columns:
            raise fault("format fixed needs columns: [{name, start, width}, …]", "format")
        if self.columns and self.format != "fixed":
            raise fault("columns are only for format fixed; other files name theirs in a header", "columns")
        if self.sheet and self.format in {"csv", "fixed"}:
            raise fault(f"a {self.format} file has no sheets", "sheet")
        if self.delimiter == self.quote:
            raise fault("the quote cannot be the delimiter too", "quote")
        return self

    @model_validator(mode="after")
    def _names_columns_once(self) -> Self:
        names: set[str] = set()
        for index, column in enumerate(self.columns):
            if column.name.casefold() in names:
                raise fault(f'there is already a column "{column.name}"', "columns", index, "name")
            names.add(column.name.casefold())
        return self
