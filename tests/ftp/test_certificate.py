"""A certificate that cannot be used is refused at start, with the reason in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from alp_daemon.channels.ftp.tls import tls_context
from alp_daemon.errors import ConfigurationError
from alp_daemon.settings import TlsSettings


def reason(certificate: Path, key: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        tls_context(TlsSettings(certificate=certificate, key=key))
    return str(caught.value)


def test_a_file_that_is_missing(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    said = reason(certificate[0], tmp_path / "key.pem")
    assert said.endswith(f"({tmp_path / 'key.pem'}: No such file or directory)")


def test_the_key_of_another_certificate(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(str(other))
    assert reason(certificate[0], other).endswith("(key values mismatch)")


def test_a_file_that_is_no_pem(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    assert "expected a PEM certificate and its private key" in reason(nonsense, certificate[1])
