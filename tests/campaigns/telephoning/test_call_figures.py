"""Figures of a running campaign, from its calls: the funnel, the hours, the lines, the speed and the end."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, real_now
from callcenter.ledger.call_ledger import Call
from campaigns import calling
from campaigns.calling import CallCampaign, CallPlan
from campaigns.segments import Segment
from campaigns.telephoning import call_figures
from tests.campaigns.cast import Cast


@pytest.fixture
def campaign(session: Session, cast: Cast) -> CallCampaign:
    """Running, to everybody of the cast."""
    segment = Segment(name="Centro", rule={"all": []})
    session.add(segment)
    session.flush()
    words = ("Estudio Prueba", "https://example.org/aviso", "Buenos días")
    made = calling.create(
        session, CallPlan("Prueba", segment.id, "survey", "operator", "simulated", "+525512340000", *words), None
    )
    calling.launch(session, made.id, None)
    return made


def dialled(session: Session, campaign: CallCampaign, ago: timedelta, outcomes: list[str]) -> None:
    """Calls placed so long ago that ended so; who is `completed` or `refused` was talked with."""
    at, rows = real_now() - ago, []
    for place, outcome in enumerate(outcomes):
        up = at + timedelta(seconds=5) if outcome in ("completed", "refused", "abandoned") else None
        talked = up if outcome in ("completed", "refused") else None
        attempt: dict[str, Any] = {
            "id": uuid4(), "channel": "call", "purpose": "survey", "phone": f"+5292250{place:05}", "at": at,
            "created_at": at, "deadline_at": at, "closed_at": at, "outcome": outcome,
        }  # fmt: skip
        call = {
            "id": attempt["id"], "queue_id": campaign.queue_id, "script": "operator", "carrier": "simulated",
            "caller_id": "", "state": "ended", "placed_at": at, "answered_at": up, "connected_at": talked,
            "disposition": outcome if talked else None, "hung_up_at": at, "ended_at": at,
        }  # fmt: skip
        rows.append((attempt, call))
    session.execute(insert(Attempt), [attempt for attempt, _call in rows])
    session.execute(insert(Call), [call for _attempt, call in rows])


def test_each_step_of_the_funnel_is_a_part_of_the_one_before(session: Session, campaign: CallCampaign) -> None:
    dialled(session, campaign, timedelta(minutes=30), ["completed", "refused", "abandoned", "no_answer", "failed"])
    assert call_figures.funnel(session, campaign.queue_id) == call_figures.Funnel(5, 3, 2, 1)
    (line,) = call_figures.by_trunk(session, campaign.queue_id)
    assert (line.name, line.dialled, line.faults) == (None, 5, 1)


def test_the_hours_are_those_of_the_campaigns_clock_the_oldest_first(session: Session, campaign: CallCampaign) -> None:
    for hours in (1, 3):
        dialled(session, campaign, timedelta(hours=hours), ["completed"] * hours)
    found = call_figures.by_hour(session, campaign.queue_id)
    assert [hour.dialled for hour in found] == [3, 1]
    expected: datetime = (real_now() - timedelta(hours=3)).astimezone(ZONE).replace(minute=0, second=0, microsecond=0)
    assert found[0].at == expected


def test_a_speed_is_that_of_the_part_of_the_hour_in_which_it_dialled(session: Session, campaign: CallCampaign) -> None:
    assert call_figures.speeds(session, [campaign.queue_id]) == {}
    dialled(session, campaign, timedelta(minutes=30), ["completed"] * 10 + ["busy"] * 20)
    speed = call_figures.speeds(session, [campaign.queue_id])[campaign.queue_id]
    assert speed.calls_per_hour == pytest.approx(60, rel=0.05)
    assert speed.talks_per_hour == pytest.approx(20, rel=0.05)
    assert speed.talks_today == 10


def test_the_end_follows_from_the_present_pace_and_waits_until_there_is_one(
    session: Session, campaign: CallCampaign
) -> None:
    def ends(settled: int) -> bool:
        speeds = call_figures.speeds(session, [campaign.queue_id])
        counts = {campaign.queue_id: {"planned": 5_000, "settled": settled}}
        return campaign.id in call_figures.ends(session, [campaign], counts, speeds)

    assert not ends(0)
    dialled(session, campaign, timedelta(minutes=2), ["completed"] * 30)
    assert not ends(30)  # two minutes say nothing
    dialled(session, campaign, timedelta(minutes=30), ["completed"] * 300)
    assert ends(330)
    assert not ends(0)
