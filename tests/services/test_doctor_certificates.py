"""The doctor judges certificates as the servers do, and says when one ends before clients do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import trustme

from alp_daemon.customers import load_dir
from alp_daemon.sections import CertificateSettings, FtpSettings, TlsSettings, WebSettings
from alp_daemon.services.operations import doctor
from alp_daemon.settings import Settings
from tests.certificates import write_pair
from tests.services.provider import Provider


def pair(folder: Path, until: datetime) -> CertificateSettings:
    files = CertificateSettings(certificate=folder / "pair.crt", key=folder / "pair.key")
    write_pair(files.certificate, files.key, until)
    return files


Serving = Callable[[CertificateSettings], Settings]


@pytest.fixture(params=["ftp", "web"])
def section(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def serving(acme: Provider, section: str) -> Serving:
    def made(files: CertificateSettings) -> Settings:
        tls = TlsSettings(certificate=files.certificate, key=files.key)
        given = {"ftp": FtpSettings(tls=tls)} if section == "ftp" else {"web": WebSettings(tls=files)}
        return acme.settings.model_copy(update=given)

    return made


def said(acme: Provider, section: str, settings: Settings) -> list[tuple[str, str]]:
    findings = doctor.examine(acme.store, settings, load_dir(settings.customers_dir), acme.now)
    return [(each.severity, each.message) for each in findings if each.message.startswith(f"{section}.tls: ")]


@pytest.mark.parametrize(
    ("left", "severity", "what"),
    [
        (timedelta(days=-1), "error", "expired at 2026-11-20 06:00 (UTC), and clients refuse it; put the renewed"),
        (timedelta(), "error", "expired at 2026-11-21 06:00 (UTC)"),
        (timedelta(days=13), "warning", "expires at 2026-12-04 06:00 (UTC); put the renewed certificate into"),
        (timedelta(days=14), "warning", "expires at 2026-12-05 06:00 (UTC)"),
    ],
)
def test_one_that_ends(
    acme: Provider, section: str, serving: Serving, tmp_path: Path, left: timedelta, severity: str, what: str
) -> None:
    acme.now = acme.now.replace(minute=0, second=0)
    files = pair(tmp_path, acme.now + left)
    ((rated, message),) = said(acme, section, serving(files))
    assert rated == severity
    assert f"{section}.tls: {files.certificate}: {what}" in message
    assert message.endswith(f"its key into {files.key}, then `alp-daemon reload`")


def test_one_that_lasts(acme: Provider, section: str, serving: Serving, tmp_path: Path) -> None:
    assert said(acme, section, serving(pair(tmp_path, acme.now + timedelta(days=15)))) == []


def test_without_tls_there_is_nothing_to_say(acme: Provider, section: str) -> None:
    assert said(acme, section, acme.settings) == []


@pytest.mark.parametrize("fault", ["another key", "no key", "half a certificate"])
def test_a_pair_that_serve_refuses(acme: Provider, section: str, serving: Serving, tmp_path: Path, fault: str) -> None:
    files = pair(tmp_path, acme.now + timedelta(days=90))
    if fault == "another key":
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(files.key)
    elif fault == "no key":
        files.key.unlink()
    else:
        files.certificate.write_bytes(files.certificate.read_bytes()[:200])
    ((severity, message),) = said(acme, section, serving(files))
    assert severity == "error"
    assert f"{files.certificate} and {files.key}: expected a PEM certificate and its private key" in message
    assert ("No such file" in message) == (fault == "no key")
    assert message.endswith("then `alp-daemon reload`")
