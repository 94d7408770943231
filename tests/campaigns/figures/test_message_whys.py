"""Why a message reached a person, or did not: in every state, and of who is on no list."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact
from campaigns import segments
from campaigns.dispatch import message_states
from campaigns.figures import message_whys
from campaigns.figures.message_whys import Why
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import MessageReceipt
from campaigns.segmenting import frozen_segments, membership
from campaigns.segmenting.segment_nodes import EVERYBODY
from tests.campaigns.cast import LUPITA, MARIO, Campaign, Cast, message_of, person
from tests.campaigns.message_ends import beside_the_list, end

IN_CENTRO = {"all": [{"field": "neighborhood", "op": "is", "value": "Centro"},
                     {"field": "section", "op": "in", "value": [45]}]}  # fmt: skip


@pytest.fixture(autouse=True)
def in_english(app: Flask) -> object:
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        yield


def why(session: Session, campaign: MessageCampaign, contact: Contact) -> Why:
    return message_whys.of_person(session, campaign, contact.id)


def step(found: Why, code: str) -> tuple[str, str]:
    (one,) = (each for each in found.steps if each.code == code)
    return one.state, one.sentence


def test_it_arrived_and_everything_that_let_it_through_is_told(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    message = end(session, cast.lupita, "delivered")
    for key in ("sent", "delivered"):
        session.add(MessageReceipt(message_id=message.id, key=key, payload={"To": LUPITA}))
    session.flush()
    found = why(session, made, cast.lupita)
    assert (found.verdict, found.kind) == ("It arrived.", "success")
    assert [one.code for one in found.steps] == ["list", "gate", "sent", "taken", "end"]
    assert "version 1" in step(found, "list")[1]
    assert [one.said for one in found.heard] == ["sent", "delivered"]
    assert found.body == "Hola"
    assert LUPITA not in str(found.steps) + str(found.heard)


@pytest.mark.parametrize("state", [state for state in message_states.NEXT if state != "planned"])
def test_every_state_has_its_answer(session: Session, cast: Cast, campaign: Campaign, state: str) -> None:
    made = campaign()
    values = {"excluded": {"refusal": "opted_out"}, "failed": {"error_code": "30003"},
              "undelivered": {"error_code": "30003"}}.get(state, {})  # fmt: skip
    end(session, cast.lupita, state, **values)
    found = why(session, made, cast.lupita)
    assert found.verdict.endswith(".")
    assert found.kind in ("success", "danger", "warning", "info")
    assert message_whys.brief(made, found.message) == (found.verdict, found.kind)


def test_a_failure_is_told_with_its_code_and_an_exclusion_with_who_lifts_it(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    message = end(session, cast.mario, "undelivered", error_code="30007")
    session.add(MessageReceipt(message_id=message.id, key="undelivered/30007"))
    session.add(MessageReceipt(message_id=message.id, key="not_listed"))
    session.flush()
    found = why(session, made, cast.mario)
    assert "filter" in found.verdict
    assert (found.heard[0].code, found.heard[0].means) == ("30007", "A carrier's filter took it for unwanted.")
    assert (found.heard[1].said, "list" in found.heard[1].means) == ("", True)
    assert step(why(session, made, cast.rosa), "gate") == ("stopped", "A landline takes no SMS.")
    end(session, cast.lupita, "excluded", refusal="not_opted_in")
    assert "Only the person themselves" in step(why(session, made, cast.lupita), "gate")[1]


def test_who_waits_is_told_for_what(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    message = message_of(session, cast.mario)
    assert why(session, made, cast.mario).verdict.endswith("its turn has not come.")
    message.refusal, message.not_before = "hours", campaign_now(session) + timedelta(hours=9)
    session.flush()
    waits = why(session, made, cast.mario)
    assert "calling hours" in waits.verdict
    assert step(waits, "gate")[0] == "waits"
    message.is_held, message.refusal = True, None
    session.flush()
    assert step(why(session, made, cast.mario), "wave")[0] == "waits"
    message.is_held, made.state, made.state_reason = False, "paused", "complaints"
    session.flush()
    assert "Complaints" in why(session, made, cast.mario).verdict


def test_answers_are_told_but_not_what_they_said(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    end(session, cast.mario, "delivered")
    session.add(InboundMessage(provider_ref="SMin", channel="sms", phone=MARIO, contact_id=cast.mario.id,
                               text="Baja por favor", at=campaign_now(session), received_at=real_now(),
                               is_opt_out=True))  # fmt: skip
    session.flush()
    found = why(session, made, cast.mario)
    assert step(found, "reply") == ("news", "They asked not to be contacted again.")
    assert "por favor" not in str(found.steps)


def test_tests_and_conversations_say_what_they_are_and_show_no_text(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    for values, word in (({"wave": 2}, "test"), ({"turn": 3}, "conversation")):
        message = beside_the_list(session, made, "sent", **values)
        found = message_whys.of_message(session, message)
        assert word in step(found, "list")[1]
        assert found.body is None


def test_who_is_not_on_the_list_is_told_which_condition_keeps_them_off(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    made.segment.rule = IN_CENTRO
    late = person("Nadia Lara", "+529221110009")
    session.add(late)
    session.flush()
    found = why(session, made, late)
    assert found.verdict == "Nothing was sent: this person is not on the list of the campaign."
    assert step(found, "list") == ("stopped", "The rule does not mean them.")
    assert found.membership is not None
    assert [one.is_met for one in found.membership.conditions] == [False, True]
    late.neighborhood = "Centro"
    session.flush()
    assert "did not when the list was frozen" in step(why(session, made, late), "list")[1]
    assert step(why(session, made, late), "gate")[0] in ("passed", "stopped")


def test_a_suppressed_person_off_the_list_is_told_so(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    late = person("Nadia Lara", "+529221110009")
    session.add(late)
    session.flush()
    suppressions.add(session, late.phone, reason="sms_reply", source="test", at=campaign_now(session))
    assert "asked not to be contacted" in step(why(session, made, late), "gate")[1]


def test_a_frozen_list_is_asked_by_its_own_members(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    frozen = frozen_segments.freeze(session, EVERYBODY, made.segment, None)
    made.frozen_segment_id = frozen.id
    late = person("Nadia Lara", "+529221110009")
    session.add(late)
    session.commit()
    assert not membership.is_on_frozen_list(session, frozen.id, late.id)
    assert membership.is_on_frozen_list(session, frozen.id, cast.lupita.id)
    assert why(session, made, late).verdict.startswith("Nothing was sent")


def test_before_the_list_is_frozen_nobody_is_said_to_be_left_out(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    made = campaign()
    made.planned_at = None
    late = person("Nadia Lara", "+529221110009")
    session.add(late)
    session.flush()
    assert why(session, made, late).kind == "info"
    assert step(why(session, made, late), "list")[0] == "waits"


def test_a_rule_that_names_what_is_gone_says_so(session: Session, cast: Cast) -> None:
    found = membership.look(session, {"all": [{"frozen": 999_999}]}, cast.lupita.id)
    assert (found.is_meant, found.conditions) == (None, ())


def test_groups_in_a_rule_are_told_in_words(session: Session, cast: Cast) -> None:
    rule = {"any": [{"all": [{"field": "section", "op": "in", "value": [45]}]}, {"not": []}]}
    segments.validate(session, rule)
    found = membership.look(session, rule, cast.lupita.id)
    assert [one.is_met for one in found.conditions] == [True, True]
    assert all(one.words for one in found.conditions)


def test_nobody_and_nothing_are_not_found(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    with pytest.raises(NotFound):
        message_whys.of_person(session, made, 999_999_999)
    with pytest.raises(NotFound):
        message_whys.find(session, uuid4())
