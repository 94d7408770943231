from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.attempts import Attempt
from callcenter.base import clock
from callcenter.base.errors import InvalidInput, Refused
from campaigns import messages
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_planning
from campaigns.mailings import message_campaigns
from campaigns.messages import Message
from tests.campaigns.cast import Campaign, Cast, message_of, states


def test_a_segment_becomes_rows_once_and_every_person_has_one(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    assert states(session) == {
        "Guadalupe": ("planned", None),
        "Alberto": ("excluded", "household"),
        "Mario": ("planned", None),
        "Rosa": ("excluded", "landline"),
    }
    assert message_planning.write_for_segment(session, made.id) == 0
    assert session.scalar(select(func.count()).select_from(Message)) == 4


def test_who_is_only_planned_has_not_been_tried(session: Session, cast: Cast, campaign: Campaign) -> None:
    campaign()
    assert session.scalar(select(func.count()).select_from(Attempt)) == 0


def test_a_claimed_message_is_dressed_leased_and_a_try(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign("Hola {given_names}, sección {section}")
    claimed = {one.phone: one for one in claims.claim(session, made.id, 10)}
    assert claimed[cast.lupita.phone].body == "Hola Guadalupe, sección 0045"
    assert claimed[cast.lupita.phone].parts == 1
    row = message_of(session, cast.lupita)
    assert row.state == "sending"
    assert row.lease_until is not None
    attempt = session.get_one(Attempt, row.id)
    assert (attempt.channel, attempt.phone, attempt.closed_at) == ("sms", cast.lupita.phone, None)
    assert claims.claim(session, made.id, 10) == []


def test_the_gate_speaks_at_the_moment_of_the_claim(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    consent.opt_out(session, cast.lupita.phone, reason="call", proof="call/1", source="operator")
    claimed = claims.claim(session, made.id, 10)
    assert [one.phone for one in claimed] == [cast.mario.phone]
    assert states(session)["Guadalupe"] == ("excluded", "suppressed")
    assert session.get_one(Attempt, message_of(session, cast.lupita).id).outcome == "excluded"


def test_at_night_messages_wait_for_the_morning(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    night = datetime(2027, 5, 11, 22, 30, tzinfo=ZoneInfo("America/Mexico_City"))
    session.execute(update(clock.DrillClock).values(furthest=night))
    session.expire_all()
    assert claims.claim(session, made.id, 10) == []
    assert states(session)["Guadalupe"] == ("planned", "hours")
    assert message_of(session, cast.lupita).not_before is not None
    assert not claims.has_ready(session, made.id)
    assert claims.has_planned(session, made.id)
    session.execute(update(clock.DrillClock).values(furthest=night + timedelta(hours=12)))
    session.expire_all()
    assert len(claims.claim(session, made.id, 10)) == 2


def test_a_person_without_a_needed_value_is_excluded_not_sent_a_hole(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign("Vecina de {neighborhood}")
    assert [one.phone for one in claims.claim(session, made.id, 10)] == [cast.lupita.phone]
    assert states(session)["Mario"] == ("excluded", "missing_value")


def test_an_erased_person_is_not_written_to(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    row = message_of(session, cast.mario)
    session.delete(cast.mario)
    session.flush()
    assert [one.phone for one in claims.claim(session, made.id, 10)] == [cast.lupita.phone]
    session.refresh(row)
    assert (row.state, row.refusal) == ("excluded", "erased")


def test_a_paused_campaign_gives_nothing_to_send(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    message_campaigns.pause(session, made.id, "price", None)
    assert claims.claim(session, made.id, 10) == []
    message_campaigns.resume(session, made.id, None)
    assert len(claims.claim(session, made.id, 10)) == 2


def test_a_stopped_campaign_marks_who_was_not_written_to(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    assert len(claims.claim(session, made.id, 1)) == 1
    message_campaigns.stop(session, made.id, "wrong text", None)
    assert messages.drop_planned(session, made.id, 100) == 1
    assert messages.drop_planned(session, made.id, 100) == 0
    assert sorted(state for state, _ in states(session).values()) == ["excluded", "excluded", "sending", "stopped"]


def test_the_plan_never_writes_to_one_phone_twice(session: Session, cast: Cast, campaign: Campaign) -> None:
    campaign()
    per_phone = select(func.count()).where(Message.state != "excluded").group_by(Message.phone)
    assert set(session.scalars(per_phone)) == {1}


@pytest.mark.parametrize("text", ["", "Hola {nombre}", "Hola {given_names", "x" * 1601])
def test_a_faulty_wording_makes_no_campaign(session: Session, cast: Cast, campaign: Campaign, text: str) -> None:
    with pytest.raises(InvalidInput):
        campaign(text)


def test_a_stopped_campaign_stays_stopped(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    message_campaigns.stop(session, made.id, "wrong text", None)
    with pytest.raises(Refused):
        message_campaigns.resume(session, made.id, None)


def test_a_reply_is_the_next_turn_and_is_sent_as_it_stands(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    body = "Con gusto, {given_names}: mañana a las 9."
    first = messages.add_reply(session, made.id, cast.mario.id, body, phone=cast.mario.phone, user_id=None)
    second = messages.add_reply(session, made.id, cast.mario.id, "Y algo más.", phone=cast.mario.phone, user_id=None)
    assert [session.get_one(Message, one).turn for one in (first, second)] == [1, 2]
    by_id = {one.id: one for one in claims.claim(session, made.id, 10)}
    assert by_id[first].body == body


def test_a_stranger_is_answered_until_they_want_nothing_more(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    stranger = "+529229990000"
    messages.add_reply(session, made.id, None, "Gracias.", phone=stranger, user_id=None)
    assert [one.phone for one in claims.claim(session, made.id, 10)] == [stranger]
    suppressions.add(session, stranger, reason="reply", source="inbox", at=clock.real_now())
    late = messages.add_reply(session, made.id, None, "Una cosa más.", phone=stranger, user_id=None)
    assert claims.claim(session, made.id, 10) == []
    assert session.get_one(Message, late, populate_existing=True).refusal == "suppressed"


def test_what_is_held_waits_until_somebody_releases_it(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    session.execute(update(Message).values(is_held=True))
    assert claims.claim(session, made.id, 10) == []
    assert claims.has_planned(session, made.id)
    assert not claims.has_ready(session, made.id)
    assert messages.release(session, [message_of(session, cast.mario).id], None) == 1
    assert [one.phone for one in claims.claim(session, made.id, 10)] == [cast.mario.phone]
    assert messages.release(session, Message.campaign_id == made.id, None) == 1


def test_a_claim_writes_who_carries_it_and_what_a_part_costs(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    claims.claim(session, made.id, 10)
    row = message_of(session, cast.mario)
    assert row.sender_id is not None
    assert row.unit_price == made.unit_price


def test_what_was_claimed_and_did_not_leave_is_planned_again(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    one, other = claims.claim(session, made.id, 10)
    claims.give_back(session, [one.id])
    assert [again.id for again in claims.claim(session, made.id, 10)] == [one.id]
    assert session.get_one(Message, other.id).state == "sending"
