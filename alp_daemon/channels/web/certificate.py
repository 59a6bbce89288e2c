"""TLS of the web side, whose certificate can be renewed while the server runs."""

from __future__ import annotations

import ssl

from alp_daemon import log
from alp_daemon.errors import ConfigurationError
from alp_daemon.sections import CertificateSettings


class Certificate:
    """A certificate and its key in two files. Raises ``ConfigurationError`` when they cannot be used.

    ``greeting`` is what the server is given once and for all: it hands each new connection on to the newest context.
    """

    def __init__(self, settings: CertificateSettings) -> None:
        self._settings = settings
        self._newest = tls_context(settings)
        self.greeting = tls_context(settings)
        # OpenSSL calls it after the client's first message, whether that names a server or not.
        self.greeting.sni_callback = self._hand_on

    def reload(self) -> None:
        """Reads both files again. Where they cannot be used, what was read before stays, and the log says so."""
        try:
            self._newest = tls_context(self._settings)
        except ConfigurationError as error:
            log.error("certificate_not_reloaded", reason=str(error))
        else:
            log.info("certificate_reloaded", file=str(self._settings.certificate))

    def _hand_on(self, connection: ssl.SSLObject, _name: str | None, _greeting: ssl.SSLContext) -> None:
        connection.context = self._newest


def tls_context(settings: CertificateSettings) -> ssl.SSLContext:
    """TLS 1.2 and newer (RFC 8996). Raises ``ConfigurationError`` when the certificate or the key cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"web.tls: {settings.certificate} and {settings.key}: expected a PEM certificate and its private key, both"
            f" readable ({error})"
        ) from error
    return context
