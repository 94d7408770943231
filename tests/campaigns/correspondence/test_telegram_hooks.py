from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.settings import Settings
from campaigns.channels import channel_addresses, telegram_bot
from campaigns.inbox import InboundMessage
from tests.campaigns.cast import Cast

ANA = {"id": 5512345, "first_name": "Ana", "last_name": "Lara"}
Bring = Any


@pytest.fixture
def bring(client: FlaskClient, settings: Settings) -> Bring:
    """Brings an update as Telegram does; returns the status and what we answered."""

    def send(number: int, *, secret: str = telegram_bot.secret(settings), **said: Any) -> tuple[int, Any]:
        answer = client.post("/hooks/telegram", json={"update_id": number, **said},
                             headers={telegram_bot.HEADER: secret})  # fmt: skip
        return answer.status_code, answer.get_json(silent=True)

    return send


def text(said: str, **values: Any) -> dict[str, Any]:
    return {"message": {"chat": {"id": 5512345, "type": "private"}, "from": ANA, "text": said, **values}}


def test_nobody_but_telegram_brings_updates(session: Session, cast: Cast, bring: Bring) -> None:
    for forged in ("", "forged", "é"):
        assert bring(1, secret=forged, **text("BAJA"))[0] == 403
    assert session.scalar(select(func.count()).select_from(InboundMessage)) == 0


def test_what_somebody_writes_is_kept_once(session: Session, cast: Cast, bring: Bring) -> None:
    assert [bring(7, **text("Hola")) for _ in range(2)] == [(200, {}), (200, {})]
    inbound = session.scalars(select(InboundMessage)).one()
    assert (inbound.channel, inbound.address, inbound.text, inbound.phone) == ("telegram", "5512345", "Hola", None)


def test_who_comes_by_their_own_link_is_known_from_then_on(
    session: Session, cast: Cast, bring: Bring, settings: Settings
) -> None:
    link = telegram_bot.start_url("@convoca_bot", cast.mario.id, settings).partition("?start=")[2]
    assert bring(1, **text(f"/start {link}")) == (200, {})
    assert channel_addresses.person(session, "telegram", "5512345") == cast.mario.id
    bring(2, **text("¿Quiénes son?"))
    assert session.scalars(select(InboundMessage)).one().contact_id == cast.mario.id


def test_a_stranger_who_starts_the_bot_is_asked_for_their_phone_and_known_by_it(
    session: Session, cast: Cast, bring: Bring
) -> None:
    status, answer = bring(1, **text("/start"))
    assert (status, answer["method"], answer["chat_id"]) == (200, "sendMessage", "5512345")
    assert answer["reply_markup"]["keyboard"][0][0]["request_contact"] is True
    shared = {"phone_number": cast.mario.phone.removeprefix("+"), "user_id": ANA["id"]}
    assert bring(2, **text("", contact=shared))[1]["reply_markup"] == {"remove_keyboard": True}
    assert channel_addresses.person(session, "telegram", "5512345") == cast.mario.id
    assert session.scalar(select(func.count()).select_from(InboundMessage)) == 0


def test_somebody_elses_link_cannot_be_made_up(session: Session, cast: Cast, bring: Bring) -> None:
    assert bring(1, **text("/start AAAAAAAAABEAAAAAAAAAAA"))[1]["method"] == "sendMessage"
    assert channel_addresses.person(session, "telegram", "5512345") is None


@pytest.mark.parametrize("word", ["BAJA", "/stop", "ya no me manden mensajes"])
def test_baja_on_telegram_suppresses_the_phone_of_who_says_it(
    session: Session, cast: Cast, bring: Bring, word: str
) -> None:
    channel_addresses.add(session, cast.mario.id, "telegram", "5512345", source="link")
    bring(1, **text(word))
    assert suppressions.find(session, cast.mario.phone) is not None
    assert channel_addresses.shut(session, "telegram", ["5512345"]) == {"5512345": "unsubscribed"}


def test_who_blocks_the_bot_is_not_written_to_until_they_come_back(session: Session, cast: Cast, bring: Bring) -> None:
    channel_addresses.add(session, cast.mario.id, "telegram", "5512345", source="link")
    for number, status, usable in ((1, "kicked", {}), (2, "member", {cast.mario.id: "5512345"})):
        change = {"chat": {"id": 5512345, "type": "private"}, "new_chat_member": {"status": status}}
        assert bring(number, my_chat_member=change) == (200, {})
        assert channel_addresses.usable(session, "telegram", [cast.mario.id]) == usable


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"update_id": "x"}', b"\xff"])
def test_what_is_no_update_is_refused(client: FlaskClient, settings: Settings, cast: Cast, body: bytes) -> None:
    answer = client.post("/hooks/telegram", data=body, content_type="application/json",
                         headers={telegram_bot.HEADER: telegram_bot.secret(settings)})  # fmt: skip
    assert answer.status_code == 422
