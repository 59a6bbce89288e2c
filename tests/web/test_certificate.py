"""A certificate is renewed while the server runs: new connections get it, old ones go on."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.certificates import write_pair
from tests.web.conftest import SiteMaker
from tests.web.site import Site, tls_1_1

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(site: Site, name: str | None = None) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(site.connect(), server_hostname=name)


def shown(site: Site, name: str | None = None) -> bytes | None:
    """The certificate that a new connection gets."""
    with connect(site, name) as connection:
        return connection.getpeercert(binary_form=True)


def renew(folder: Path) -> None:
    """What a certificate's renewal leaves in the two files."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "web.key")
    issued.cert_chain_pems[0].write_to_path(folder / "web.crt")


@pytest.mark.parametrize("name", [None, "lists.provider.example"])
def test_new_connections_get_the_new_one_and_old_ones_go_on(
    make_site: SiteMaker, tmp_path: Path, name: str | None
) -> None:
    site = make_site(tls=trustme.CA())
    before = shown(site, name)
    with connect(site, name) as old:
        renew(tmp_path)
        assert shown(site, name) == before, "nobody has said so yet"
        site.server.reload_certificate()
        old.sendall(GET)
        assert old.recv(15) == b"HTTP/1.1 200 OK"
    after = shown(site, name)
    assert after != before
    assert after is not None
    assert ssl.DER_cert_to_PEM_cert(after).strip() in (tmp_path / "web.crt").read_text()


@pytest.mark.parametrize("broken", ["certificate", "key", "both are there and do not fit"])
def test_a_broken_pair_keeps_the_old_one_and_is_logged(
    make_site: SiteMaker, tmp_path: Path, broken: str, logged: Callable[[], str]
) -> None:
    site = make_site(tls=trustme.CA())
    before = shown(site)
    if broken == "certificate":
        (tmp_path / "web.crt").write_text("half of a certifica")
    elif broken == "key":
        (tmp_path / "web.key").unlink()
    else:
        trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(tmp_path / "web.key")
    logged()
    site.server.reload_certificate()
    said = logged()
    assert '"event": "certificate_not_reloaded"' in said
    assert str(tmp_path / "web.crt") in said
    assert shown(site) == before


def test_one_that_has_expired_is_taken_and_logged(
    make_site: SiteMaker, tmp_path: Path, logged: Callable[[], str]
) -> None:
    site = make_site(tls=trustme.CA())
    before = shown(site)
    assert '"event": "certificate_expires"' not in logged()
    write_pair(tmp_path / "web.crt", tmp_path / "web.key", datetime.now(UTC) - timedelta(days=1))
    site.server.reload_certificate()
    said = logged()
    assert '"event": "certificate_expires"' in said
    assert f"{tmp_path / 'web.crt'}" in said
    assert shown(site) != before


def test_without_tls_there_is_nothing_to_renew(site: Site) -> None:
    site.server.reload_certificate()
    assert site.client().get("/healthz").status_code == 200


def test_nothing_older_than_tls_1_2_after_a_renewal_either(make_site: SiteMaker) -> None:
    site = make_site(tls=trustme.CA())
    site.server.reload_certificate()
    with site.connect() as connection, pytest.raises(ssl.SSLError):
        tls_1_1().wrap_socket(connection)
