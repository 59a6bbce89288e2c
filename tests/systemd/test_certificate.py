"""`alp-daemon reload` after a certificate was renewed: FTP and the web side show the new one, and nobody restarts."""

from __future__ import annotations

import json
import ssl
import subprocess
from ftplib import FTP_TLS

import pytest
import trustme

from tests.eventually import eventually
from tests.systemd.conftest import COMMAND, Site


def renew(site: Site) -> None:
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_pem.write_to_path(site.folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(site.folder / "chain.pem")


def shown(site: Site) -> tuple[str, bytes | None]:
    """The certificates of the web side and of FTP, each on a new connection."""
    ports = json.loads(site.ports.read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with FTP_TLS(context=context, timeout=20) as ftp:
        ftp.connect("127.0.0.1", ports["ftp"])
        ftp.auth()
        assert isinstance(ftp.sock, ssl.SSLSocket)
        of_ftp = ftp.sock.getpeercert(binary_form=True)
    return ssl.get_server_certificate(("127.0.0.1", ports["web"]), timeout=20), of_ftp


@pytest.fixture
def site(site: Site) -> Site:
    renew(site)
    tls = f"tls: {{certificate: {site.folder}/chain.pem, key: {site.folder}/key.pem}}"
    text = site.config.read_text().replace("ftp: {", f"ftp: {{{tls}, ").replace("web: {", f"web: {{{tls}, ")
    site.config.write_text(text)
    return site


def test_both_show_the_renewed_one(site: Site) -> None:
    site.serve()
    eventually(site.ports.exists, otherwise=site.stderr)
    before = shown(site)
    renew(site)
    subprocess.run([COMMAND, "reload", "--config", site.config], check=True, capture_output=True, timeout=60)
    eventually(lambda: '"event": "reloaded"' in site.stderr(), otherwise=site.stderr)
    web, ftp = shown(site)
    assert web != before[0]
    assert ssl.PEM_cert_to_DER_cert(web) == ftp != before[1]
