"""How a bucket that speaks the S3 protocol is reached, and how long it is waited for.

Its end point, region and credentials are what the environment says in the names that all tools of this protocol know
(``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and so on), or what the machine's own role gives.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError
from obstore.store import S3Store

from alp_daemon.errors import ConfigurationError

if TYPE_CHECKING:
    from obstore.store import BackoffConfig

# For the whole of a request, however large the file. It must not be what ends one that goes on; silence is.
_REQUEST = timedelta(hours=1)
_CONNECT = timedelta(seconds=5)
# More than fit into the time: it is what ends them.
_ATTEMPTS = 1000
_BACKOFF: Final[BackoffConfig] = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3)}

_END_POINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_YES = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True, slots=True)
class Patience:
    """After ``retry`` no new attempt begins, and an attempt that hears nothing for as long as ``silence`` ends."""

    retry: timedelta
    silence: timedelta


# Together a client waits some 25 s for its answer, and few have less patience.
PATIENCE = Patience(timedelta(seconds=15), timedelta(seconds=10))
# The library's clock of silence runs also while a body is on its way up, when no storage says anything: 40 MiB take
# three minutes where 2 Mbit/s leave a building.
SENDING = timedelta(minutes=3)
# Monitoring asks every few seconds and wants an answer now.
NO_PATIENCE = Patience(timedelta(0), timedelta(seconds=3))


def while_sending() -> Patience:
    """For a connection that large files go up."""
    return replace(PATIENCE, silence=max(SENDING, PATIENCE.silence))


def name(bucket: str, prefix: str) -> str:
    """As ``spool`` in alp.yaml has it."""
    return f"s3://{bucket}/{prefix}".rstrip("/")


def connected(bucket: str, prefix: str, patience: Patience) -> S3Store:
    """Raises ``ConfigurationError`` where the environment lacks something, or would send lists in clear text."""
    where, allow_http = name(bucket, prefix), os.environ.get("AWS_ALLOW_HTTP", "").lower() in _YES
    if not allow_http and any(os.environ.get(variable, "").startswith("http://") for variable in _END_POINTS):
        raise ConfigurationError(
            f"spool {where}: its end point in the environment is http://; say AWS_ALLOW_HTTP=true where lists of"
            " numbers may travel without TLS"
        )
    try:
        return S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                # Given options hide this one of the environment from the library.
                "allow_http": allow_http,
                "timeout": _REQUEST,
                "read_timeout": patience.silence,
                "connect_timeout": min(_CONNECT, patience.silence),
            },
            retry_config={
                "max_retries": _ATTEMPTS if patience.retry else 0,
                "retry_timeout": patience.retry,
                "backoff": _BACKOFF,
            },
        )
    except (BaseError, ValueError) as error:
        raise ConfigurationError(f"spool {where}: {said(error)}; see the AWS_… variables") from error


def said(error: Exception) -> str:
    """The first line; behind it comes what only a programmer wants to see."""
    return str(error).strip().partition("\n")[0]
