"""The edge of the message campaigns: what is found again without Redis."""

import pytest
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.dispatch import message_sweep
from tests.campaigns.cast import Campaign, Cast


@pytest.fixture(autouse=True)
def drill(settings: Settings) -> None:
    channels.configure(settings)


def test_a_redis_that_forgot_everything_costs_no_message(session: Session, cast: Cast, campaign: Campaign) -> None:
    campaign()
    outbox.redis().flushall()
    message_sweep.sweep(session)
    session.commit()
    assert queued("messages") == [("campaigns.jobs.send_messages", ())]


def queued(name: str) -> list[tuple[str | None, tuple[object, ...]]]:
    from rq import Queue
    from rq.serializers import JSONSerializer

    found = Queue(name, connection=outbox.redis(), serializer=JSONSerializer).jobs
    return [(job.func_name, tuple(job.args)) for job in found]
