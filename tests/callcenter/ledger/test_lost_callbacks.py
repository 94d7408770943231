"""Calls of which Twilio never tells us anything: the ledger's deadline asks its Calls resource, until each is over.

The real client speaks to a simulated carrier whose callbacks end at a program that keeps nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, carriers, consent, jobs
from callcenter.base.clock import real_now
from callcenter.base.settings import Twilio
from callcenter.calls import Event
from callcenter.carriers.twilio.carrier import TwilioCarrier
from callcenter.ledger import call_states
from scripts.simulated_carrier.options import ACCOUNT_SID, AUTH_TOKEN
from tests.callcenter import cast
from tests.scripts.simulated_carrier.line import Line, running

TALKS = '<Response><Pause length="600"/></Response>'


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(consent, "refusals", lambda *_, **__: {})
    with running(None) as line:
        account = Twilio(ACCOUNT_SID, AUTH_TOKEN, line.url)
        carriers.use({"simulated": TwilioCarrier(account, public_url=line.product.url, simulated=True)})
        yield line
        carriers.use({})


def placed(session: Session, line: Line, **does: Any) -> UUID:
    """A call of ours to somebody who does this."""
    person = cast.person(session)
    call_id = cast.planned(session, cast.queue(session, person))
    session.commit()
    line.order(person.phone, **does)
    line.product.pages[f"/hooks/voice/answer/{call_id}"] = TALKS
    jobs.place_calls([str(call_id)])
    return call_id


def status(session: Session, line: Line, call_id: UUID) -> str:
    return line.status(cast.call(session, call_id).carrier_ref or "")


def sweep(session: Session, call_id: UUID) -> str | None:
    """What the ledger says once the deadline has passed and the carrier was asked."""
    cast.age(session, call_id)
    jobs.sweep_calls()
    return cast.call(session, call_id).attempt.outcome


@pytest.mark.parametrize(
    ("does", "ends", "outcome"),
    [
        ({"does": "busy", "ring_seconds": 1}, "busy", "busy"),
        ({"does": "no_answer"}, "no-answer", "no_answer"),
        ({"does": "invalid"}, "failed", "failed"),
        ({"does": "answer", "ring_seconds": 1, "stay_seconds": 1}, "completed", "abandoned"),
    ],
)
def test_an_end_that_nobody_told_is_asked_for(
    session: Session, line: Line, does: dict[str, Any], ends: str, outcome: str
) -> None:
    call_id = placed(session, line, **does)
    line.until(lambda: status(session, line, call_id) == ends, ends)
    assert cast.call(session, call_id).state == "placing"  # as the first answer left it
    assert sweep(session, call_id) == outcome


def test_a_hang_up_that_nobody_told_ends_the_conversation(session: Session, line: Line) -> None:
    olga = cast.operator(session)
    call_id = placed(session, line, does="answer", ring_seconds=1, stay_seconds=600)
    line.until(lambda: status(session, line, call_id) == "in-progress", "answered")
    assert sweep(session, call_id) is None
    assert cast.call(session, call_id).state == "answered"
    assert calls.answer(session, call_id, Event("answered", "answer")) == olga.id
    session.commit()
    line.post("/control/hang-up", {"phone": cast.call(session, call_id).attempt.phone})
    line.until(lambda: status(session, line, call_id) == "completed", "hung up")
    assert sweep(session, call_id) is None
    assert cast.call(session, call_id).state == "wrap_up"
    assert cast.seat(session, olga.id).state == "wrap_up"


def test_a_call_whose_first_answer_was_lost_is_found_by_its_phone(session: Session, line: Line) -> None:
    line.settings(cut_share=1)
    call_id = placed(session, line, does="busy", ring_seconds=1)
    assert cast.call(session, call_id).state == "unknown"
    line.settings(cut_share=0)
    line.until(lambda: line.client.calls.list(status="busy", limit=1), "busy")
    assert sweep(session, call_id) == "busy"
    assert cast.call(session, call_id).carrier_ref is not None


def test_a_call_that_rings_for_ever_is_taken_down_and_counts_as_a_try(session: Session, line: Line) -> None:
    """The known disease: the carrier's own record says `ringing` for ever, and no callback comes."""
    call_id = placed(session, line, does="stuck")
    line.until(lambda: status(session, line, call_id) == "ringing", "ringing")
    assert sweep(session, call_id) is None
    assert sweep(session, call_id) is None
    assert cast.call(session, call_id).state == "ringing"
    planned(session, call_id, call_states.PATIENCE + timedelta(seconds=1))
    assert sweep(session, call_id) == "no_answer"
    jobs.hang_up(str(call_id))
    assert cast.entry(session, call_id).attempts == 1


def test_a_call_that_twilio_keeps_in_its_queue_is_cancelled_and_given_back(session: Session, line: Line) -> None:
    line.settings(calls_per_second=0.01)
    placed(session, line, does="busy")
    call_id = placed(session, line, does="answer")
    line.until(lambda: status(session, line, call_id) == "queued", "queued")
    assert sweep(session, call_id) is None
    planned(session, call_id, call_states.PATIENCE + timedelta(seconds=1))
    assert sweep(session, call_id) == "lost"
    jobs.hang_up(str(call_id))
    line.until(lambda: status(session, line, call_id) in ("canceled", "completed"), "canceled")
    entry = cast.entry(session, call_id)
    assert (entry.state, entry.attempts) == ("waiting", 0)


def planned(session: Session, call_id: UUID, ago: timedelta) -> None:
    cast.call(session, call_id).attempt.created_at = real_now() - ago
    session.commit()
