"""A campaign does not start, nor go on, against what is known of the carrier's account; and it says so beforehand."""

import pytest
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base.errors import Refused
from callcenter.carriers.twilio.account import Finding
from callcenter.telephony import account_checks
from campaigns import calling
from campaigns.calling import CallPlan
from campaigns.segments import Segment

OURS = "+525512340000"
NUMBERS = {"numbers": [{"sid": "PN1", "number": OURS, "name": "", "rings": "here"}], "verified": []}


@pytest.fixture
def draft(session: Session) -> calling.CallCampaign:
    segment = Segment(name="Todas", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = CallPlan(
        name="Encuesta", segment_id=segment.id, purpose="survey", script="operator", carrier="simulated",
        caller_id=OURS, on_behalf_of="Casa", privacy_notice_url="https://example.org/aviso", script_text="Hola",
    )  # fmt: skip
    return calling.create(session, plan, None)


def test_a_known_fault_keeps_a_draft_from_starting_and_a_pause_from_ending(
    session: Session, draft: calling.CallCampaign
) -> None:
    account_checks.keep(session, "simulated", Finding("balance", "fault", "empty"))
    with pytest.raises(Refused, match="balance of the Twilio account is used up") as caught:
        calling.launch(session, draft.id, None, confirmed=True)
    assert caught.value.code == "carrier_account"
    assert draft.frozen_at is None
    account_checks.keep(session, "simulated", Finding("balance", "ok"))
    calling.launch(session, draft.id, None, confirmed=True)
    calling.pause(session, draft.id, "review", None)
    account_checks.keep(session, "simulated", Finding("account", "fault", "20003"))
    with pytest.raises(Refused, match="account SID or auth token"):
        calling.resume(session, draft.id, None)
    assert queues.get(session, draft.queue_id).state == "paused"


def test_a_campaign_with_a_number_that_was_given_back_does_not_start(
    session: Session, draft: calling.CallCampaign
) -> None:
    account_checks.keep(session, "simulated", Finding("numbers", "ok", "", NUMBERS))
    draft.queue.caller_id = "+525500000000"
    with pytest.raises(Refused, match="not one of this Twilio account"):
        calling.launch(session, draft.id, None, confirmed=True)
    draft.queue.caller_id = OURS
    calling.launch(session, draft.id, None, confirmed=True)


@pytest.mark.parametrize("code", ["21215", "20003", "99999"])
def test_a_queue_that_twilio_paused_says_why_in_words(code: str) -> None:
    said = queues.pause_sentence(f"carrier:{code}")
    assert said is not None
    assert f"Twilio {code}" in said
    assert queues.pause_sentence("review") is None
