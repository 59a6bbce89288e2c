"""TLS of the web side, whose certificate can be renewed while the server runs."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from alp_daemon import certificates, log
from alp_daemon.errors import ConfigurationError
from alp_daemon.sections import CertificateSettings


class Certificate:
    """A certificate and its key in two files. Raises ``ConfigurationError`` when they cannot be used.

    ``greeting`` is what the server is given once and for all: it hands each new connection on to the newest context.
    """

    def __init__(self, settings: CertificateSettings) -> None:
        self._settings = settings
        self._newest = _read(settings)
        self.greeting = certificates.web_context(settings)
        # OpenSSL calls it after the client's first message, whether that names a server or not.
        self.greeting.sni_callback = self._hand_on

    def reload(self) -> None:
        """Reads both files again. Where they cannot be used, what was read before stays, and the log says so."""
        try:
            self._newest = _read(self._settings)
        except ConfigurationError as error:
            log.error("certificate_not_reloaded", reason=str(error))
        else:
            log.info("certificate_reloaded", file=str(self._settings.certificate))

    def _hand_on(self, connection: ssl.SSLObject, _name: str | None, _greeting: ssl.SSLContext) -> None:
        connection.context = self._newest


def _read(settings: CertificateSettings) -> ssl.SSLContext:
    """What the files hold now. Raises ``ConfigurationError`` when the certificate or the key cannot be used."""
    read = certificates.web_context(settings)
    certificates.tell_of_expiry(certificates.WEB, settings, datetime.now(UTC))
    return read
