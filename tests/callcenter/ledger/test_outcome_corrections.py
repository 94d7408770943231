"""A supervisor corrects an outcome: the person follows the new word, and the ledger keeps both."""

from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, queues, suppressions
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.calls import Event
from callcenter.ledger import outcome_corrections
from callcenter.ledger.call_ledger import CallEvent
from callcenter.queues import CallQueue
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, post
from tests.callcenter import cast

make_person, sign_in = base.make_person, base.sign_in


@pytest.fixture
def sergio(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("supervisor", username="sergio"))


def coded(session: Session, queue: CallQueue, code: str = "completed") -> UUID:
    """A call to which its operator gave this outcome, longer ago than they may take it back."""
    olga = cast.operator(session)
    call_id = cast.connected(session, queue)
    calls.dispose(session, call_id, olga.id, code)
    cast.call(session, call_id).disposition_at = real_now() - timedelta(seconds=11)
    session.flush()
    return call_id


def boss(session: Session) -> int:
    return cast.operator(session, "susana", free=False).user_id


def test_the_new_word_holds_and_the_old_one_is_kept_with_the_reason(session: Session) -> None:
    call_id = coded(session, cast.queue(session, cast.person(session)))
    made = outcome_corrections.correct(session, call_id, "refused", "Se oye que no quiso", boss(session))
    call = cast.call(session, call_id)
    assert (call.disposition, call.attempt.outcome) == ("refused", "refused")
    ((kept, by),) = outcome_corrections.of_call(session, call_id)
    assert (kept.id, kept.was, kept.now, kept.reason, by) == (
        made.id, "completed", "refused", "Se oye que no quiso", "Susana")  # fmt: skip
    events = session.scalars(select(CallEvent).where(CallEvent.call_id == call_id, CallEvent.kind == "corrected")).all()
    assert [event.payload["was"] for event in events] == ["completed"]


def test_the_person_is_called_again_when_the_new_word_says_so(session: Session) -> None:
    call_id = coded(session, cast.queue(session, cast.person(session)), "wrong_number")
    assert cast.entry(session, call_id).state == "done"
    outcome_corrections.correct(session, call_id, "not_available", "Era otra voz de la casa", boss(session))
    assert cast.entry(session, call_id).state == "waiting"
    at = campaign_now(session) + timedelta(hours=3)
    outcome_corrections.correct(session, call_id, "callback", "Pidió otra hora", boss(session), callback_at=at)
    entry = cast.entry(session, call_id)
    assert (entry.is_callback, entry.not_before) == (True, at)
    assert len(outcome_corrections.of_call(session, call_id)) == 2


def test_a_person_who_was_called_since_keeps_their_place(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    call_id = coded(session, queue, "voicemail")
    entry = cast.entry(session, call_id)
    entry.not_before = None
    cast.call(session, call_id).attempt.closed_at = real_now() - timedelta(minutes=2)
    session.flush()
    (again,) = queues.claim(session, queue.id, 1)
    made = outcome_corrections.correct(session, call_id, "completed", "Sí contestó", boss(session))
    assert not made.is_followed
    assert (again.state, cast.call(session, call_id).disposition) == ("calling", "completed")


def test_do_not_contact_takes_hold_whenever_it_is_said_and_is_never_lifted_by_a_correction(session: Session) -> None:
    person = cast.person(session)
    call_id = coded(session, cast.queue(session, person))
    outcome_corrections.correct(session, call_id, "do_not_call", "Lo pidió al final", boss(session))
    assert suppressions.find(session, person.phone) is not None
    outcome_corrections.correct(session, call_id, "completed", "Me equivoqué", boss(session))
    assert suppressions.find(session, person.phone) is not None


def test_a_call_that_its_operator_left_uncoded_gets_its_word(session: Session) -> None:
    cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    calls.record_event(session, call_id, Event("not_coded", "not_coded"))
    made = outcome_corrections.correct(session, call_id, "completed", "La grabación está completa", boss(session))
    assert (made.was, cast.call(session, call_id).disposition) == ("not_coded", "completed")
    assert cast.entry(session, call_id).state == "done"


def test_an_open_call_one_of_a_moment_ago_and_one_in_which_nobody_spoke_are_refused(session: Session) -> None:
    queue, by = cast.queue(session, *[cast.person(session) for _ in range(2)]), boss(session)
    rung = cast.rung(session, queue)
    olga = cast.operator(session)
    open_call = cast.connected(session, queue)
    codes = []
    for call_id in (rung, open_call):
        with pytest.raises(Refused) as refusal:
            outcome_corrections.correct(session, call_id, "completed", "Porque sí", by)
        codes.append(refusal.value.code)
    calls.dispose(session, open_call, olga.id, "refused")
    calls.record_event(session, rung, Event("busy", "busy"))
    for call_id in (open_call, rung):
        with pytest.raises(Refused) as refusal:
            outcome_corrections.correct(session, call_id, "completed", "Porque sí", by)
        codes.append(refusal.value.code)
    assert codes == ["call_open", "call_open", "undo_open", "nobody_spoke"]


@pytest.mark.parametrize(
    ("code", "reason", "field"),
    [("completed", "Igual", "code"), ("refused", "  ", "reason"), ("refused", "x" * 301, "reason"),
     ("callback", "Pidió otra hora", "callback_at"), ("nonsense", "Por eso", "code")],
)  # fmt: skip
def test_a_correction_without_reason_sense_or_time_is_refused(
    session: Session, code: str, reason: str, field: str
) -> None:
    call_id = coded(session, cast.queue(session, cast.person(session)))
    with pytest.raises(InvalidInput) as fault:
        outcome_corrections.correct(session, call_id, code, reason, boss(session))
    assert field in fault.value.faults


def test_a_supervisor_finds_the_call_corrects_it_and_loses_nothing_on_a_mistake(
    session: Session, sergio: FlaskClient
) -> None:
    call_id = coded(session, cast.queue(session, cast.person(session, "Zoraida Luna"), name="Sondeo del puerto"))
    session.commit()
    listed = sergio.get("/floor/calls/?outcome=completed").text
    assert str(call_id) in listed
    assert "Zoraida" not in listed
    address = f"/floor/calls/{call_id}"
    answer = post(
        sergio, address, {"code": "callback", "reason": "Pidió otra hora", "callback_text": "ayer"}, page=address
    )
    assert answer.status_code == 422
    assert "Pidió otra hora" in answer.text
    assert 'value="ayer"' in answer.text
    form = {"code": "callback", "reason": "Pidió otra hora", "callback_text": "mañana a las 11"}
    assert post(sergio, address, form, page=address).status_code == 302
    assert cast.entry(session, call_id).is_callback
    assert "Pidió otra hora" in sergio.get(address).text
    assert str(call_id) in sergio.get("/floor/calls/?corrected=1").text
    lines = sergio.get("/floor/calls/calls.csv").data.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "Sondeo del puerto" in lines[1]


def test_a_call_nobody_knows_is_not_found_and_operators_do_not_get_in(
    session: Session, sergio: FlaskClient, make_person: MakePerson, sign_in: SignIn
) -> None:
    assert sergio.get("/floor/calls/00000000-0000-4000-8000-000000000000").status_code == 404
    assert sign_in(make_person("operator", username="olivia")).get("/floor/calls/").status_code == 403
