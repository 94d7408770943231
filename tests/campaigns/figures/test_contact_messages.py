"""The page of a person tells all that was done to reach them, on every floor."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.calls import Event
from callcenter.people import contact_history
from campaigns import inbox
from campaigns.channels import Receipt, Reply
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_news as news
from campaigns.dispatch.message_news import Answer
from tests.callcenter import cast as calls_cast
from tests.campaigns.cast import LUPITA, Campaign, Cast


def test_the_page_of_a_person_says_why_each_message_did_or_did_not_reach_them(
    session: Session, client_as: Callable[[str], FlaskClient], cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    for one in claims.claim(session, made.id, 10):
        news.record_sent(session, [Answer(one.id, Receipt("queued", "accepted", "SM" + one.phone))])
        news.record_receipt(session, one.id, Receipt("undelivered/30003", "undelivered", None, "30003"))
    inbox.receive(session, Reply("SM1", "sms", LUPITA, LUPITA, "BAJA por favor, soy Lupita"))
    session.commit()
    strategist = client_as("strategist")
    reached = strategist.get(f"/contacts/{cast.lupita.id}").text
    assert made.name in reached
    assert "The phone is off or out of reach" in reached or "apagado" in reached
    assert "soy Lupita" not in reached
    told = {deed.outcome for deed in contact_history.read(session, cast.lupita.id).deeds}
    assert len(told) == 2
    (left_out,) = contact_history.read(session, cast.rosa.id).deeds
    assert left_out.at is None
    assert ": " in left_out.outcome  # the state and its reason


def test_calls_and_messages_stand_in_one_order_and_what_was_not_tried_stands_last(
    session: Session, cast: Cast, campaign: Campaign, client_as: Callable[[str], FlaskClient]
) -> None:
    client_as("supervisor")  # composes the floors
    campaign()
    call_id = calls_cast.planned(session, calls_cast.queue(session, cast.rosa))
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("busy", "busy"))
    session.flush()
    deeds = contact_history.read(session, cast.rosa.id).deeds
    assert [deed.at is None for deed in deeds] == [False, True]
    assert deeds[0].campaign == "Sondeo"
