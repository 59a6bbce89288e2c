"""The daemon dies while it sends a report: no mail is lost, and one that goes out again can be told."""

from __future__ import annotations

from pathlib import Path

from tests.crash.conftest import ACME
from tests.crash.processes import Step
from tests.crash.provider import Provider
from tests.eventually import eventually
from tests.smtp import AnyPort, Inbox

CUSTOMER, OPERATORS = "lists@acme.example", "operator@example.org"


def test_a_mail_that_goes_out_twice_is_the_same_mail(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "provider")
    provider.set_up({"acme": ACME})
    for name in ("members-1.csv", "members-2.csv"):
        assert provider.run("process", "acme", str(provider.write(name, "Phone,Feeder\n2125550101,north\n"))).code == 79
    inbox = Inbox()
    controller = AnyPort(inbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        settings = (provider.folder / "alp.yaml").read_text()
        smtp = f"smtp: {{host: 127.0.0.1, port: {controller.port}, "
        provider.write("alp.yaml", settings.replace("smtp: {", smtp))
        with provider.daemon([Step("alp_daemon.services.reports.notify:_mark_sent", "before", nth=4)]) as daemon:
            assert daemon.was_killed()
        provider.change("UPDATE outbox SET next_at = '2020'")  # its claim has ended
        with provider.daemon():
            eventually(lambda: not provider.rows("SELECT id FROM outbox WHERE sent_at IS NULL"), otherwise=provider.log)
    finally:
        controller.stop()
    assert [(mail["Subject"], mail["To"]) for mail in inbox.mails] == [
        ("[acme] members-1.csv: held", CUSTOMER),
        ("[acme] members-1.csv: held", OPERATORS),
        ("[acme] members-2.csv: held", CUSTOMER),
        ("[acme] members-2.csv: held", OPERATORS),
        ("[acme] members-2.csv: held", OPERATORS),
    ]
    *once, again = (mail["Message-ID"] for mail in inbox.mails)
    assert len(set(once)) == 4
    assert again == once[-1]
