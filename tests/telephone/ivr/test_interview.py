"""A whole interview by telephone keys, through a real Asterisk: the answers stand where the console's would."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from callcenter.base import db
from callcenter.calls import Call
from scripts.ivr.hall import Hall
from scripts.simulated_telephones import Network
from surveys import interviews
from surveys.recorded_calls import Keystrokes, RecordedCall
from tests.telephone.ivr.conftest import Citizen, NewCall
from tests.telephone.manager import until


def disposition(ledger: db.Sessions, call_id: UUID) -> str | None:
    with ledger() as session:
        return session.get_one(Call, call_id).disposition


def test_an_interview_is_answered_by_keys_and_its_answers_stand(
    ledger: db.Sessions, new_call: NewCall, hall: Callable[[Citizen], Hall], network: Network
) -> None:
    citizen = Citizen(network)
    hall(citizen)
    call_id = new_call()
    until(lambda: disposition(ledger, call_id) is not None, seconds=120)
    with ledger() as session:
        interview = interviews.of_call(session, call_id)
        assert interview is not None
        given = {answer.item: answer for answer in interviews.trail(session, interview.id)}
        assert (interview.state, interview.face) == ("complete", "agi")
        assert given["age"].value == "34"
        assert given["problems"].value.count(" ") == 1
        assert given["vote"].choice_order is not None
        assert given["vote"].value == given["vote"].choice_order[0]
        assert session.get_one(Call, call_id).disposition == "completed"
        assert session.get_one(RecordedCall, call_id).met_challenge_at is not None
        strokes = list(session.scalars(select(Keystrokes).order_by(Keystrokes.id)))
        assert [stroke.item for stroke in strokes][:2] == ["consent", "age"]
