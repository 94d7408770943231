"""From a segment to rows: in blocks, each person once, whatever interrupts it."""

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.contacts import Contact
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_planning, planning_turns
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.messages import Message
from campaigns.segments import Segment
from tests.campaigns.cast import Cast, message_of, person, states


@pytest.fixture
def launched(session: Session, cast: Cast) -> MessageCampaign:
    """A campaign that was just launched; nobody is planned yet."""
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = MessagePlan("Greeting", segment.id, "survey", "Hola {given_names} de {neighborhood}. BAJA para no recibir",
                       "+525512340001", "simulated")  # fmt: skip
    made = message_campaigns.create(session, plan, None)
    message_campaigns.launch(session, made.id, None)
    session.commit()
    return made


def test_each_block_is_committed_and_the_last_lets_the_campaign_run(
    session: Session, launched: MessageCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_planning, "BLOCK", 1)
    planning_turns.plan(launched.id)
    session.expire_all()
    assert launched.state == "running"
    assert launched.planned_at is not None
    assert states(session) == {
        "Guadalupe": ("planned", None),
        "Alberto": ("excluded", "household"),
        "Mario": ("excluded", "missing_value"),  # no neighborhood, and the text needs one
        "Rosa": ("excluded", "landline"),
    }


def test_who_is_among_the_first_contacts_can_be_sent_before_the_rest_is_planned(
    session: Session, launched: MessageCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_planning, "FIRST_PEOPLE", 2)  # Lupita's household, by phone
    total = message_planning.freeze_first(session, launched)
    assert message_planning.write(session, launched.id, 0, total) == 2
    assert launched.state == "planning"
    assert [one.phone for one in claims.claim(session, launched.id, 10)] == [
        message_of(session, cast_of(session)).phone
    ]
    total = message_planning.freeze(session, launched)
    assert total == 2
    message_planning.write(session, launched.id, 0, total)
    assert session.scalar(select(func.count()).select_from(Message)) == 4


def cast_of(session: Session) -> Contact:
    return session.scalars(select(Contact).where(Contact.given_names == "Guadalupe")).one()


def test_a_plan_that_was_cut_short_goes_on_and_writes_nobody_twice(
    session: Session, launched: MessageCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = message_planning.freeze(session, launched)
    message_planning.write(session, launched.id, 0, 1)
    assert total == 4
    session.add(person("Zoila Ramos", cast_of(session).phone))  # came to the list meanwhile, at a phone written already
    session.commit()
    planning_turns.plan(launched.id)
    session.expire_all()
    found = states(session)
    assert len(found) == 5
    at_phone = select(func.count()).where(Message.phone == cast_of(session).phone, Message.state == "planned")
    assert session.scalar(at_phone) == 1
    assert message_planning.write_for_segment(session, launched.id) == 0


def test_a_pause_ends_the_planning_and_a_resume_goes_on(session: Session, launched: MessageCampaign) -> None:
    message_campaigns.pause(session, launched.id, "review", None)
    session.commit()
    planning_turns.plan(launched.id)
    session.expire_all()
    assert (launched.state, launched.planned_at) == ("paused", None)
    message_campaigns.resume(session, launched.id, None)
    session.commit()
    assert launched.state == "planning"
    planning_turns.plan(launched.id)
    session.expire_all()
    assert launched.state == "running"


def test_the_parts_of_each_text_are_counted_when_it_is_planned(session: Session, cast: Cast) -> None:
    segment = Segment(name="Everybody", rule={"all": []})
    session.add(segment)
    session.flush()
    long = "Hola {given_names}, " + "x" * 142 + " BAJA"  # one part for Mario, two where the name is longer
    made = message_campaigns.create(
        session, MessagePlan("Long", segment.id, "survey", long, "26262", "simulated"), None
    )
    message_campaigns.launch(session, made.id, None)
    message_planning.write_for_segment(session, made.id)
    assert message_of(session, cast.mario).parts == 1
    assert message_of(session, cast.lupita).parts == 2


def test_ids_lie_in_the_order_in_which_they_were_written(session: Session, launched: MessageCampaign) -> None:
    message_planning.write_for_segment(session, launched.id)
    by_id = session.scalars(select(Message.phone).order_by(Message.id)).all()
    assert by_id == sorted(phone for phone in by_id if phone)


def test_a_list_that_cannot_be_prepared_pauses_its_campaign(
    session: Session, launched: MessageCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise ValueError("a rule of yesterday")

    monkeypatch.setattr(message_planning, "freeze", fails)
    planning_turns._plan_or_pause(launched.id)
    session.expire_all()
    assert (launched.state, launched.state_reason) == ("paused", "planning_failed")


def test_a_launch_calls_the_worker_of_messages(session: Session, launched: MessageCampaign) -> None:
    queue = Queue("messages", connection=outbox.redis(), serializer=JSONSerializer)
    assert {job.func_name for job in queue.jobs} == {"campaigns.jobs.send_messages"}
