"""``alp.yaml`` as a typed model. An empty file works: everything has a sensible default."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo

from alp_daemon.domain.keyword import DEFAULT_WORDS, Words
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.quantities import Duration, MailAddress, PositiveDuration, Size
from alp_daemon.yamlfile import read
from alp_daemon.yamlmodel import Model, Switch, TextLike, schema_of, validate

_POSTGRES = ("postgresql://", "postgres://")
_BUCKET = "s3://"
# A process may be kept waiting for a second or two and be well.
_SHORTEST_LEASE = timedelta(seconds=5)
CURRENT_COPY = "current"
"""The version of the copied customers' files that is in force, among those in ``customers_copy``."""


def _from_the_files_folder(path: Path, info: ValidationInfo) -> Path:
    base: Path | None = (info.context or {}).get("base")
    return base / path.expanduser() if base else path


def _database(value: str, info: ValidationInfo) -> str:
    if value.startswith(_POSTGRES):
        return value
    if "://" in value:
        raise ValueError("expected the path of an SQLite file, or postgresql://HOST/NAME")
    return str(_from_the_files_folder(Path(value), info))


def _spool(value: str, info: ValidationInfo) -> str:
    if not value.startswith(_BUCKET):
        if "://" in value:
            raise ValueError("expected the path of a folder, or s3://BUCKET/PREFIX")
        return str(_from_the_files_folder(Path(value), info))
    bucket, _, prefix = value.removeprefix(_BUCKET).partition("/")
    if not bucket or any(not each.strip() for each in prefix.strip("/").split("/")[1:]):
        raise ValueError("expected s3://BUCKET/PREFIX")
    # Said here, so that check-config says it with line and column.
    if find_spec("obstore") is None:
        raise ValueError("a bucket needs obstore, which is not installed; `pip install 'alp-daemon[s3]'`")
    return f"{_BUCKET}{bucket}/{prefix.strip('/')}"


def _passive_ports(value: str) -> str:
    first, dash, last = value.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ValueError("expected two ports, the lower first, such as 50000-50100")
    return value


def _long_enough(value: timedelta) -> timedelta:
    if value < _SHORTEST_LEASE:
        raise ValueError("expected a duration of at least 5s")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError("expected an IP address or a network such as 10.0.0.0/8") from None
    return value


Word = Annotated[str, TextLike(r".*[^\W_].*", "a word")]
LocalPath = Annotated[Path, AfterValidator(_from_the_files_folder)]
"""A path that is relative to the folder of the file that names it."""

WebAddress = Annotated[str, TextLike(r"https?://[^\s/]+/?", "an address such as https://lists.example.org")]
NodeName = Annotated[
    str, TextLike(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a name of letters, digits, and . - _ within it")
]
Port = Annotated[int, Field(ge=0, le=65535)]
Network = Annotated[str, AfterValidator(_network)]


class CertificateSettings(Model):
    """A certificate and its key."""

    certificate: LocalPath = Field(description="PEM file: the certificate, then those between it and the root.")
    key: LocalPath = Field(description="PEM file: the private key.")


class TlsSettings(CertificateSettings):
    """The certificate of the FTP server."""

    required: Switch = Field(False, description="Refuse log-ins and transfers without TLS.")


class FtpSettings(Model):
    """The FTP server."""

    host: str = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104  a public server is the purpose
    port: Port = Field(2121, description="0 takes any free port; data_dir/ports.json tells which.")
    passive_ports: Annotated[str, AfterValidator(_passive_ports)] | None = Field(
        None, description="Ports of data connections, such as 50000-50100; any free port by default."
    )
    masquerade_address: str | None = Field(None, min_length=1, description="The public address behind NAT.")
    tls: TlsSettings | None = Field(None, description="Without it there is plain FTP only.")
    max_connections: int = Field(512, ge=1, description="Connections at one time.")
    max_connections_per_ip: int = Field(64, ge=1, description="Connections at one time from one address.")
    max_file_size: Size = Field(4 * 2**30, gt=0, description="A larger upload is refused.")
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="TCP balancers in front, each of whose connections begins with HAProxy's PROXY header."
    )
    trust_hang_up: Switch | None = Field(
        None, description="Off, as behind trusted_proxies: a hang-up without QUIT means that the file is cut."
    )

    @property
    def trusts_hang_up(self) -> bool:
        """Whether FIN without QUIT can be a whole file. A proxy sends FIN for a killed client too, where TCP resets."""
        return not self.trusted_proxies if self.trust_hang_up is None else self.trust_hang_up


class LockoutSettings(Model):
    """How many failed log-ins lock an address out, and for how long."""

    failures: int = Field(4, ge=1, description="Failed log-ins of one address within the window.")
    window: PositiveDuration = Field(timedelta(minutes=20), description="How long a failure counts.")
    block: PositiveDuration = Field(timedelta(hours=1), description="How long the address stays locked out.")
    allow: tuple[Network, ...] = Field((), description="Addresses or networks that are never locked out.")


class SmtpSettings(Model):
    """The mail server that takes reports and alarms."""

    host: str | None = Field(None, min_length=1, description="Without it mail stays in the outbox.")
    port: Port = Field(25, description="25, or 587 for starttls, or 465 for tls, as a rule.")
    sender: MailAddress = Field("alp-daemon@localhost", description="The From address.")
    security: Literal["none", "starttls", "tls"] = Field("none", description="How the connection is made safe.")
    user: str | None = Field(None, min_length=1, description="Log-in name, where the server wants one.")
    password_file: LocalPath | None = Field(None, description="File that holds the password and nothing else.")
    operators: tuple[MailAddress, ...] = Field((), description="Who is told of held files and alarms.")


class WebSettings(Model):
    """The API, the FileUploader page and the console."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8080, description="0 takes any free port; data_dir/ports.json tells which.")
    url: WebAddress | None = Field(None, description="The address that people reach it at, for links in mail.")
    tls: CertificateSettings | None = Field(None, description="Without it a proxy in front should bring TLS.")
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    metrics_allow: tuple[Network, ...] = Field(
        ("127.0.0.0/8", "::1"), description="Who may read /metrics, which names customers."
    )
    max_connections: int = Field(512, ge=1, description="Connections at one time.")
    max_connections_per_ip: int = Field(64, ge=1, description="The same from one address that is no trusted proxy.")
    max_file_size: Size = Field(4 * 2**30, gt=0, description="A larger upload is refused.")
    session_idle: PositiveDuration = Field(timedelta(minutes=30), description="A browser unused so long is signed out.")
    session_max: PositiveDuration = Field(timedelta(hours=12), description="How long a sign-in lasts at the most.")
    gateway_secret_file: LocalPath | None = Field(
        None, description="File with the secret that the message gateway signs its calls with (HMAC-SHA256)."
    )


class MessageWords(Model):
    """Words of inbound messages, in place of the built-in lists."""

    opt_out: tuple[Word, ...] | None = Field(None, min_length=1, description="STOP, QUIT, CANCEL and so on.")
    help: tuple[Word, ...] | None = Field(None, min_length=1, description="HELP and INFO.")
    negations: tuple[Word, ...] | None = Field(
        None, description="Words that keep a keyword from opting in: no, not, don't and so on."
    )

    def in_force(self) -> Words:
        """The words that decide: those given here, else the built-in ones."""
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        return replace(DEFAULT_WORDS, **given)


class LineTypeSettings(Model):
    """What the line type of a number decides, where line types were loaded."""

    unknown: Literal["accept", "reject"] = Field("accept", description="Numbers whose line type is not known.")


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

    @property
    def database_address(self) -> str:
        """The path of the SQLite file, or the address of the PostgreSQL database: what ``open_store`` takes."""
        return self.database or str(self.data_dir / "alp.db")

    @property
    def database_path(self) -> Path | None:
        """The SQLite file; None where the database is PostgreSQL."""
        return None if self.database_address.startswith(_POSTGRES) else Path(self.database_address)

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
        return self.data_dir / "customers"

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
