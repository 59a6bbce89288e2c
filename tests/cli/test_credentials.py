"""`alp-daemon credentials`: log-ins of every kind, by the command line."""

from __future__ import annotations

import pytest

from alp_daemon.cli.times import to_seconds
from tests.cli.conftest import Terminal


@pytest.mark.parametrize("kind", ["ftp", "uploader", "admin"])
def test_a_password_is_shown_with_its_user(alp: Terminal, kind: str) -> None:
    issued = alp.json("credentials", "issue", "acme", "--for", kind)
    assert issued.keys() == {"user", "password"}
    assert issued["password"] not in alp("credentials", "list", "acme").out


def test_a_token_is_shown_alone(alp: Terminal) -> None:
    for arguments in (("acme", "--for", "api"), ("--for", "gateway")):
        issued = alp.json("credentials", "issue", *arguments)
        assert issued.keys() == {"token"}
        assert issued["token"].startswith("alp_")
    said = alp("credentials", "issue", "acme", "--for", "api").out
    assert said.startswith("a token of acme-api-2 for api\ntoken     alp_")


def test_operators_are_of_no_customer(alp: Terminal) -> None:
    assert alp.json("credentials", "issue", "--for", "operator", "maria")["user"] == "maria"
    alp.json("credentials", "issue", "--for", "gateway")
    assert [each["user"] for each in alp.json("credentials", "list")] == ["maria", "gateway"]
    assert alp.json("credentials", "revoke", "maria") == {"user": "maria", "revoked": True}
    said = alp("credentials", "revoke", "maria")
    assert said.code == 66
    assert "the provider has no live log-in 'maria'; see `alp-daemon credentials list`" in said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--for", "api"), "--for api: expected a CUSTOMER"),
        (("--for", "operator"), "--for operator: expected the operator's NAME"),
        (("acme", "--for", "gateway"), "--for gateway: expected no name"),
        (("--for", "operator", "Big Boss"), "expected a name of small letters"),
    ],
)
def test_what_does_not_fit_is_said(alp: Terminal, arguments: tuple[str, ...], expected: str) -> None:
    said = alp("credentials", "issue", *arguments)
    assert said.code == 64
    assert expected in said.err


def test_a_customer_must_exist(alp: Terminal) -> None:
    assert alp("credentials", "issue", "nobody", "--for", "api").code == 66


def test_who_revoked_one_is_kept(alp: Terminal) -> None:
    alp.json("credentials", "issue", "acme", "--by", "Ann")
    alp.json("credentials", "revoke", "acme", "acme", "--by", "Bob")
    revoked, live = alp.json("credentials", "list", "acme")
    assert (revoked["revoked_by"], live["issued_by"], live["revoked_by"]) == ("Bob", "Ann", None)
    assert revoked["revoked_at"] is not None
    line = next(line for line in alp("credentials", "list", "acme").out.splitlines() if "Bob" in line)
    issued, ended = (to_seconds(revoked[at]) for at in ("issued_at", "revoked_at"))
    assert line.split() == ["acme", "ftp", issued, revoked["issued_by"], ended, "Bob"]


@pytest.mark.parametrize("arguments", [("credentials", "revoke", "acme", "acme"), ("unlock", "192.0.2.7")])
def test_nobody_is_no_name(alp: Terminal, arguments: tuple[str, ...]) -> None:
    said = alp(*arguments, "--by", " ")
    assert said.code == 64
    assert "expected a name" in said.err


def test_revoke_takes_one_or_two_names(alp: Terminal) -> None:
    assert alp("credentials", "revoke", "acme", "acme-2", "acme-3").code == 64
