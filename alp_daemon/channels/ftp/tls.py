"""The two faces of TLS: one for control connections, one for data."""

from __future__ import annotations

from dataclasses import dataclass

from OpenSSL import SSL

from alp_daemon.errors import ConfigurationError
from alp_daemon.sections import TlsSettings

# A client asks for its session anew with each data connection; OpenSSL forgets one after two hours.
_SESSION_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Faces:
    """The contexts of the connections of one session. With ``reuse`` it is one: a session resumes in its own only."""

    control: SSL.Context
    data: SSL.Context
    reuse: bool


def faces(settings: TlsSettings) -> Faces:
    """Raises ``ConfigurationError`` when the certificate or the key cannot be used."""
    data = data_tls_context(settings)
    if settings.require_session_reuse:
        data.set_timeout(_SESSION_SECONDS)
        return Faces(data, data, reuse=True)
    return Faces(tls_context(settings), data, reuse=False)


def is_resumed(data: SSL.Connection, control: SSL.Connection) -> bool:
    """Whether a data connection has resumed the session of its control connection.

    In TLS 1.2 a session keeps its master secret, and only who has it can resume (RFC 5246, F.1.4).
    """
    return data.master_key() == control.master_key()


def tls_context(settings: TlsSettings) -> SSL.Context:
    """TLS 1.2 and newer. Raises ``ConfigurationError`` when the certificate or the key cannot be used."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    # RFC 8996 forbids what is older.
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    try:
        context.use_certificate_chain_file(str(settings.certificate))
        context.use_privatekey_file(str(settings.key))
        context.check_privatekey()
    except SSL.Error as error:
        raise ConfigurationError(
            f"ftp.tls: {settings.certificate} and {settings.key}: expected a PEM certificate and its private key, both"
            f" readable ({_why(settings, error)})"
        ) from error
    return context


def _why(settings: TlsSettings, error: SSL.Error) -> str:
    """The reason in words: of a file that cannot be opened OpenSSL says no more than "system lib"."""
    for path in (settings.certificate, settings.key):
        try:
            path.open("rb").close()
        except OSError as trouble:
            return f"{path}: {trouble.strerror}"
    return ", ".join(reason for _library, _function, reason in error.args[0])


def data_tls_context(settings: TlsSettings) -> SSL.Context:
    """TLS 1.2 only, for data connections.

    A TLS 1.3 server speaks after the handshake: session tickets. A client that only sends may close its socket with
    these unread, and then its kernel answers with a reset and drops what it has not sent yet. Of 260 whole uploads by
    lftp 11 were cut so. pyOpenSSL cannot turn the tickets off; TLS 1.2 sends them within the handshake.
    """
    context = tls_context(settings)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context
