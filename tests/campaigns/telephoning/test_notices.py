"""Launching a purpose of which the calendar warns asks for somebody's word, and keeps it."""

from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import ZONE
from callcenter.base.errors import Refused
from callcenter.gate import elections
from campaigns import calling
from campaigns.calling import CallCampaign, CallPlan
from campaigns.segments import Segment
from campaigns.telephoning import notices


@pytest.fixture
def draft(session: Session, monkeypatch: pytest.MonkeyPatch) -> CallCampaign:
    """A campaign of verification, in the silence."""
    elections.set_phases(session, calendar.election_of(date(2027, 6, 6)))
    monkeypatch.setattr(notices, "campaign_now", lambda _session: datetime(2027, 6, 4, 12, tzinfo=ZONE))
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = CallPlan("Verificación", segment.id, "data_verification", "operator", "simulated", "+525512340000",
                    "Casa", "https://example.org/aviso", "Buenas tardes")  # fmt: skip
    return calling.create(session, plan, None)


def test_a_launch_under_notice_needs_a_word_and_keeps_it(session: Session, draft: CallCampaign) -> None:
    with pytest.raises(Refused, match="confirmed"):
        calling.launch(session, draft.id, None)
    calling.launch(session, draft.id, None, confirmed=True)
    row = session.scalars(select(AuditEntry).where(AuditEntry.action == "campaigns.confirm_notice")).one()
    assert (row.subject, row.detail["purpose"]) == (f"call-campaign/{draft.id}", "data_verification")


def test_what_the_calendar_lets_through_freely_asks_nothing(session: Session, draft: CallCampaign) -> None:
    draft.queue.purpose = "survey"
    calling.launch(session, draft.id, None)
    assert not notices.is_needed(session, "survey")
