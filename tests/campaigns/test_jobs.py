"""The edge of the message campaigns: what the jobs do around the wire, and what they find again without Redis."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.base.settings import Settings
from campaigns import channels, jobs, message_campaigns, message_sweep
from campaigns import message_states as states
from campaigns.messages import Message
from tests.campaigns.cast import Campaign, Cast


@pytest.fixture(autouse=True)
def drill(settings: Settings) -> Iterator[None]:
    channels.configure(settings)
    yield
    channels.configure(settings)


def test_a_drills_campaign_never_leaves_by_a_real_provider(
    session: Session, cast: Cast, campaign: Campaign, settings: Settings
) -> None:
    made = campaign()
    channels.configure(replace(settings, carrier="twilio"))
    jobs.send_batch(made.id)
    session.expire_all()
    found = message_campaigns.find(session, made.id)
    assert (found.state, found.state_reason) == ("paused", "carrier_missing")
    left = {states.PLANNED, states.EXCLUDED}  # a landline was excluded before
    assert set(session.scalars(select(Message.state))) == left


def test_a_redis_that_forgot_everything_costs_no_message(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    outbox.redis().flushall()
    message_sweep.sweep(session)
    session.commit()
    assert queued("bulk") == [("campaigns.jobs.send_batch", (made.id,))]


def queued(name: str) -> list[tuple[str | None, tuple[object, ...]]]:
    from rq import Queue
    from rq.serializers import JSONSerializer

    found = Queue(name, connection=outbox.redis(), serializer=JSONSerializer).jobs
    return [(job.func_name, tuple(job.args)) for job in found]
