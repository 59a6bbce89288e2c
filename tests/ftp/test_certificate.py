"""A certificate that cannot be used is refused at start, with the reason in words; one is renewed without a restart."""

from __future__ import annotations

import ftplib
import io
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from alp_daemon.certificates import ftp_context
from alp_daemon.errors import ConfigurationError
from alp_daemon.sections import TlsSettings
from tests.certificates import write_pair
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site


def reason(certificate: Path, key: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ftp_context(TlsSettings(certificate=certificate, key=key))
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


class TestRenewal:
    """The files hold another pair, and somebody says so."""

    @pytest.fixture
    def certificate(self, certificate: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
        """Files of this test's own, which it may write to."""
        chain, key = (Path(shutil.copy(file, tmp_path)) for file in certificate)
        return chain, key

    @pytest.fixture
    def site(self, make_site: SiteMaker) -> Site:
        return make_site(tls=True, required=True)

    def test_new_connections_get_it_and_old_ones_go_on(self, site: Site) -> None:
        old = enter(site)
        before = seen(old)
        renew(site)
        site.server.reload_certificate()
        new = enter(site)
        assert seen(new) != before
        for session in (old, new):
            session.storbinary("STOR members.csv", io.BytesIO(b"Phone\n2125550123\n"))
        assert [upload["evidence"] for upload in site.settled(2)] == ["proven", "proven"]
        with new.transfercmd("LIST") as data:
            assert isinstance(data, ssl.SSLSocket)
            assert data.getpeercert(binary_form=True) == seen(new), "data connections too"

    def test_a_broken_pair_keeps_the_old_one_and_is_logged(self, site: Site) -> None:
        before = seen(enter(site))
        assert site.settings.ftp.tls
        site.settings.ftp.tls.key.write_text("half of a ke")
        with capture_logs() as lines:
            site.server.reload_certificate()
        assert [line["event"] for line in lines] == ["certificate_not_reloaded"]
        assert seen(enter(site)) == before

    def test_one_that_has_expired_is_taken_and_logged(self, site: Site) -> None:
        assert site.settings.ftp.tls
        before, files = seen(enter(site)), site.settings.ftp.tls
        write_pair(files.certificate, files.key, datetime.now(UTC) - timedelta(days=1))
        with capture_logs() as lines:
            site.server.reload_certificate()
        assert [line["event"] for line in lines] == ["certificate_expires", "certificate_reloaded"]
        assert "expired at" in lines[0]["reason"]
        assert seen(enter(site)) != before, "some clients do not look, and the others say so"

    def test_without_tls_there_is_nothing_to_renew(self, make_site: SiteMaker) -> None:
        site = make_site()
        site.server.reload_certificate()
        assert site.enter().voidcmd("NOOP").startswith("200")


def renew(site: Site) -> None:
    assert site.settings.ftp.tls
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_pem.write_to_path(site.settings.ftp.tls.key)
    issued.cert_chain_pems[0].write_to_path(site.settings.ftp.tls.certificate)


def enter(site: Site) -> ftplib.FTP_TLS:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ftp = ftplib.FTP_TLS(context=context, timeout=20)
    ftp.connect("127.0.0.1", site.server.port)
    ftp.login(site.login.user, site.login.password)
    ftp.prot_p()
    return ftp


def seen(session: ftplib.FTP_TLS) -> bytes | None:
    """The certificate that the server has shown."""
    assert isinstance(session.sock, ssl.SSLSocket)
    return session.sock.getpeercert(binary_form=True)
