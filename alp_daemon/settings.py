"""``alp.yaml`` as a typed model. An empty file works: everything has a sensible default."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

from alp_daemon.problem import ConfigurationFileError
from alp_daemon.quantities import Duration, PositiveDuration, Size
from alp_daemon.sections import (
    FtpSettings,
    LineTypeSettings,
    LocalPath,
    LockoutSettings,
    MessageWords,
    SmtpSettings,
    WebSettings,
    from_the_files_folder,
)
from alp_daemon.yamlfile import read
from alp_daemon.yamlmodel import Model, TextLike, fault, schema_of, validate

_POSTGRES = ("postgresql://", "postgres://")
_BUCKET = "s3://"
# A process may be kept waiting for a second or two and be well.
_SHORTEST_LEASE = timedelta(seconds=5)
CURRENT_COPY = "current"
"""The version of the copied customers' files that is in force, among those in ``customers_copy``."""


def is_postgres(database: Path | str) -> bool:
    """Whether it is the address of a PostgreSQL database, and not the path of an SQLite file."""
    return str(database).startswith(_POSTGRES)


def _database(value: str, info: ValidationInfo) -> str:
    if is_postgres(value):
        return value
    if "://" in value:
        raise ValueError("expected the path of an SQLite file, or postgresql://HOST/NAME")
    return str(from_the_files_folder(Path(value), info))


def _spool(value: str, info: ValidationInfo) -> str:
    if not value.startswith(_BUCKET):
        if "://" in value:
            raise ValueError("expected the path of a folder, or s3://BUCKET/PREFIX")
        return str(from_the_files_folder(Path(value), info))
    bucket, _, prefix = value.removeprefix(_BUCKET).partition("/")
    if not bucket or any(not each.strip() for each in prefix.strip("/").split("/")[1:]):
        raise ValueError("expected s3://BUCKET/PREFIX")
    # Said here, so that check-config says it with line and column.
    if find_spec("obstore") is None:
        raise ValueError("a bucket needs obstore, which is not installed; `pip install 'alp-daemon[s3]'`")
    return f"{_BUCKET}{bucket}/{prefix.strip('/')}"


def _long_enough(value: timedelta) -> timedelta:
    if value < _SHORTEST_LEASE:
        raise ValueError("expected a duration of at least 5s")
    return value


NodeName = Annotated[
    str, TextLike(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a name of letters, digits, and . - _ within it")
]


class Settings(Model):
    """What the installation is told once for all customers."""

    # Defaults are paths too, and are relative to the file's folder like written ones.
    model_config = ConfigDict(validate_default=True)

    data_dir: LocalPath = Field(Path("data"), description="Database, drop folders and spool.")
    database: Annotated[str, AfterValidator(_database)] | None = Field(
        None, min_length=1, description="SQLite file, or postgresql://HOST/NAME; data_dir/alp.db by default."
    )
    spool: Annotated[str, AfterValidator(_spool)] | None = Field(
        None,
        min_length=1,
        description="Uploaded files: a folder (nodes may share it) or s3://BUCKET/PREFIX; data_dir/spool by default.",
    )
    node: NodeName | None = Field(
        None,
        description="What this node is called on a PostgreSQL database that several share; the host's name by default.",
    )
    lease: Annotated[PositiveDuration, AfterValidator(_long_enough)] = Field(
        timedelta(minutes=2), description="A node or worker that is silent for so long counts as dead."
    )
    customers_dir: LocalPath = Field(Path("customers"), description="Folder of the customers' files, ID.yaml each.")
    customers_from: Literal["folder", "database"] = Field(
        "folder", description="Read them from that folder, or from the database: one version for all nodes."
    )
    ftp: FtpSettings = Field(FtpSettings(), description="The FTP server.")
    lockout: LockoutSettings = Field(LockoutSettings(), description="What failed log-ins lead to.")
    web: WebSettings = Field(WebSettings(), description="The API, the FileUploader page and the console.")
    smtp: SmtpSettings = Field(SmtpSettings(), description="The mail server that takes reports and alarms.")
    messages: MessageWords = Field(MessageWords(), description="Words of inbound messages.")
    line_types: LineTypeSettings = Field(LineTypeSettings(), description="What the line type of a number decides.")
    workers: int | None = Field(None, ge=1, description="Worker processes; one per core by default.")
    free_space_floor: Size = Field(
        200 * 2**20, description="While less is free on the disk of data_dir, uploads are refused and those coming end."
    )
    retention: Duration = Field(timedelta(days=30), description="How long uploaded files are kept after their end.")
    scan_every: PositiveDuration = Field(
        timedelta(seconds=5), description="How often the drop folders are looked through without a bell."
    )

    @model_validator(mode="after")
    def _customers_dir_is_not_the_copy(self) -> Self:
        copy = self.customers_copy.resolve()
        if self.customers_dir.resolve().is_relative_to(copy):
            raise fault(
                f"{copy} is where a node keeps its copy of the database's version; name another", "customers_dir"
            )
        return self

    @property
    def database_address(self) -> str:
        """The path of the SQLite file, or the address of the PostgreSQL database: what ``open_store`` takes."""
        return self.database or str(self.data_dir / "alp.db")

    @property
    def database_path(self) -> Path | None:
        """The SQLite file; None where the database is PostgreSQL."""
        return None if is_postgres(self.database_address) else Path(self.database_address)

    @property
    def node_name(self) -> str:
        """This node's name in the database. An SQLite file's only node stays the same when its host is renamed."""
        return self.node or (os.uname().nodename if self.database_path is None else "local")

    @property
    def customers_path(self) -> Path:
        """Where customers' files are read: ``customers_dir``, or this node's copy of the database's version."""
        return self.customers_dir if self.customers_from == "folder" else self.customers_copy / CURRENT_COPY

    @property
    def customers_copy(self) -> Path:
        """The copy's versions. The name is hidden: what lies there is the daemon's own, which removes old ones."""
        return self.data_dir / ".customers"

    @property
    def digests(self) -> dict[str, str]:
        """By each key of the file's top level a few hex digits that tell one value from another, and not what it is."""
        values = self.model_dump(mode="json")
        return {key: hashlib.sha256(repr(value).encode()).hexdigest()[:16] for key, value in values.items()}

    @property
    def worker_count(self) -> int:
        return self.workers or os.cpu_count() or 1

    @property
    def drop_dir(self) -> Path:
        return self.data_dir / "drop"

    @property
    def spool_dir(self) -> Path:
        """The folder of the spool, where it is none in a bucket."""
        return self.data_dir / "spool" if self.spool is None else Path(self.spool)

    @property
    def spool_bucket(self) -> tuple[str, str] | None:
        """Bucket and prefix; None where the spool is a folder."""
        if self.spool is None or not self.spool.startswith(_BUCKET):
            return None
        bucket, _, prefix = self.spool.removeprefix(_BUCKET).partition("/")
        return bucket, prefix


def load(path: Path | None) -> Settings:
    """The settings of a file, or the defaults where there is none.

    All paths come out absolute: relative ones start at the file's folder, and at the current one without a file.
    Raises ``ConfigurationFileError`` with every error of the file.
    """
    if path is None:
        return Settings.model_validate({}, context={"base": Path.cwd()})
    settings, problems = validate(Settings, read(path), context={"base": path.parent.absolute()})
    if settings is None:
        raise ConfigurationFileError(problems)
    return settings


def json_schema() -> dict[str, Any]:
    """JSON Schema of ``alp.yaml``."""
    return schema_of(Settings)
