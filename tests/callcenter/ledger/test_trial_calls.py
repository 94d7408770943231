"""A test call to who prepares a campaign: a row before the carrier hears of it, once, and to their own telephone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import suppressions
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.carriers import BadNumber
from callcenter.ledger import trial_calls, trial_jobs
from callcenter.ledger.trial_calls import TrialCall, Wanted
from callcenter.telephony import trunk_tests
from tests.callcenter.cast import FakeCarrier

MINE = "922 123 4567"
WANTED = Wanted("call-draft/1", "simulated", "+525512340000", "Le llamamos de parte de Casa Encuestadora.")


@pytest.fixture
def me(people: dict[str, User]) -> int:
    return people["strategist"].id


def again(session: Session, trial: TrialCall) -> TrialCall:
    session.flush()
    session.refresh(trial)
    return trial


def test_a_trial_rings_with_the_campaigns_number_and_forgets_whom_it_rang(
    session: Session, carrier: FakeCarrier, me: int
) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    session.commit()
    trial_jobs.ring(str(trial.id))
    assert [(dial.phone, dial.caller_id) for dial in carrier.dialled] == [("+529221234567", "+525512340000")]
    for kind, state in (("ringing", "ringing"), ("answered", "answered"), ("hung_up", "ended"), ("ringing", "ended")):
        assert trial_calls.heard(session, trial.id, Event(kind, kind)) is not None
        assert again(session, trial).state == state
    assert (trial.result, trial.number, trial.shown) == ("played", None, "4567")
    trial_jobs.ring(str(trial.id))
    assert len(carrier.dialled) == 1


@pytest.mark.parametrize("number", ["", "nobody", "12345", "922 123 4567 922 123 4568"])
def test_what_is_no_number_is_not_rung(session: Session, me: int, number: str) -> None:
    with pytest.raises(InvalidInput, match="ten digits"):
        trial_calls.begin(session, number, WANTED, me)


def test_a_suppressed_phone_is_not_called_even_for_a_test(session: Session, me: int) -> None:
    suppressions.add(session, "+529221234567", reason="call", source="operator", at=real_now())
    with pytest.raises(Refused, match="suppression list"):
        trial_calls.begin(session, MINE, WANTED, me)


def test_one_at_a_time_and_not_too_many(session: Session, me: int) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    with pytest.raises(Refused, match="under way"):
        trial_calls.begin(session, MINE, WANTED, me)
    for _more in range(trial_calls.MOST - 1):
        trial_calls.heard(session, trial.id, Event("busy", "busy"))
        trial = trial_calls.begin(session, MINE, WANTED, me)
    trial_calls.heard(session, trial.id, Event("no_answer", "no_answer"))
    with pytest.raises(Refused, match="Wait a little"):
        trial_calls.begin(session, MINE, WANTED, me)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (ProviderError("no", code="21215", permanent=True), "not_placed"),
        (BadNumber("no such", code="21217"), "invalid_number"),
        (ProviderError("silent", unknown=True), None),
    ],
)
def test_what_the_carrier_says_to_it_is_told(
    session: Session, carrier: FakeCarrier, me: int, error: ProviderError, result: str | None
) -> None:
    carrier.fails = error
    trial = trial_calls.begin(session, MINE, WANTED, me)
    session.commit()
    trial_jobs.ring(str(trial.id))
    assert again(session, trial).result == result
    assert trial.is_open == (result is None)


@pytest.mark.parametrize("kind", ["failed", "invalid_number", "not_placed"])
def test_an_end_that_tells_little_by_itself_says_what_the_network_answered(
    session: Session, me: int, kind: str
) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    trial_calls.heard(session, trial.id, Event(kind, kind, {"SipResponseCode": "503"}))
    assert (trial.result, trial.told) == (kind, "sip 503")
    assert "SIP 503" in trial.sentence


def test_a_trial_of_which_nothing_is_heard_is_closed(session: Session, me: int) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    trial.deadline_at = real_now() - timedelta(seconds=1)
    session.flush()
    trial_calls.sweep(session)
    assert (again(session, trial).result, trial.number) == ("unheard", None)


def test_a_switch_tells_of_it_like_of_a_trunks_test(session: Session, me: int) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    assert trunk_tests.heard(session, trial.id, Event("answered", "ami:answered"))
    assert again(session, trial).state == "answered"
    assert not trunk_tests.heard(session, uuid4(), Event("answered", "ami:answered"))


def test_who_picks_up_hears_who_calls_and_the_end_is_noted(
    session: Session, client: FlaskClient, settings: Settings, me: int
) -> None:
    trial = trial_calls.begin(session, MINE, WANTED, me)
    session.commit()

    def post(act: str, status: str) -> str:
        path, form = f"/hooks/voice/{act}/{trial.id}", {"CallSid": "CA1", "CallStatus": status}
        signature = RequestValidator(settings.twilio.auth_token).compute_signature(settings.public_url + path, form)
        answer = client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code in (200, 204), answer.text
        return answer.text

    post("status", "ringing")
    assert again(session, trial).state == "ringing"
    assert WANTED.words in post("answer", "in-progress")
    post("status", "completed")
    assert (again(session, trial).result, trial.number) == ("played", None)
