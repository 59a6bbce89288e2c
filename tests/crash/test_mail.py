"""The daemon dies while it sends a report: no mail is lost, and one that goes out again can be told."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.crash.conftest import ACME
from tests.crash.processes import Step, eventually
from tests.crash.provider import Provider


class Inbox:
    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b""))
        return "250 OK"


class AnyPort(Controller):
    """Takes port 0, and knows afterwards which one it got."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


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
        with provider.daemon([Step("alp_daemon.services.notify:_mark_sent", "before", nth=2)]) as daemon:
            assert daemon.was_killed()
        provider.change("UPDATE outbox SET next_at = '2020'")  # its claim has ended
        with provider.daemon():
            eventually(lambda: not provider.rows("SELECT id FROM outbox WHERE sent_at IS NULL"), provider.log)
    finally:
        controller.stop()
    assert [mail["Subject"] for mail in inbox.mails] == [
        "[acme] members-1.csv: held",
        "[acme] members-2.csv: held",
        "[acme] members-2.csv: held",
    ]
    first, second, again = (mail["Message-ID"] for mail in inbox.mails)
    assert first != second == again
