"""Answers: messages of the ledger like all others, written only where one may write, and never twice by a slip."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import clock
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, DrillClock, real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.settings import Settings
from callcenter.gate import house_rules
from campaigns import channels
from campaigns.correspondence import conversation_campaigns, conversation_threads
from campaigns.correspondence import conversation_replies as replies
from campaigns.correspondence.conversation_replies import Answer
from campaigns.correspondence.conversations import Conversation
from campaigns.dispatch import message_claims as claims
from campaigns.inbox import InboundMessage
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from tests.campaigns.cast import LUPITA, MARIO, Campaign, Cast
from tests.campaigns.correspondents import OURS, answer, conversation, heard

NIGHT = datetime(2027, 5, 10, 23, 30, tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _channels(settings: Settings) -> None:
    channels.configure(settings)


@pytest.fixture
def olga(people: dict[str, User]) -> int:
    return people["operator"].id


def of_mario(session: Session) -> Conversation:
    return conversation(session, heard(session, MARIO))


def write(session: Session, found: Conversation, said: Answer, user_id: int) -> Message:
    message_id = replies.reply(session, found, said, OURS, user_id)
    session.flush()
    return session.get_one(Message, message_id)


def carriers_of(session: Session) -> list[MessageCampaign]:
    return list(
        session.scalars(select(MessageCampaign).where(MessageCampaign.is_standing).order_by(MessageCampaign.id))
    )


def test_an_answer_leaves_as_it_stands_by_a_campaign_that_inherits_from_the_one_answered(
    session: Session, cast: Cast, campaign: Campaign, olga: int
) -> None:
    made = campaign(on_behalf_of="Casa Encuestadora", purpose="data_verification")
    claims.claim(session, made.id, 10)
    found = of_mario(session)
    message = write(session, found, answer(found, "A las {diez}, don Mario."), olga)
    (carrier,) = carriers_of(session)
    assert (carrier.purpose, carrier.sender, carrier.on_behalf_of) == (made.purpose, made.sender, made.on_behalf_of)
    (letter,) = claims.claim(session, carrier.id, 10)
    assert (letter.id, letter.body, letter.phone) == (message.id, "A las {diez}, don Mario.", MARIO)
    assert (found.waiting_since, found.assigned_to, message.released_by) == (None, olga, olga)


def test_every_answer_of_a_campaign_leaves_by_the_same_one(
    session: Session, cast: Cast, campaign: Campaign, olga: int
) -> None:
    claims.claim(session, campaign().id, 10)
    for phone in (MARIO, LUPITA, MARIO):
        found = conversation(session, heard(session, phone))
        write(session, found, answer(found), olga)
    assert len(carriers_of(session)) == 1


def test_who_wrote_of_their_own_accord_is_answered_as_a_citizen(session: Session, cast: Cast, olga: int) -> None:
    found = of_mario(session)
    write(session, found, answer(found), olga)
    (carrier,) = carriers_of(session)
    assert (carrier.purpose, carrier.sender) == (conversation_campaigns.OWN_PURPOSE, OURS)


def test_no_cap_keeps_us_from_answering(session: Session, cast: Cast, olga: int) -> None:
    house_rules.set_caps(session, per_week=1, in_all=5, user_id=olga)
    found = of_mario(session)
    for number in range(3):
        write(session, found, answer(found, f"Respuesta {number}"), olga)
        (carrier,) = carriers_of(session)
        assert len(claims.claim(session, carrier.id, 10)) == 1


def test_who_said_baja_is_not_answered(session: Session, cast: Cast, olga: int) -> None:
    found = of_mario(session)
    suppressions.add(session, MARIO, reason="sms_reply", source="inbox", at=real_now())
    (way,) = replies.ways(session, found, OURS)
    assert way.fault
    with pytest.raises(Refused, match=way.fault[:20]):
        replies.reply(session, found, answer(found), OURS, olga)
    assert session.scalars(select(Message)).all() == []


def test_an_answer_at_night_waits_for_the_morning(session: Session, cast: Cast, olga: int) -> None:
    found = of_mario(session)
    session.execute(update(DrillClock).values(furthest=NIGHT))
    (way,) = replies.ways(session, found, OURS)
    assert way.waits_until is not None
    assert way.waits_until.astimezone(ZONE).date() == NIGHT.date() + timedelta(days=1)
    write(session, found, answer(found), olga)
    (carrier,) = carriers_of(session)
    assert claims.claim(session, carrier.id, 10) == []
    assert session.scalars(select(Message.state)).all() == ["planned"]


def test_an_answer_to_words_that_somebody_has_not_read_is_not_sent(session: Session, cast: Cast, olga: int) -> None:
    found = of_mario(session)
    said = answer(found)
    heard(session, MARIO, "Mejor ya no, gracias")
    found = conversation(session, heard(session, MARIO, "¿Hola?"))
    with pytest.raises(InvalidInput, match="wrote again"):
        replies.reply(session, found, said, OURS, olga)


def test_the_same_answer_sent_twice_leaves_once(session: Session, cast: Cast, olga: int) -> None:
    found = of_mario(session)
    said = answer(found)
    write(session, found, said, olga)
    with pytest.raises(InvalidInput, match="answered while"):
        replies.reply(session, found, said, OURS, olga)
    assert len(session.scalars(select(Message)).all()) == 1


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "a" * 1601])
def test_an_answer_of_nothing_or_of_too_much_is_refused(session: Session, cast: Cast, olga: int, text: str) -> None:
    found = of_mario(session)
    with pytest.raises(InvalidInput):
        replies.reply(session, found, answer(found, text), OURS, olga)


def test_by_a_channel_of_which_the_person_has_nothing_nobody_is_answered(
    session: Session, cast: Cast, olga: int
) -> None:
    found = of_mario(session)
    with pytest.raises(InvalidInput, match="channels"):
        replies.reply(session, found, answer(found, channel="telegram"), OURS, olga)


def test_whatsapp_takes_free_words_for_a_day_and_then_sms_is_left(session: Session, cast: Cast, olga: int) -> None:
    inbound = heard(session, MARIO, channel="whatsapp", address="whatsapp:+5219221110002", sender="whatsapp:" + OURS)
    found = conversation(session, inbound)
    whatsapp, sms = replies.ways(session, found, OURS)
    assert (whatsapp.channel, whatsapp.fault, sms.channel, sms.fault) == ("whatsapp", "", "sms", "")
    assert whatsapp.closes_at == inbound.received_at + timedelta(hours=24)
    session.execute(update(InboundMessage).values(received_at=real_now() - timedelta(hours=25)))
    session.expire_all()
    whatsapp, sms = replies.ways(session, found, OURS)
    assert whatsapp.fault
    assert not sms.fault
    message = write(session, found, answer(found, channel="sms"), olga)
    assert (message.phone, message.address) == (MARIO, None)


def test_a_landline_that_wrote_by_whatsapp_is_offered_no_sms(session: Session, cast: Cast) -> None:
    inbound = heard(session, cast.rosa.phone, channel="whatsapp", address="whatsapp:x", sender="whatsapp:" + OURS)
    assert [way.channel for way in replies.ways(session, conversation(session, inbound), OURS)] == ["whatsapp"]


def test_somebody_on_no_list_who_wrote_is_answered_until_they_say_baja(session: Session, cast: Cast, olga: int) -> None:
    stranger = "+529229999999"
    found = conversation(session, heard(session, stranger))
    message = write(session, found, answer(found), olga)
    (carrier,) = carriers_of(session)
    assert [letter.id for letter in claims.claim(session, carrier.id, 10)] == [message.id]
    found = conversation(session, heard(session, stranger, "BAJA"))
    assert all(way.fault for way in replies.ways(session, found, OURS))


def test_without_a_sender_the_page_says_so(session: Session, cast: Cast) -> None:
    found = conversation(session, heard(session, MARIO, sender=""))
    (way,) = replies.ways(session, found, "")
    assert "no sender" in way.fault


def test_a_paused_campaign_keeps_answers_for_later_and_a_stopped_one_is_replaced(
    session: Session, cast: Cast, olga: int
) -> None:
    found = of_mario(session)
    write(session, found, answer(found), olga)
    (first,) = carriers_of(session)
    campaigns.pause(session, first.id, "review", None)
    assert replies.is_paused(session, found, "sms")
    write(session, found, answer(found, "Dos"), olga)
    assert carriers_of(session) == [first]
    assert claims.claim(session, first.id, 10) == []
    campaigns.stop(session, first.id, "review", None)
    write(session, found, answer(found, "Tres"), olga)
    assert [one.state for one in carriers_of(session)] == ["stopped", "running"]


def test_the_thread_tells_both_sides_in_the_order_in_which_it_happened(
    session: Session, cast: Cast, campaign: Campaign, people: dict[str, User]
) -> None:
    claims.claim(session, campaign().id, 10)
    found = of_mario(session)
    write(session, found, answer(found, "A las diez."), people["operator"].id)
    lines = conversation_threads.read(session, found)
    assert [(line.kind, line.text[:10]) for line in lines] == [
        ("out", "Hola Mario"), ("in", "¿A qué hor"), ("out", "A las diez"),
    ]  # fmt: skip
    assert (lines[0].by, lines[2].by, lines[2].at) == ("Greeting", people["operator"].full_name, None)
    assert lines[0].at is not None
    assert clock.campaign_now(session) >= lines[0].at
