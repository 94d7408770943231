"""The gate over the database: what it reads is what stands there; a batch is answered as one by one."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calendar, consent, suppressions
from callcenter.attempts import UNCOUNTED, Attempt
from callcenter.base import clock
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.consent import Evidence
from callcenter.contacts import Contact
from callcenter.gate import consents, do_not_call, elections, house_rules, rulebook, signoffs
from callcenter.gate.do_not_call import DoNotCallList, DoNotCallPhone
from callcenter.gate.gate_facts import read, read_alike
from callcenter.gate.signoffs import Approval
from callcenter.queues import QueueEntry
from tests.callcenter.cast import person, queue
from tests.callcenter.gate_cast import NOON


@pytest.fixture(autouse=True)
def campaign_day(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon on a Monday of the campaign."""
    elections.set_phases(session, calendar.election_of(date(2027, 6, 6)))
    set_now(monkeypatch, NOON)


def set_now(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    for module in (consent, consents):
        monkeypatch.setattr(module, "campaign_now", lambda _session: now)


def ask(session: Session, who: Contact, channel: str = "call", purpose: str = "survey") -> str | None:
    session.flush()
    said = consent.refusal(session, who.id, channel, purpose, phone=who.phone, simulated=True)
    return said.code if said else None


def attempt(session: Session, who: Contact, ago: timedelta, outcome: str | None, **more: Any) -> Attempt:
    row = Attempt(
        id=uuid4(), **{"channel": "call", "contact_id": who.id, "phone": who.phone} | more, purpose="survey",
        at=NOON - ago, deadline_at=NOON, closed_at=NOON if outcome else None, outcome=outcome,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def said(session: Session, who: Contact, kind: str, channel: str, ago: timedelta) -> None:
    evidence = Evidence(kind, channel, "folio 17", NOON - ago, "test", "aviso 3")
    consents.record(session, who.id, evidence, None)


# ── consent for a channel ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_for_one_channel_counts_for_that_channel_until_a_newer_word(session: Session) -> None:
    who = person(session)
    said(session, who, "opted_in", "all", timedelta(days=9))
    said(session, who, "opted_out", "sms", timedelta(days=5))
    session.refresh(who)
    assert who.consent == "opted_in"
    assert [ask(session, who, channel) for channel in consent.CHANNELS] == [None, "opted_out", None, None, None]
    said(session, who, "opted_in", "all", timedelta(days=1))
    assert ask(session, who, "sms") is None


def test_an_acceptance_for_one_channel_opens_only_that_one(session: Session) -> None:
    who = person(session)
    who.consent = "unknown"
    session.flush()
    said(session, who, "opted_in", "whatsapp", timedelta(days=1))
    session.refresh(who)
    assert who.consent == "unknown"
    assert [ask(session, who, channel, "persuasion") for channel in consent.CHANNELS] == [
        "not_opted_in", "not_opted_in", None, "not_opted_in", "not_opted_in",
    ]  # fmt: skip


def test_an_old_paper_that_is_found_later_changes_nothing_that_came_after_it(session: Session) -> None:
    who = person(session)
    said(session, who, "opted_out", "all", timedelta(days=1))
    said(session, who, "opted_in", "all", timedelta(days=30))
    session.refresh(who)
    assert who.consent == "opted_out"


def test_a_withdrawal_takes_the_person_out_of_the_queues(session: Session) -> None:
    who = person(session)
    made = queue(session, who)
    said(session, who, "opted_out", "all", timedelta(0))
    session.expire_all()
    entry = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == made.id)).one()
    assert (entry.state, entry.reason) == ("excluded", "opted_out")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "perhaps"}, "kind"),
        ({"channel": "letter"}, "channel"),
        ({"proof": "  "}, "proof"),
        ({"text_version": None}, "text_version"),
        ({"at": NOON + timedelta(hours=1)}, "at"),
    ],
)
def test_a_consent_without_its_proof_is_not_kept(session: Session, change: dict[str, Any], field: str) -> None:
    who = person(session)
    evidence: dict[str, Any] = {"kind": "opted_in", "channel": "all", "proof": "folio 1", "at": NOON, "source": "test",
                "text_version": "aviso 3"} | change  # fmt: skip
    with pytest.raises(InvalidInput) as fault:
        consents.record(session, who.id, Evidence(**evidence), None)
    assert set(fault.value.faults) == {field}


# ── suppression ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_says_whether_their_phone_is_suppressed(session: Session) -> None:
    who, other = person(session), person(session)
    suppressions.add(session, who.phone, reason="administrator", source="letter", at=NOON)
    session.refresh(who)
    assert (who.suppressed, suppressions.counts(session)) == (True, {"administrator": 1})
    who.phone, other.phone = other.phone + "0", who.phone
    session.flush()
    assert suppressions.mark(session, [who.id, other.id]) == 2
    session.expire_all()
    assert (who.suppressed, other.suppressed) == (False, True)
    assert suppressions.mark_everybody(session) == 0


def test_a_phone_is_taken_off_the_list_with_a_reason_and_proof_only(session: Session) -> None:
    who = person(session)
    suppressions.add(session, who.phone, reason="call", source="x", at=NOON)
    with pytest.raises(InvalidInput) as fault:
        suppressions.lift(session, who.phone, reason="", proof=" ", user_id=None)
    assert set(fault.value.faults) == {"reason", "proof"}
    suppressions.lift(session, who.phone, reason="asked for it", proof="letter 4", user_id=None)
    session.refresh(who)
    assert (suppressions.find(session, who.phone), who.suppressed) == (None, False)
    with pytest.raises(NotFound):
        suppressions.lift(session, who.phone, reason="again", proof="letter 4", user_id=None)


def test_an_undone_opt_out_unmarks_the_person(session: Session) -> None:
    who = person(session)
    consent.opt_out(session, who.phone, reason="call", proof="call/1", source="operator")
    consent.undo_opt_out(session, who.phone, proof="call/1")
    session.refresh(who)
    assert (who.suppressed, ask(session, who)) == (False, None)


# ── the rules that are data ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_sign_off_opens_its_cell_while_it_holds(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    who = person(session)
    day = date(2027, 6, 4)
    set_now(monkeypatch, NOON.replace(month=6, day=4))
    assert ask(session, who, purpose="neutral_reminder") == "phase_sign_off"
    (election,) = elections.every(session)
    approval = Approval("neutral_reminder", election.id, "silence", "Lic. Prueba", "Oficio 12", day, day)
    row = signoffs.record(session, approval, None)
    assert ask(session, who, purpose="neutral_reminder") is None
    signoffs.withdraw(session, row.id, None)
    assert ask(session, who, purpose="neutral_reminder") == "phase_sign_off"
    with pytest.raises(InvalidInput):
        signoffs.record(session, Approval("gossip", None, "party", "", "", day, day - timedelta(days=1)), None)


def test_hours_caps_and_holidays_of_the_house_hold_at_once(session: Session) -> None:
    who = person(session)
    holiday = house_rules.add_holiday(session, NOON.date(), "Fiesta", None, state=30)
    hours = dict(rulebook.DEFAULT_HOURS)
    hours["holiday"] = (time(13), time(18))
    house_rules.set_hours(session, hours, None, may_widen=False)
    assert ask(session, who) == "hours"
    house_rules.remove_holiday(session, holiday.id, None)
    assert ask(session, who) is None
    house_rules.set_caps(session, 1, 1, None)
    attempt(session, who, timedelta(days=30), "no_answer")
    assert ask(session, who) == "cap_total"


def test_a_register_keeps_out_what_it_is_told_to(session: Session) -> None:
    who = person(session)
    made = DoNotCallList(source="REPEP", made_on=NOON.date(), replaces=True, file_name="x.csv", state="done")
    session.add(made)
    session.flush()
    session.add(DoNotCallPhone(phone_hash=suppressions.phone_hash(who.phone), list_id=made.id))
    assert (ask(session, who, purpose="persuasion"), ask(session, who)) == ("do_not_call", None)
    house_rules.set_do_not_call(session, ["survey"], None)
    assert (ask(session, who, purpose="persuasion"), ask(session, who)) == (None, "do_not_call")
    with pytest.raises(InvalidInput):
        house_rules.set_do_not_call(session, ["privacy_request"], None)
    assert do_not_call.size(session) == 1


# ── households ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_that_just_left_keeps_the_others_of_the_phone_waiting(session: Session) -> None:
    first = person(session)
    other = person(session, "Eva Ruiz", first.phone)
    attempt(session, first, timedelta(minutes=2), None, channel="sms")
    verdict = consent.refusal(session, other.id, "call", "survey", phone=other.phone, simulated=True)
    assert verdict == consent.Refusal("household", NOON + timedelta(minutes=3))
    assert ask(session, first) is None


def test_a_message_whose_receipt_is_there_already_keeps_them_waiting_as_long(session: Session) -> None:
    first = person(session)
    other = person(session, "Eva Ruiz", first.phone)
    attempt(session, first, timedelta(minutes=4), "delivered", channel="sms")
    verdict = consent.refusal(session, other.id, "call", "survey", phone=other.phone, simulated=True)
    assert verdict == consent.Refusal("household", NOON + timedelta(minutes=1))
    assert ask(session, first) is None


def test_a_message_that_waits_for_its_receipt_does_not_keep_the_household_waiting(session: Session) -> None:
    first = person(session)
    other = person(session, "Eva Ruiz", first.phone)
    attempt(session, first, timedelta(minutes=10), None, channel="sms")
    assert ask(session, other) is None


# ── a batch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("channel", consent.CHANNELS)
def test_a_batch_is_answered_as_its_people_one_by_one(session: Session, seed: int, channel: str) -> None:
    dice = random.Random(seed)
    people = _a_crowd(session, dice)
    asked = [(who.id, who.phone) for who in people]
    for purpose in ("survey", "persuasion", "citizen_care"):
        together = consent.refusals(session, asked, channel, purpose, simulated=bool(seed % 2))
        alone = {
            who.id: refusal
            for who in people
            if (refusal := consent.refusal(session, who.id, channel, purpose, phone=who.phone,
                                           simulated=bool(seed % 2)))
        }  # fmt: skip
        assert together == alone
        assert together == _judged_by_every_try(session, asked, channel, purpose, simulated=bool(seed % 2))
        for who in people[:5]:
            said = consent.verdicts(session, who.id, channel, [purpose], phone=who.phone, simulated=bool(seed % 2))
            assert next((one.refusal for one in said[purpose] if one.refusal), None) == together.get(who.id)


def _judged_by_every_try(
    session: Session, people: list[tuple[int, str]], channel: str, purpose: str, *, simulated: bool
) -> dict[int, consent.Refusal]:
    """What the gate says when no try is left out of the facts, though it could refuse nobody."""
    asked = consent.Asked(channel, purpose, NOON, simulated, rulebook.read(session))
    judged = {facts.contact_id: consent.judge(facts, asked) for facts in read(session, people, channel, now=NOON)}
    return {contact_id: refusal for contact_id, refusal in judged.items() if refusal}


@pytest.mark.parametrize("caps", [(1, 2), (1, 4), (2, 6), (3, 3)])
def test_tries_that_refuse_nobody_are_left_out_and_no_others(session: Session, caps: tuple[int, int]) -> None:
    house_rules.set_caps(session, *caps, None)
    people = [(who.id, who.phone) for who in _a_crowd(session, random.Random(caps[1]))]
    every = list(read(session, people, "call", now=NOON))
    few = list(read(session, people, "call", now=NOON, caps=caps))
    assert few != every
    untold: dict[str, Any] = {"phone_total": 0, "phone_recent": None, "person_total": 0, "person_recent": None}
    assert [one._replace(**untold) for one in few] == [one._replace(**untold) for one in every]
    gate = consent.refusals(session, people, "call", "survey", simulated=True)
    assert {"cap_week", "cap_total"} & {one.code for one in gate.values()}
    assert gate == _judged_by_every_try(session, people, "call", "survey", simulated=True)


def test_people_are_told_together_only_when_they_are_alike(session: Session) -> None:
    """Every person once, and nothing but the number and the phone of one's own differs from those of the others."""
    people = _a_crowd(session, random.Random(3))
    areas = ("922", "664", "862")
    asked = [(who.id, f"+52{areas[place % 3]}55{who.phone[-5:]}" if place % 2 else who.phone)
             for place, who in enumerate(people)]  # fmt: skip
    asked += [(people[0].id, "+526645500000"), (10**9, "+529225500000"), (10**9 + 1, "+529225500001")]
    every = {(facts.contact_id, facts.phone): facts for facts in read(session, asked, "sms", now=NOON)}
    groups = list(read_alike(session, asked, "sms", now=NOON))
    assert sorted(contact_id for _, alike in groups for contact_id in alike) == sorted(one for one, _ in asked)
    assert max(len(alike) for _, alike in groups) > 1
    for facts, alike in groups:
        for contact_id in alike:
            twins = [one for one in every.values() if one.contact_id == contact_id and one.zones == facts.zones]
            assert any(one._replace(contact_id=facts.contact_id, phone=facts.phone) == facts for one in twins)


def test_the_facts_are_those_that_a_person_would_count(session: Session) -> None:
    """The one SELECT against a count of the same rows in Python."""
    dice = random.Random(11)
    people = _a_crowd(session, dice)
    tries = list(session.scalars(select(Attempt)))
    own = [one.id for one in tries if dice.random() < 0.2]
    facts = {row.contact_id: row for row in read(session, [(who.id, who.phone) for who in people], "sms", now=NOON,
                                                 own=own)}  # fmt: skip
    counted = [one for one in tries if one.outcome not in UNCOUNTED and not (one.closed_at is None and one.id in own)]
    week = [one for one in counted if one.at > NOON - timedelta(days=7)]
    for who in people:
        found = facts[who.id]
        assert found.phone_total == sum(one.phone == who.phone for one in counted)
        assert found.person_total == sum(one.contact_id == who.id for one in counted)
        assert sorted(found.phone_recent or []) == sorted(one.at for one in week if one.phone == who.phone)
        assert sorted(found.person_recent or []) == sorted(one.at for one in week if one.contact_id == who.id)


@pytest.mark.parametrize("channel", consent.CHANNELS)
@pytest.mark.parametrize("caps", [(1, 1), (3, 6)])
def test_what_is_special_about_few_is_told_of_them_and_of_nobody_else(
    session: Session, channel: str, caps: tuple[int, int]
) -> None:
    """Lists, consents for a channel and phones in use, against the same rows looked at in Python."""
    people = _a_crowd(session, random.Random(5))
    for who, ago in zip(people[:20:2], range(10), strict=True):  # with their receipt, some of them just now
        attempt(session, who, timedelta(minutes=ago), "delivered", channel="sms")
    register = DoNotCallList(source="REPEP", made_on=NOON.date(), replaces=True, file_name="x.csv", state="done")
    session.add(register)
    session.flush()
    session.add(DoNotCallPhone(phone_hash=suppressions.phone_hash(people[3].phone), list_id=register.id))
    session.flush()
    tries = [one for one in session.scalars(select(Attempt)) if one.outcome not in UNCOUNTED]
    said = sorted(session.scalars(select(consent.Consent)), key=lambda one: (one.at, one.id))
    asked = [(who.id, who.phone) for who in people]
    for who, found in zip(people, read(session, asked, channel, now=NOON, caps=caps), strict=True):
        here = [one for one in tries if one.phone == who.phone]
        calls = [one for one in here if one.channel == "call" and one.closed_at is None]
        left = [one.at for one in here if one.channel != "call" and one.contact_id != who.id
                and one.at > NOON - timedelta(minutes=5)]  # fmt: skip
        assert found.is_being_called == bool(calls)
        assert found.is_other_called == any(one.contact_id != who.id for one in calls)
        assert found.other_written_at == max(left, default=None)
        assert found.is_suppressed == (suppressions.find(session, who.phone) is not None)
        assert found.is_in_register == (who.phone == people[3].phone)
        words = [one for one in said if one.contact_id == who.id and one.channel in ("all", channel)]
        assert found.consent == (words[-1].kind if words and words[-1].channel == channel else who.consent)


def _a_crowd(session: Session, dice: random.Random) -> list[Contact]:
    """Forty people on thirty phones, with all that can speak against them."""
    people: list[Contact] = []
    for number in range(40):
        phone = dice.choice(people).phone if number > 20 and dice.random() < 0.5 else None
        who = person(session, phone=phone)
        who.consent = dice.choice(["opted_in", "opted_in", "unknown", "opted_out"])
        who.blocked_at = NOON if dice.random() < 0.1 else None
        who.is_member, who.holds_post = dice.random() < 0.3, dice.random() < 0.3
        who.state, who.municipality = dice.choice([(30, "Minatitlán"), (2, "Tijuana"), (None, None)])
        people.append(who)
    session.flush()
    for who in people:
        for _ in range(dice.choice([0, 0, 1, 2, 4, 6])):
            outcome = dice.choice(["no_answer", "completed", "refused_by_gate", "canceled"])
            attempt(session, who, timedelta(hours=dice.randint(1, 20 * 24)), outcome)
        if dice.random() < 0.1:
            attempt(session, who, timedelta(minutes=dice.randint(0, 9)), None, channel="sms")
        if dice.random() < 0.2:
            session.add(consent.Consent(contact_id=who.id, kind=dice.choice(consents.KINDS), proof="x", source="t",
                                        channel=dice.choice(consents.SCOPES), at=NOON - timedelta(days=1)))  # fmt: skip
    called = dice.sample(sorted({who.phone for who in people}), 3)
    for phone in called:
        attempt(session, next(who for who in people if who.phone == phone), timedelta(0), None)
    suppressions.add(session, dice.choice(people).phone, reason="call", source="t", at=clock.real_now())
    session.flush()
    return people
