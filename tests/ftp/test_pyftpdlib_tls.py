"""pyftpdlib's own functional tests over TLS, against our server: see ``test_pyftpdlib``."""

from __future__ import annotations

import pytest

from tests.ftp.test_pyftpdlib import DIFFERING, OTHERWISE
from tests.ftp.upstream import Differs, House, classes_of, functional

OVER_TLS = {
    "TestFtpRetrieveDataTLSMixin.test_restore_on_retr": DIFFERING["TestFtpRetrieveData.test_restore_on_retr"],
    "TestFtpListingCmdsTLSMixin.test_nlst": DIFFERING["TestFtpListingCmds.test_nlst"],
    "TestFTPS.test_feat": Differs("AUTH SSL is taken but not offered", "assert 'AUTH SSL' in"),
}

_module = functional("test_functional_ssl")
_module.FTPSServer.tls = True
globals().update(classes_of(_module, OTHERWISE | OVER_TLS))


@pytest.fixture(autouse=True)
def _in_the_customers_folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    House.of_this_process().receives(request, monkeypatch)


@pytest.mark.parametrize("name", OVER_TLS)
def test_what_differs_is_one_of_theirs(name: str) -> None:
    tests, _, test = name.partition(".")
    assert test in vars(vars(_module)[tests])
