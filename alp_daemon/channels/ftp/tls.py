"""The two faces of TLS: one for control connections, one for data."""

from __future__ import annotations

from dataclasses import dataclass

from OpenSSL import SSL

from alp_daemon.certificates import ftp_context
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
    return Faces(ftp_context(settings), data, reuse=False)


def is_resumed(data: SSL.Connection, control: SSL.Connection) -> bool:
    """Whether a data connection has resumed the session of its control connection.

    In TLS 1.2 a session keeps its master secret, and only who has it can resume (RFC 5246, F.1.4).
    """
    return data.master_key() == control.master_key()


def data_tls_context(settings: TlsSettings) -> SSL.Context:
    """TLS 1.2 only, for data connections.

    A TLS 1.3 server speaks after the handshake: session tickets. A client that only sends may close its socket with
    these unread, and then its kernel answers with a reset and drops what it has not sent yet. Of 260 whole uploads by
    lftp 11 were cut so. pyOpenSSL cannot turn the tickets off; TLS 1.2 sends them within the handshake.
    """
    context = ftp_context(settings)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context
