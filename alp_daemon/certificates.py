"""The pairs of files that TLS stands on, a certificate and its key each: can they be used, and until when?

The servers and the doctor must judge alike, so this lies below both.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alp_daemon import log
from alp_daemon.errors import ConfigurationError
from alp_daemon.problem import Severity
from alp_daemon.sections import CertificateSettings
from alp_daemon.settings import Settings

if TYPE_CHECKING:
    from OpenSSL import SSL

FTP: Final = "ftp.tls"
WEB: Final = "web.tls"

EXPIRES_SOON: Final = timedelta(days=14)
"""Who renews by a timer, as certbot does, has it done 30 days before the end: at 14 something has gone wrong."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """A certificate that is not valid any more (an error), or soon will not be (a warning)."""

    severity: Severity
    section: str
    file: Path
    message: str
    """When, and what to do; without the file."""

    def __str__(self) -> str:
        return f"{self.section}: {self.file}: {self.message}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as one section of ``alp.yaml`` names them."""

    section: str
    files: CertificateSettings
    load: Callable[[CertificateSettings], object]

    def judge(self, now: datetime) -> Expiry | None:
        """Raises what ``serve`` would raise, ``ConfigurationError``, where the two cannot be used."""
        self.load(self.files)
        return expiry(self.section, self.files, now)


def pairs(settings: Settings) -> Iterator[Pair]:
    """Those that ``settings`` names."""
    if settings.ftp.tls is not None:
        yield Pair(FTP, settings.ftp.tls, ftp_context)
    if settings.web.tls is not None:
        yield Pair(WEB, settings.web.tls, web_context)


def ftp_context(files: CertificateSettings) -> SSL.Context:
    """TLS 1.2 and newer for pyftpdlib. Raises ``ConfigurationError`` when the certificate or the key is unusable."""
    from OpenSSL import SSL  # 0.07 s and 8 MB, which a web side without TLS need not pay

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    # RFC 8996 forbids what is older.
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    try:
        context.use_certificate_chain_file(str(files.certificate))
        context.use_privatekey_file(str(files.key))
        context.check_privatekey()
    except SSL.Error as error:
        raise _unusable(FTP, files, ", ".join(reason for _, _, reason in error.args[0])) from error
    return context


def web_context(files: CertificateSettings) -> ssl.SSLContext:
    """TLS 1.2 and newer for asyncio. Raises ``ConfigurationError`` when the certificate or the key is unusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(files.certificate, files.key)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable(WEB, files, str(error)) from error
    return context


def expiry(section: str, files: CertificateSettings, now: datetime) -> Expiry | None:
    """Whether the certificate has expired, or soon will. Raises ``ConfigurationError`` where it cannot be read."""
    end = _expires_at(section, files)
    when = f"{end:%Y-%m-%d %H:%M} (UTC)"
    renewal = f"put the renewed certificate into this file and its key into {files.key}, then `alp-daemon reload`"
    if end <= now:
        return Expiry("error", section, files.certificate, f"expired at {when}, and clients refuse it; {renewal}")
    if end - now <= EXPIRES_SOON:
        return Expiry("warning", section, files.certificate, f"expires at {when}; {renewal}")
    return None


def tell_of_expiry(section: str, files: CertificateSettings, now: datetime) -> None:
    """One log line where the certificate has expired or soon will. The server goes on: some clients do not look."""
    found = expiry(section, files, now)
    if found is not None:
        tell = log.error if found.severity == "error" else log.warning
        tell("certificate_expires", section=section, file=str(found.file), reason=found.message)


def _expires_at(section: str, files: CertificateSettings) -> datetime:
    # Not ssl, which reads the dates of a certificate in a file by private functions only.
    from OpenSSL import crypto

    try:
        # The first one in the file is the server's own, in OpenSSL as in ssl.
        certificate = crypto.load_certificate(crypto.FILETYPE_PEM, files.certificate.read_bytes())
    except (OSError, crypto.Error) as error:
        raise _unusable(section, files, "the certificate cannot be read") from error
    return certificate.to_cryptography().not_valid_after_utc


def _unusable(section: str, files: CertificateSettings, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{section}: {files.certificate} and {files.key}: expected a PEM certificate and its private key, both"
        f" readable ({_unreadable(files) or reason})"
    )


def _unreadable(files: CertificateSettings) -> str:
    """Which file cannot be opened, and why: OpenSSL says no more than "system lib", and ssl does not say which."""
    for path in (files.certificate, files.key):
        try:
            path.open("rb").close()
        except OSError as trouble:
            return f"{path}: {trouble.strerror}"
    return ""
