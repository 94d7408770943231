"""Why one person is not being called: of everything that could keep them, the one thing that does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, queues
from callcenter.attempts import Attempt
from callcenter.contacts import Contact, ContactPhone
from callcenter.queueing import entry_reasons, person_waits, queue_rules
from callcenter.queueing.person_waits import Wait
from callcenter.queues import CallQueue, QueueEntry
from tests.callcenter import cast
from tests.callcenter.gate_cast import NOON, at
from tests.conftest import ClientAs

NIGHT = at(NOON.date(), 23, 0)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOON)


def it_is(monkeypatch: pytest.MonkeyPatch, now: object) -> None:
    for module in (person_waits, consent):
        monkeypatch.setattr(module, "campaign_now", lambda _session: now)


def listed(session: Session, **queue: object) -> tuple[CallQueue, Contact, QueueEntry]:
    """One person on the list of a running queue."""
    who = cast.person(session)
    made = cast.queue(session, who, **queue)
    entry = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == made.id)).one()
    return made, who, entry


def ask(session: Session, queue: CallQueue, who: Contact) -> Wait:
    session.flush()
    return person_waits.in_queue(session, queue, who, simulated=True)


def test_whom_nothing_keeps_is_called_when_it_is_their_turn(session: Session) -> None:
    queue, who, _entry = listed(session)
    queue.why_idle = "operators_busy"
    said = ask(session, queue, who)
    assert (said.code, said.reason, said.until) == ("next", "operators_busy", None)
    assert "call" in said.detail


def test_who_is_not_on_the_list_is_told_so(session: Session) -> None:
    queue, _who, _entry = listed(session)
    assert ask(session, queue, cast.person(session)).code == "not_listed"


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("done", "completed", "Completed"),
        ("done", "max_attempts", "tried as often"),
        ("excluded", "opted_out", "did not accept"),
    ],
)
def test_who_was_dealt_with_or_left_out_has_the_reason(session: Session, state: str, reason: str, words: str) -> None:
    queue, who, entry = listed(session)
    entry.state, entry.reason, entry.attempts = state, reason, 2
    said = ask(session, queue, who)
    assert (said.code, said.reason, said.attempts) == (state, reason, 2)
    assert words in said.detail


def test_who_is_being_called_is_told_so_without_an_old_reason(session: Session) -> None:
    queue, who, entry = listed(session)
    entry.state, entry.reason = "calling", "busy"
    said = ask(session, queue, who)
    assert (said.code, said.detail) == ("calling", "")


@pytest.mark.parametrize("state", ["draft", "paused", "finished"])
def test_a_campaign_that_does_not_run_is_the_reason(session: Session, state: str) -> None:
    queue, who, _entry = listed(session, state=state, state_reason="carrier:no_trunk" if state == "paused" else None)
    said = ask(session, queue, who)
    assert said.code == f"queue_{state}"
    assert ("trunk" in said.detail) == (state == "paused")


def test_who_rests_after_a_try_knows_why_and_until_when(session: Session) -> None:
    queue, who, entry = listed(session)
    entry.reason, entry.not_before, entry.attempts = "busy", NOON + timedelta(minutes=15), 1
    said = ask(session, queue, who)
    assert (said.code, said.reason, said.until) == ("resting", "busy", NOON + timedelta(minutes=15))
    assert said.detail == "Busy"


def test_an_agreed_call_waits_for_its_time(session: Session) -> None:
    queue, who, entry = listed(session)
    entry.is_callback, entry.not_before = True, NOON + timedelta(hours=2)
    said = ask(session, queue, who)
    assert (said.code, said.until) == ("callback_agreed", NOON + timedelta(hours=2))


def test_a_call_promised_by_an_operator_who_is_away_waits_a_quarter_of_an_hour_for_them(session: Session) -> None:
    queue, who, entry = listed(session)
    olga = cast.operator(session, free=False)
    entry.is_callback, entry.not_before = True, NOON - timedelta(minutes=5)
    entry.callback_operator_id = olga.id
    said = ask(session, queue, who)
    assert (said.code, said.until) == ("keeper_away", NOON - timedelta(minutes=5) + queues.OVERDUE)
    entry.not_before = NOON - timedelta(minutes=16)
    assert ask(session, queue, who).code == "next"


def test_the_gate_is_asked_for_whoever_nothing_else_keeps(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, who, _entry = listed(session)
    it_is(monkeypatch, NIGHT)
    said = ask(session, queue, who)
    assert (said.code, said.reason) == ("gate", "hours")
    assert said.until == at(NOON.date() + timedelta(days=1), 9)
    assert said.lifted_by
    it_is(monkeypatch, NOON)
    who.consent = "opted_out"
    assert ask(session, queue, who).reason == "opted_out"


def tried(session: Session, who: Contact, outcome: str, ago: timedelta, phone: str | None = None) -> None:
    """A call that ended so long ago."""
    at = NOON - ago
    session.add(Attempt(id=uuid4(), channel="call", purpose="survey", contact_id=who.id, phone=phone or who.phone,
                        at=at, created_at=at, deadline_at=at, closed_at=at, outcome=outcome))  # fmt: skip
    session.flush()


def test_a_phone_that_picked_up_to_silence_rests_three_days_whoever_is_asked_for(session: Session) -> None:
    queue, who, _entry = listed(session)
    tried(session, cast.person(session), "abandoned", timedelta(hours=71), phone=who.phone)
    said = ask(session, queue, who)
    assert (said.code, said.until) == ("abandoned_rest", NOON + timedelta(hours=1))
    queue, who, _entry = listed(session)
    tried(session, who, "abandoned", timedelta(hours=73))
    assert ask(session, queue, who).code == "next"


def test_a_household_rests_after_a_conversation_with_somebody_else(session: Session) -> None:
    queue, who, _entry = listed(session)
    queue.rules = queue_rules.to_keep(queue_rules.Rules(household_minutes=60))
    tried(session, who, "completed", timedelta(minutes=10))
    assert ask(session, queue, who).code == "next"
    tried(session, cast.person(session), "refused", timedelta(minutes=20), phone=who.phone)
    said = ask(session, queue, who)
    assert (said.code, said.until) == ("household_rest", NOON + timedelta(minutes=40))


def test_a_campaign_that_closes_calls_only_whom_it_promised_to(session: Session) -> None:
    queue, who, entry = listed(session, only_callbacks=True)
    assert ask(session, queue, who).code == "only_callbacks"
    entry.is_callback, entry.not_before = True, NOON - timedelta(minutes=1)
    assert ask(session, queue, who).code == "next"


def test_the_gate_is_asked_of_the_phone_whose_turn_it_is(session: Session) -> None:
    queue, who, entry = listed(session)
    other = ContactPhone(contact_id=who.id, position=1, phone="+529985550101")  # where it is an hour later
    session.add(other)
    session.flush()
    entry.phone_id = other.id
    tried(session, cast.person(session), "abandoned", timedelta(hours=1), phone=other.phone)
    assert ask(session, queue, who).code == "abandoned_rest"


def test_the_page_of_the_person_names_each_campaign_and_what_keeps_them(session: Session, client_as: ClientAs) -> None:
    _queue, who, entry = listed(session, name="Sondeo de mayo")
    over, *_rest = listed(session, state="finished", name="Sondeo de abril")
    queues.fill(session, over.id, select(Contact.id).where(Contact.id == who.id))
    entry.state, entry.reason = "done", "wrong_number"
    session.commit()
    said = client_as("supervisor").get(f"/contacts/{who.id}/verdict", headers={"Accept-Language": "es"}).text
    assert "Sondeo de mayo" in said
    assert 'data-wait="done"' in said
    assert "Sondeo de abril" not in said


def test_every_reason_has_a_sentence() -> None:
    assert all(str(words) for words in entry_reasons.REASONS.values())
    assert entry_reasons.sentence("busy") == "Busy"
    assert entry_reasons.sentence(None) == ""
    assert entry_reasons.sentence("never_heard_of") == "never_heard_of"
