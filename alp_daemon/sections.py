"""The sections of ``alp.yaml``, and the values that stand in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from alp_daemon.domain.keyword import DEFAULT_WORDS, Words
from alp_daemon.domain.lockout import LockoutLimits
from alp_daemon.domain.networks import networks
from alp_daemon.quantities import MailAddress, PositiveDuration, Size
from alp_daemon.yamlmodel import Model, Switch, TextLike, fault


def from_the_files_folder(path: Path, info: ValidationInfo) -> Path:
    base: Path | None = (info.context or {}).get("base")
    return base / path.expanduser() if base else path


def _passive_ports(value: str) -> str:
    first, dash, last = value.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ValueError("expected two ports, the lower first, such as 50000-50100")
    return value


def _network(value: str) -> str:
    try:
        networks([value])
    except ValueError:
        raise ValueError("expected an IP address or a network such as 10.0.0.0/8") from None
    return value


_LOCKOUT = LockoutLimits()

Word = Annotated[str, TextLike(r".*[^\W_].*", "a word")]
LocalPath = Annotated[Path, AfterValidator(from_the_files_folder)]
"""A path that is relative to the folder of the file that names it."""

WebAddress = Annotated[str, TextLike(r"https?://[^\s/]+/?", "an address such as https://lists.example.org")]
Port = Annotated[int, Field(ge=0, le=65535)]
Network = Annotated[str, AfterValidator(_network)]


class CertificateSettings(Model):
    """A certificate and its key."""

    certificate: LocalPath = Field(description="PEM file: the certificate, then those between it and the root.")
    key: LocalPath = Field(description="PEM file: the private key.")


class TlsSettings(CertificateSettings):
    """The certificate of the FTP server."""

    required: Switch = Field(False, description="Refuse log-ins and transfers without TLS.")
    require_session_reuse: Switch = Field(
        False,
        description="Refuse data connections that do not resume the control connection's TLS session;"
        " only together with required: yes.",
    )

    @model_validator(mode="after")
    def _no_clear_data_beside_resumed_sessions(self) -> Self:
        if self.require_session_reuse and not self.required:
            raise fault(
                "without `required: yes` data in clear text would be taken from anybody; set both, or neither",
                "require_session_reuse",
            )
        return self


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

    failures: int = Field(_LOCKOUT.failures, ge=1, description="Failed log-ins of one address within the window.")
    window: PositiveDuration = Field(_LOCKOUT.window, description="How long a failure counts.")
    block: PositiveDuration = Field(_LOCKOUT.block, description="How long the address stays locked out.")
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
