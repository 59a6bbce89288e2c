"""pyftpdlib's own functional tests against our server.

Those of ``DIFFERING`` must fail, and in the way that is written beside them: it is our policy. Those of ``LEFT_OUT``
are not run, and all others must pass.
"""

from __future__ import annotations

import pytest

from tests.ftp.upstream import Differs, House, classes_of, functional

_JAIL = "no such folder|not an upload of yours"
_WHOLE = "Transfers cannot be resumed; send the whole file"

NOT_OURS = {
    "TestCallbacks": "brings a handler of its own",
    "TestThrottleBandwidth": "brings a data channel of its own",
}
DIFFERING = {
    "TestFtpAuthentication.test_anon_auth": Differs("nobody is anonymous here", "530 Log-in refused"),
    "TestFtpAuthentication.test_auth_failed": Differs("says it in other words", "Actual message: '530 Log-in refused"),
    "TestFtpAuthentication.test_max_auth": Differs("four guesses lock out, not three", "message: '530 Log-in refused"),
    "TestFtpAuthentication.test_rein_during_transfer": Differs("REIN waits for the transfer's end", "timed out"),
    "TestFtpAuthentication.test_user_during_transfer": Differs("USER waits for the transfer's end", "timed out"),
    "TestFtpAuthentication.test_wrong_cmds_order": Differs("says it in other words", "message: '503 Send USER first"),
    "TestFtpDummyCmds.test_rest": Differs("nothing is resumed", _WHOLE),
    "TestFtpFsOperations.test_cdup": Differs("folders are fixed", _JAIL),
    "TestFtpFsOperations.test_cwd": Differs("folders are fixed", _JAIL),
    "TestFtpFsOperations.test_dele": Differs("only own uploads can be deleted", _JAIL),
    "TestFtpFsOperations.test_invalid_mfmt_timeval": Differs("says it in other words", "message: '501 Expected a time"),
    "TestFtpFsOperations.test_mfmt": Differs("MFMT is answered and changes nothing", "assert '20170921013410' in"),
    "TestFtpFsOperations.test_mkd": Differs("folders are fixed", "550 No folder was made"),
    "TestFtpFsOperations.test_pwd": Differs("folders are fixed", _JAIL),
    "TestFtpFsOperations.test_rmd": Differs("folders are fixed", "550 No folder was removed"),
    "TestFtpFsOperations.test_rnfr_rnto": Differs("only own uploads can be renamed", _JAIL),
    "TestFtpFsOperations.test_site_chmod": Differs("modes are fixed", "504 Modes of files cannot be changed"),
    "TestFtpFsOperations.test_size": Differs("SIZE answers in TYPE A too, for schedulers that ask", "DID NOT RAISE"),
    "TestFtpStoreData.test_appe": Differs("nothing is appended", "550 Nothing can be appended"),
    "TestFtpStoreData.test_appe_rest": Differs("nothing is resumed", _WHOLE),
    "TestFtpStoreData.test_failing_rest_on_stor": Differs("nothing is resumed", _WHOLE),
    "TestFtpStoreData.test_quit_during_transfer": Differs("QUIT is answered after the transfer's 226", "timed out"),
    "TestFtpStoreData.test_rest_on_stor": Differs("nothing is resumed", _WHOLE),
    "TestFtpStoreData.test_stor": Differs("uploads cannot be read back", "550 Only files in /reports can be read"),
    "TestFtpStoreData.test_stor_ascii": Differs("uploads cannot be read back", "550 Only files in /reports can be"),
    "TestFtpStoreData.test_stor_ascii_2": Differs("uploads cannot be read back", "550 Only files in /reports can be"),
    "TestFtpStoreData.test_stor_empty_file": Differs("uploads have no name in the file system", "No such file or dir"),
    "TestFtpStoreData.test_stou": Differs("a data connection comes first", "425 Send PASV, EPSV, PORT or EPRT first"),
    "TestFtpStoreData.test_stou_orphaned_file": Differs("nobody is anonymous here", "530 Log-in refused"),
    "TestFtpStoreData.test_stou_rest": Differs("nothing is resumed", _WHOLE),
    "TestFtpRetrieveData.test_restore_on_retr": Differs("nothing is resumed", _WHOLE),
    "TestFtpListingCmds.test_list": Differs("says it in other words", "message: '550 There is no such file"),
    "TestFtpListingCmds.test_mlsd": Differs("folders are fixed", "501 No such directory"),
    "TestFtpListingCmds.test_mlsd_all_facts": Differs("uploads have no inode and no owner", "assert 'unique' in"),
    "TestFtpListingCmds.test_mlst": Differs("says it in other words", "message: '550 There is no such file"),
    "TestFtpListingCmds.test_nlst": Differs("says it in other words", "message: '550 There is no such file"),
    "TestFtpListingCmds.test_stat": Differs("says it in other words", "message: '550 There is no such file"),
    "TestTimeouts.test_pasv_timeout": Differs("nobody is told what he has not asked for", "timed out"),
    "TestConfigurableOptions.test_encoding": Differs("names are UTF-8 always", "assert 'UTF8' not in"),
    "TestConfigurableOptions.test_max_connections": Differs("data connections are not counted", "DID NOT RAISE"),
    "TestConfigurableOptions.test_max_login_attempts": Differs("guesses are counted by address", "DID NOT RAISE"),
    "TestConfigurableOptions.test_passive_ports_busy": Differs("no port outside of the range", "425 All data ports"),
    "ThreadedFTPTests.test_sendfile_fails": Differs("uploads cannot be read back", "550 Only files in /reports can be"),
    "ThreadedFTPTests.test_stou_max_tries": Differs("a data connection comes first", "message: '425 Send PASV"),
}
_BY_THE_CLOCK = "lasts less than a log-in does on a busy machine: see test_login and test_upload"
LEFT_OUT = {
    "TestTimeouts.test_data_timeout": _BY_THE_CLOCK,
    "TestTimeouts.test_data_timeout_not_reached": _BY_THE_CLOCK,
    "TestTimeouts.test_idle_data_timeout1": _BY_THE_CLOCK,
    "TestTimeouts.test_idle_data_timeout2": _BY_THE_CLOCK,
    "ThreadedFTPTests.test_idle_timeout": _BY_THE_CLOCK,
}
OTHERWISE = DIFFERING | LEFT_OUT
_module = functional("test_functional")
globals().update(classes_of(_module, OTHERWISE, NOT_OURS))


@pytest.fixture(autouse=True)
def _in_the_customers_folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    House.of_this_process().receives(request, monkeypatch)


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_differs_is_one_of_theirs(name: str) -> None:
    tests, _, test = name.partition(".")
    assert test in vars(vars(_module)[tests])
