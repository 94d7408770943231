"""What providers say of our accounts, asked of a server on this machine that answers as Twilio and Telegram do."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import channel_checks, telegram_bot
from campaigns.dispatch import senders
from campaigns.dispatch.senders import Wanted
from campaigns.texts import message_templates

TEMPLATE = {
    "sid": "HX" + "1" * 32, "account_sid": "AC" + "5" * 32, "friendly_name": "aviso", "language": "es_MX",
    "variables": {"1": "vecina"}, "types": {"twilio/text": {"body": "Hola {{1}}"}},
    "approval_requests": {"status": "approved", "category": "UTILITY", "rejection_reason": ""},
    "date_created": "2027-05-10T16:00:00Z", "date_updated": "2027-05-10T16:00:00Z",
}  # fmt: skip
SENDER = {
    "sid": "XE" + "1" * 32, "sender_id": "whatsapp:+525512340001", "status": "ONLINE",
    "properties": {"quality_rating": "YELLOW", "messaging_limit": "1K Customers/24hr"}, "offline_reasons": None,
}  # fmt: skip


class Answers(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, Any]]] = []
    is_away: ClassVar[bool] = False

    def do_GET(self) -> None:
        meta = {"next_page_url": None, "page": 0, "page_size": 50, "url": "http://x", "key": "contents"}
        if self.path.startswith("/v1/ContentAndApprovals"):
            self._say({"contents": [TEMPLATE], "meta": meta})
        else:
            self._say({"senders": [SENDER], "meta": {**meta, "key": "senders"}})

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Answers.asked.append((self.path.rpartition("/")[2], said))
        self._say({"ok": True, "result": {"username": "convoca_bot"} if self.path.endswith("getMe") else True})

    def _say(self, body: dict[str, Any]) -> None:
        self.send_response(503 if Answers.is_away else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"" if Answers.is_away else json.dumps(body).encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def providers(session: Session, settings: Settings) -> Iterator[type[Answers]]:
    Answers.asked, Answers.is_away = [], False
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    channels.configure(replace(
        settings, twilio=replace(settings.twilio, base_url=url),
        telegram=replace(settings.telegram, base_url=url), mail=replace(settings.mail, url="smtp://127.0.0.1:9"),
    ))  # fmt: skip
    yield Answers
    channels.configure(settings)
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_the_providers_have_is_taken_over(session: Session, providers: type[Answers], settings: Settings) -> None:
    channel_checks.check_all()
    [template] = message_templates.every(session, "simulated")
    assert (template.name, template.is_usable, template.text_variables) == ("aviso", True, ["1"])
    found = {(one.channel, one.address): one for one in senders.listed(session)}
    number = found["whatsapp", "whatsapp:+525512340001"]
    assert (number.quality, number.daily_people) == ("YELLOW", 1_000)
    assert ("telegram", "@convoca_bot") in found
    assert ("email", "Convoca <avisos@convoca.example>") in found
    assert {check.fault for check in channel_checks.latest(session).values()} == {None}


def test_the_bot_is_told_where_to_bring_what_people_write(
    session: Session, providers: type[Answers], settings: Settings
) -> None:
    channel_checks.check_all()
    said = dict(providers.asked)["setWebhook"]
    assert said["url"] == "http://convoca.test/hooks/telegram"
    assert said["secret_token"] == telegram_bot.secret(settings)


def test_a_provider_that_does_not_answer_changes_nothing_but_is_told_of(
    session: Session, providers: type[Answers]
) -> None:
    channel_checks.check_all()
    providers.is_away = True
    channel_checks.check_all()
    checks = channel_checks.latest(session)
    assert checks["telegram"].fault == "no_connection"
    assert checks["telegram"].said == {"bot": "@convoca_bot"}
    assert checks["whatsapp"].fault
    assert [one.is_usable for one in message_templates.every(session, "simulated")] == [True]


def test_what_an_administrator_said_of_a_sender_stays(session: Session, providers: type[Answers]) -> None:
    senders.save(session, Wanted("whatsapp", "whatsapp:+525512340001", "simulated", "25", "Centro"), None)
    channel_checks.check_all()
    [number] = senders.listed(session, "whatsapp")
    assert (number.name, number.parts_per_second, number.quality) == ("Centro", 25.0, "YELLOW")
