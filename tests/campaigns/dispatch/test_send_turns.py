"""A turn of sending over the real ledger: fair, urgent first, paused at once, and nothing in hand is lost."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import clock, leases, outbox
from callcenter.base.db import Sessions
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import Letter, Receipt
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_planning, message_sweep, send_lanes, send_turns, senders
from campaigns.dispatch.sender_tables import Sender
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import Message
from campaigns.segments import Segment
from tests.campaigns.cast import person

Made = Callable[..., int]


class Wire:
    """A provider that takes everything, or answers each with `error`."""

    parts_per_second = 1000.0

    def __init__(self) -> None:
        self.got: list[Letter] = []
        self.error: ProviderError | None = None
        self.begin: Callable[[Letter], object] = lambda _letter: None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def send(self, letter: Letter) -> Receipt:
        self.got.append(letter)
        self.begin(letter)
        await asyncio.sleep(0.002)
        if self.error is not None:
            raise self.error
        return Receipt("queued", "accepted", f"SM{letter.id.hex}")


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Wire]:
    made = Wire()
    channels.configure(settings)
    monkeypatch.setattr(send_turns, "channel", lambda _name: made)
    yield made
    channels.configure(settings)


@pytest.fixture
def make(committed: Sessions, settings: Settings) -> Made:
    """A running campaign to so many people of its own; its number."""
    suppressions.configure(settings.suppression_key)
    with committed() as session:
        clock.start_drill(session)
        session.commit()
    made: list[int] = []

    def one(people: int = 3, *, state: str = "running", **plan: Any) -> int:
        with committed() as session:
            made.append(len(made))
            source = f"list-{len(made)}"
            for number in range(people):
                someone = person(f"Persona {number}", f"+52922{len(made):02}{number:05}")
                someone.source = source
                session.add(someone)
            segment = Segment(name=source, rule={"all": [{"field": "source", "op": "is", "value": source}]})
            session.add(segment)
            session.flush()
            wanted = {"sender": "+525512340001", "carrier": "simulated", "text": "Hola. BAJA para no recibir", **plan}
            urgency = wanted.pop("urgency", "bulk")
            campaign = message_campaigns.create(
                session, MessagePlan(source, segment.id, purpose="survey", **wanted), None
            )
            campaign.urgency = urgency
            message_campaigns.launch(session, campaign.id, None)
            if state == "running":
                message_planning.write_for_segment(session, campaign.id)
                message_campaigns.set_state(session, campaign.id, "running", None, None)
            senders.of_campaign(session, campaign)
            session.execute(update(Sender).values(parts_per_second=500))
            session.commit()
            return campaign.id

    return one


def states_of(session: Session, campaign_id: int) -> dict[str, int]:
    counts = select(Message.state, func.count()).where(Message.campaign_id == campaign_id).group_by(Message.state)
    return {row[0]: row[1] for row in session.execute(counts)}


def campaign_of(session: Session, campaign_id: int) -> MessageCampaign:
    return message_campaigns.find(session, campaign_id)


def test_a_turn_plans_sends_and_finishes_a_launched_campaign(committed: Sessions, make: Made, wire: Wire) -> None:
    campaign_id = make(40, state="planning")
    send_turns.run(20)
    with committed() as session:
        assert states_of(session, campaign_id) == {"accepted": 40}
        assert campaign_of(session, campaign_id).state == "finished"
    assert len({letter.phone for letter in wire.got}) == len(wire.got) == 40


def test_urgent_messages_leave_before_the_others(committed: Sessions, make: Made, wire: Wire) -> None:
    bulk, urgent = make(30), make(5, urgency="urgent")
    with committed() as session:
        session.execute(update(Sender).values(parts_per_second=20))  # the sender is what they compete for
        session.commit()
    send_turns.run(20)
    assert [letter.campaign_id for letter in wire.got[:5]] == [urgent] * 5  # type: ignore[attr-defined]  # an Outgoing
    with committed() as session:
        assert states_of(session, bulk) == {"accepted": 30}


def test_campaigns_share_a_sender_alike(committed: Sessions, make: Made, wire: Wire) -> None:
    long, short = make(90), make(90)
    with committed() as session:
        session.execute(update(Sender).values(parts_per_second=60))
        session.commit()
    send_turns.run(20)
    half = [letter.campaign_id for letter in wire.got[:100]]  # type: ignore[attr-defined]  # an Outgoing
    assert 35 <= half.count(short) <= 65
    assert 35 <= half.count(long) <= 65


def test_a_pause_in_mid_send_leaves_the_rest_planned_and_a_resume_sends_it_once(
    committed: Sessions, make: Made, wire: Wire
) -> None:
    campaign_id = make(60)
    with committed() as session:
        session.execute(update(Sender).values(parts_per_second=40))
        session.commit()

    def pause(_letter: Letter) -> None:
        if len(wire.got) == 5:
            with committed() as session:
                message_campaigns.pause(session, campaign_id, "review", None)
                session.commit()

    wire.begin = pause
    send_turns.run(20)
    with committed() as session:
        counts = states_of(session, campaign_id)
        assert set(counts) == {"accepted", "planned"}
        assert counts["accepted"] == len(wire.got) < 30
        message_campaigns.resume(session, campaign_id, None)
        session.commit()
    wire.begin = lambda _letter: None
    send_turns.run(20)
    assert len({letter.phone for letter in wire.got}) == len(wire.got) == 60


def test_revoked_credentials_pause_the_campaign_after_a_handful(committed: Sessions, make: Made, wire: Wire) -> None:
    campaign_id = make(300)
    wire.error = ProviderError("revoked", code="20003", permanent=True)
    send_turns.run(20)
    with committed() as session:
        found = campaign_of(session, campaign_id)
        assert (found.state, found.state_reason) == ("paused", "provider:20003")
        assert states_of(session, campaign_id) == {"planned": 300}
    assert len(wire.got) < 200


def test_a_sender_that_the_provider_refuses_is_blocked_and_its_pool_goes_on(
    committed: Sessions, make: Made, wire: Wire
) -> None:
    campaign_id = make(20)
    with committed() as session:
        good = senders.save(session, senders.Wanted("sms", "26001", "simulated", "100"), None)
        bad = senders.save(session, senders.Wanted("sms", "26002", "simulated", "100"), None)
        campaign_of(session, campaign_id).pool_id = senders.save_pool(session, "All", [good.id, bad.id], None).id
        session.commit()

    def refuse(letter: Letter) -> None:
        wire.error = None
        if letter.sender == "26002":
            raise ProviderError("no such sender", code="21606", permanent=True)

    wire.begin = refuse
    send_turns.run(20)
    with committed() as session:
        assert session.get_one(Sender, bad.id).state == "blocked"
        assert campaign_of(session, campaign_id).state == "finished"
        assert states_of(session, campaign_id) == {"accepted": 20}


def test_a_campaign_of_another_carrier_never_leaves(committed: Sessions, make: Made, wire: Wire) -> None:
    campaign_id = make()
    with committed() as session:
        session.execute(update(MessageCampaign).values(carrier="twilio"))
        session.commit()
    send_turns.run(5)
    with committed() as session:
        assert campaign_of(session, campaign_id).state_reason == "carrier_missing"
    assert wire.got == []


def test_without_a_sender_the_campaign_pauses_and_says_so(committed: Sessions, make: Made, wire: Wire) -> None:
    campaign_id = make()
    with committed() as session:
        session.execute(update(Sender).values(state="paused"))
        session.commit()
    send_turns.run(5)
    with committed() as session:
        assert campaign_of(session, campaign_id).state_reason == "no_sender"
    assert wire.got == []


def test_a_day_on_which_nothing_may_leave_excludes_and_a_night_waits(
    committed: Sessions, make: Made, wire: Wire
) -> None:
    campaign_id = make(30)
    with committed() as session:
        session.execute(text("UPDATE drill_clock SET furthest = '2027-05-11 22:30-06'"))
        session.commit()
    send_turns.run(5)
    with committed() as session:
        assert states_of(session, campaign_id) == {"planned": 30}
        assert set(session.scalars(select(Message.refusal))) == {"hours"}
        assert not claims.has_ready(session, campaign_id)
        assert campaign_of(session, campaign_id).state == "running"
        session.execute(text("UPDATE drill_clock SET furthest = '2027-05-12 10:30-06'"))
        session.commit()
    send_turns.run(5)
    with committed() as session:
        assert states_of(session, campaign_id) == {"accepted": 30}


def test_the_sweep_calls_a_worker_only_when_none_has_its_turn(committed: Sessions, make: Made) -> None:
    make()
    outbox.redis().flushall()
    with committed() as session:
        lane = send_lanes.take(session, "somebody")
        assert lane is not None
        session.commit()
        assert message_sweep.sweep(session)["enqueued"] == 0
        leases.release(session, lane, "somebody")
        session.commit()
        assert message_sweep.sweep(session)["enqueued"] == 1


def test_every_lane_is_one_workers(committed: Sessions) -> None:
    with committed() as session:
        taken = {send_lanes.take(session, f"worker-{number}") for number in range(send_lanes.LANES)}
        assert None not in taken
        assert len(taken) == send_lanes.LANES
        assert send_lanes.take(session, "one too many") is None
