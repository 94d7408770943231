"""Machines that pick up, told seconds after the answer: whose call ends, what stays behind, what nobody may undo."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, jobs, operators, queues
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.ledger import voicemail_jobs, voicemails
from callcenter.ledger.call_ledger import CallEvent
from callcenter.ledger.call_scripts import CallScript, _kinds, register
from callcenter.operators import Operator
from callcenter.queueing import abandonment
from callcenter.seats import operator_snapshot
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.test_webhooks import Callback

WORDS = "Le llamamos de parte de Casa Encuestadora. Volveremos a llamar."


@pytest.fixture
def post(app: Flask, settings: Settings) -> Iterator[Callback]:
    with app.test_client() as client:
        yield Callback(client, settings)


@pytest.fixture
def olga(app: Flask, session: Session, carrier: FakeCarrier) -> Operator:
    assert app  # it brings its own carrier, which the invented one replaces
    return cast.operator(session)


def talking(session: Session, mode: str = "on", text: str | None = None) -> UUID:
    """A call that was answered a moment ago, with an operator on it."""
    queue = cast.queue(session, cast.person(session), machine_detection=mode, voicemail_text=text)
    call_id = cast.connected(session, queue)
    session.commit()
    return call_id


def called_again(session: Session, call_id: UUID) -> UUID:
    """The same person's next call, answered."""
    voicemail_jobs.leave(str(call_id))
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    entry = cast.entry(session, call_id)
    entry.not_before = None
    before = cast.call(session, call_id)
    before.placed_at = before.ringing_at = before.hung_up_at = real_now() - timedelta(hours=3)
    before.attempt.closed_at = before.hung_up_at
    session.flush()
    again = cast.connected(session, queues.get(session, entry.queue_id))
    session.commit()
    return again


def free(session: Session, whose: Operator) -> bool:
    """Can they be given a call now?"""
    session.expire_all()
    return session.scalar(select(Operator.id).where(Operator.id == whose.id, operators.is_free(real_now()))) is not None


def judge(post: Callback, call_id: UUID, answered_by: str) -> int:
    return post(f"/hooks/voice/machine/{call_id}", AnsweredBy=answered_by, MachineDetectionDuration="3400")[0]


@pytest.mark.parametrize(
    ("mode", "answered_by", "outcome"),
    [
        ("on", "machine_start", "machine"),
        ("on", "machine_end_beep", "machine"),
        ("on", "fax", "machine"),
        ("on", "human", None),
        ("on", "unknown", None),
        ("on", "a word that comes next year", None),
        ("shadow", "machine_start", None),
        ("off", "machine_start", None),
    ],
)
def test_only_a_clear_machine_ends_a_call_and_only_where_the_campaign_wants_it(
    session: Session, olga: Operator, post: Callback, mode: str, answered_by: str, outcome: str | None
) -> None:
    call_id = talking(session, mode)
    assert (judge(post, call_id, answered_by), judge(post, call_id, answered_by)) == (204, 204)
    assert cast.call(session, call_id).attempt.outcome == outcome
    kept = session.scalars(select(CallEvent.payload).where(CallEvent.kind == "judged")).all()
    assert kept == [{"AnsweredBy": answered_by, "MachineDetectionDuration": "3400"}]


@pytest.mark.parametrize(("answered_by", "outcome"), [("machine_start", "machine"), ("human", "abandoned")])
def test_a_machine_that_found_nobody_free_is_no_abandoned_citizen(
    session: Session, post: Callback, carrier: FakeCarrier, answered_by: str, outcome: str
) -> None:
    queue = cast.queue(session, cast.person(session), machine_detection="on")
    call_id = cast.abandoned(session, queue)
    session.commit()
    assert (judge(post, call_id, answered_by), judge(post, call_id, answered_by)) == (204, 204)
    assert cast.call(session, call_id).attempt.outcome == cast.entry(session, call_id).reason == outcome
    assert abandonment.of_queues(session, [queue.id])[queue.id].abandoned == (outcome == "abandoned")


def test_the_operator_of_a_machines_call_is_free_once_its_leg_is_down(
    session: Session, olga: Operator, post: Callback, carrier: FakeCarrier
) -> None:
    call_id = talking(session)
    judge(post, call_id, "machine_start")
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).call_id) == ("available", None)
    assert free(session, olga) is False  # the machine is still in her room
    jobs.hang_up(str(call_id))
    assert len(carrier.hung_up) == 1
    assert free(session, olga) is True
    assert cast.entry(session, call_id).attempts == 1


@pytest.mark.parametrize(("text", "says"), [(None, "An answering machine"), (WORDS, "it hears our message")])
def test_the_operator_is_told_why_the_call_is_gone(
    app: Flask, session: Session, olga: Operator, post: Callback, text: str | None, says: str
) -> None:
    judge(post, talking(session, text=text), "machine_end_beep")
    with app.test_request_context(headers={"Accept-Language": "en"}):
        shown = operator_snapshot.snapshot(session, olga.id)
    assert shown["call"] is None
    assert says in shown["preview_end"]["says"]


def test_who_has_answered_a_question_is_a_person_whatever_is_said(
    session: Session, olga: Operator, post: Callback
) -> None:
    register("answers", CallScript("x", lambda *_: None, lambda *_: "partial"))
    try:
        call_id = talking(session)
        cast.call(session, call_id).script = "answers/1"
        session.commit()
        judge(post, call_id, "machine_start")
    finally:
        del _kinds["answers"]
    assert cast.call(session, call_id).state == "connected"


def test_the_script_of_a_machines_call_hears_that_it_is_over(session: Session, olga: Operator, post: Callback) -> None:
    over: list[UUID] = []
    register("hears", CallScript("x", lambda _session, call_id: over.append(call_id), lambda *_: None))
    try:
        call_id = talking(session)
        cast.call(session, call_id).script = "hears/1"
        session.commit()
        judge(post, call_id, "machine_start")
        judge(post, call_id, "machine_start")
    finally:
        del _kinds["hears"]
    assert over == [call_id]


def test_after_the_tone_the_machine_hears_the_campaigns_words_and_the_operator_is_free_meanwhile(
    session: Session, olga: Operator, post: Callback, carrier: FakeCarrier
) -> None:
    call_id = talking(session, text=WORDS)
    judge(post, call_id, "machine_end_beep")
    voicemail_jobs.leave(str(call_id))
    voicemail_jobs.leave(str(call_id))
    assert carrier.messages == [(cast.call(session, call_id).carrier_ref, call_id)]
    assert free(session, olga) is True
    jobs.sweep_calls()
    assert carrier.hung_up == []  # nobody cuts the message off
    status, twiml = post(f"/hooks/voice/message/{call_id}")
    assert status == 200
    assert f'<Say language="es-MX">{WORDS}</Say><Hangup' in twiml
    assert post(f"/hooks/voice/message/{call_id}") == (status, twiml)
    found = cast.call(session, call_id)
    assert (found.attempt.outcome, cast.entry(session, call_id).reason) == ("voicemail", "voicemail")


def test_a_person_hears_a_campaigns_message_once(session: Session, olga: Operator, post: Callback) -> None:
    call_id = talking(session, text=WORDS)
    judge(post, call_id, "machine_end_silence")
    post(f"/hooks/voice/message/{call_id}")
    again = called_again(session, call_id)
    judge(post, again, "machine_end_beep")
    assert cast.call(session, again).attempt.outcome == "machine"


def test_an_operator_who_says_voicemail_before_the_tone_leaves_it_to_the_message(
    session: Session, olga: Operator, post: Callback, carrier: FakeCarrier
) -> None:
    call_id = talking(session, text=WORDS)
    calls.dispose(session, call_id, olga.id, "voicemail")
    session.commit()
    voicemail_jobs.leave(str(call_id))
    assert (
        f'<Pause length="1" /><Redirect method="POST">{call_id}</Redirect>'
        in post(f"/hooks/voice/message/{call_id}")[1]
    )
    judge(post, call_id, "machine_end_beep")
    assert WORDS in post(f"/hooks/voice/message/{call_id}")[1]


@pytest.mark.parametrize("answered_by", ["human", "unknown", "machine_start", "fax"])
def test_nothing_is_said_to_who_is_no_machine_at_its_tone(
    session: Session, olga: Operator, post: Callback, answered_by: str
) -> None:
    call_id = talking(session, text=WORDS)
    calls.dispose(session, call_id, olga.id, "voicemail")
    session.commit()
    judge(post, call_id, answered_by)
    twiml = post(f"/hooks/voice/message/{call_id}")[1]
    assert "<Hangup" in twiml
    assert "Say" not in twiml


def test_a_tone_that_never_comes_is_not_waited_for_for_ever(session: Session, olga: Operator, post: Callback) -> None:
    call_id = talking(session, text=WORDS)
    calls.dispose(session, call_id, olga.id, "voicemail")
    cast.patient(session, call_id, voicemails.TONE_PATIENCE.total_seconds() + 1)
    session.commit()
    twiml = post(f"/hooks/voice/message/{call_id}")[1]
    assert "<Redirect" not in twiml
    assert "<Hangup" in twiml


def test_a_word_that_was_taken_back_leaves_no_message(session: Session, olga: Operator, post: Callback) -> None:
    call_id = talking(session, text=WORDS)
    calls.dispose(session, call_id, olga.id, "voicemail")
    calls.undo_disposition(session, call_id, olga.id)
    session.commit()
    judge(post, call_id, "machine_end_beep")
    assert "Say" not in post(f"/hooks/voice/message/{call_id}")[1]


@pytest.mark.parametrize(
    ("fault", "is_hung_up"),
    [
        (ProviderError("over", code="gone", permanent=True), False),
        (ProviderError("away", code="x", unknown=True), True),
    ],
)
def test_a_leg_that_cannot_be_taken_to_the_message_is_let_go(
    session: Session, olga: Operator, post: Callback, carrier: FakeCarrier, fault: ProviderError, is_hung_up: bool
) -> None:
    call_id = talking(session, text=WORDS)
    judge(post, call_id, "machine_end_beep")
    carrier.fails = fault
    voicemail_jobs.leave(str(call_id))
    carrier.fails = None
    assert cast.call(session, call_id).handed_out_at is None
    if is_hung_up:
        jobs.hang_up(str(call_id))
    assert cast.call(session, call_id).hung_up_at is not None
    assert len(carrier.hung_up) == is_hung_up


def test_a_message_whose_end_nobody_told_is_hung_up(
    session: Session, olga: Operator, post: Callback, carrier: FakeCarrier
) -> None:
    call_id = talking(session, text=WORDS)
    judge(post, call_id, "machine_end_beep")
    voicemail_jobs.leave(str(call_id))
    assert voicemails.overdue(session) == []
    cast.call(session, call_id).handed_out_at = real_now() - voicemails.SAYING - timedelta(seconds=1)
    session.commit()
    assert voicemails.overdue(session) == [call_id]


def test_a_judgement_of_a_call_that_is_not_ours_is_nothing(post: Callback) -> None:
    assert judge(post, UUID(int=7), "machine_start") == 404


def test_a_late_judgement_changes_nothing(session: Session, olga: Operator, post: Callback) -> None:
    call_id = talking(session)
    calls.dispose(session, call_id, olga.id, "completed")
    session.commit()
    judge(post, call_id, "machine_start")
    assert cast.call(session, call_id).attempt.outcome == "completed"
