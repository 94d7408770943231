"""The demonstration, loaded whole into a test's own database."""

import phonenumbers
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.attempts import Attempt
from callcenter.base.auth import ROLES, User
from callcenter.base.clock import DRILL_START
from callcenter.base.settings import Settings
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.queues import QueueEntry
from callcenter.territory import Section
from campaigns.dispatch import message_states
from campaigns.inbox import InboundMessage
from campaigns.messages import Message
from scripts.demo import LOGINS, PASSWORD, SEED, load, logins, people, places, truth
from scripts.simulated_carrier.citizens import SECTION_KINDS, citizen
from surveys import engine
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire


def test_there_is_a_log_in_for_each_role_and_the_newcomer_is_told_all_of_them(demo: Session) -> None:
    roles = {user.roles[0].name: user for user in demo.scalars(select(User))}
    assert set(roles) == set(ROLES) == {login.role for login in LOGINS}
    assert all(user.has_demo_password for user in roles.values())
    said = "\n".join(logins())
    assert all(login.username in said for login in LOGINS)
    assert PASSWORD in said


def test_a_second_load_changes_nothing(app: Flask, demo: Session, settings: Settings) -> None:
    with app.app_context():
        assert "nothing was loaded" in load.load_once(demo, settings)
    assert demo.scalar(select(func.count()).select_from(Contact)) == 400


def test_everybody_is_invented_with_a_phone_nobody_can_have_and_evidence_of_what_they_agreed_to(demo: Session) -> None:
    contacts = demo.scalars(select(Contact)).all()
    assert all(contact.invented for contact in contacts)
    assert all(contact.phone.startswith("+5292201") for contact in contacts)  # no subscriber number begins with 0
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(contact.phone)) for contact in contacts)
    kept = select(consent.Consent.contact_id, consent.Consent.kind).order_by(consent.Consent.id)  # the last one holds
    evidence = dict(demo.execute(kept).all())
    assert {c.id: c.consent for c in contacts if c.consent != "unknown"} == evidence
    agreed = sum(contact.consent == "opted_in" for contact in contacts)
    assert agreed / len(contacts) > 0.8


def test_people_are_who_the_simulated_citizen_behind_their_phone_is(demo: Session) -> None:
    for contact in demo.scalars(select(Contact).limit(50)):
        person = citizen(contact.phone, SEED)
        assert (contact.sex, contact.age) == (person.sex, person.age)
        assert contact.section_number == places.section_at(person.section_kind, person.place)


def test_the_sections_hold_the_nominal_list_and_the_citizens_live_there_in_proportion(demo: Session) -> None:
    counted = demo.execute(select(Section.kind, func.sum(Section.nominal_list)).group_by(Section.kind))
    totals = {kind: total or 0 for kind, total in counted}
    assert sum(totals.values()) == 120_977
    for kind, share in SECTION_KINDS.items():
        assert totals[kind] / 120_977 == pytest.approx(share, abs=0.001)
    assert len(set(people.phones(5000, SEED))) == 5000


def test_the_past_holds_interviews_as_the_engine_would_have_led_them(demo: Session) -> None:
    states = dict(demo.execute(select(Interview.state, func.count()).group_by(Interview.state)).all())
    assert states["complete"] > 25
    forms = demo.scalars(select(Questionnaire).order_by(Questionnaire.id)).all()
    assert len(forms) == 2  # by telephone, and the panel's by link
    for form in forms:
        complete = select(Interview).where(Interview.state == "complete", Interview.questionnaire_id == form.id)
        interview = demo.scalars(complete.order_by(Interview.id).limit(1)).one()
        rows = demo.scalars(select(Answer).where(Answer.interview_id == interview.id)).all()
        answers = {row.item: row.value for row in rows} | {"operator_name": "", "sponsor": ""}
        assert engine.Look(form.items, answers, interview.seed, face=interview.face).is_finished
        assert all(row.counts for row in rows)


def test_the_past_lies_before_the_drill_begins_and_nobody_is_left_in_mid_call(demo: Session) -> None:
    assert all(at < DRILL_START for at in demo.scalars(select(Attempt.at)))
    assert set(demo.scalars(select(Call.state))) == {"ended"}
    entries = dict(demo.execute(select(QueueEntry.state, func.count()).group_by(QueueEntry.state)).all())
    assert entries["done"] > 25
    assert entries["waiting"] > 200
    assert demo.scalar(select(func.count()).select_from(QueueEntry).where(QueueEntry.attempts == 1)) == 120


def test_the_truth_stands_beside_what_was_found(demo: Session) -> None:
    found = truth.compare(demo)
    assert found["n"] > 25
    assert sum(pair["truth"] for pair in found["raw"].values()) == pytest.approx(1, abs=0.001)
    assert sum(pair["found"] for pair in found["effective"].values()) == pytest.approx(1, abs=0.001)
    assert "azul" in truth.as_text(found)


def test_the_sent_messages_have_their_end_and_who_said_baja_is_left_alone(demo: Session) -> None:
    states = dict(
        demo.execute(select(Message.state, func.count()).where(Message.turn == 0).group_by(Message.state)).all()
    )
    assert states["delivered"] > 5
    assert set(states) <= message_states.FINAL
    for reply in demo.scalars(select(InboundMessage).where(InboundMessage.is_opt_out)):
        assert reply.phone is not None
        assert suppressions.find(demo, reply.phone) is not None
