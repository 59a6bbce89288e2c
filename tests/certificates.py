"""Certificates for tests: a pair of files, valid until a given moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import trustme


def write_pair(certificate: Path, key: Path, until: datetime) -> None:
    issued = trustme.CA().issue_cert("localhost", not_after=until)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
