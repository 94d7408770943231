"""Several people at one phone: whoever asks at the same moment, on any channel, one of them is reached at a time."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, consent, queues, suppressions
from callcenter.base import clock
from callcenter.base.db import Sessions
from callcenter.base.settings import Settings
from callcenter.contacts import Contact
from callcenter.ledger import call_placing
from callcenter.queues import QueueEntry
from campaigns import messages
from campaigns.dispatch import message_claims as claims
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessagePlan
from campaigns.segments import Segment
from tests.callcenter import cast

PHONE = "+529221110001"


@pytest.fixture
def household(committed: Sessions, settings: Settings) -> tuple[int, int]:
    """Ana and Beto, at one phone."""
    suppressions.configure(settings.suppression_key)
    with committed() as session:
        clock.start_drill(session)
        ids = tuple(
            cast.person(session, name, PHONE, line_kind="mobile").id for name in ("Ana Cruz Luna", "Beto Cruz Luna")
        )
        session.commit()
    return ids[0], ids[1]


def message_to(session: Session, contact_id: int) -> int:
    """A running campaign with one message, to this person."""
    segment = Segment(name=f"Only {contact_id}", rule={"all": []})
    session.add(segment)
    session.flush()
    plan = MessagePlan("Greeting", segment.id, text="Hola. BAJA para no recibir", purpose="survey",
                       sender="+525512340001", carrier="simulated")  # fmt: skip
    made = message_campaigns.create(session, plan, None)
    row = messages.Message(id=UUID(int=contact_id), campaign_id=made.id, contact_id=contact_id, phone=PHONE)
    session.add(row)
    made.state = "running"
    session.commit()
    return made.id


def placing(session: Session, contact_id: int) -> call_placing.Order:
    """A call to this person, about to ask the gate."""
    call_id = cast.planned(session, cast.queue(session, session.get_one(Contact, contact_id)))
    (order,) = call_placing.claim(session, [call_id])
    session.commit()
    return order


def beside(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_two_queues_cannot_plan_a_call_to_two_of_them(committed: Sessions, household: tuple[int, int]) -> None:
    with committed() as session:
        both = [cast.queue(session, session.get_one(Contact, who)).id for who in household]
        session.commit()
    planned: list[UUID] = []
    with committed() as first, committed() as second:
        entries = [queues.claim(one, queue, 1) for one, queue in zip((first, second), both, strict=True)]
        assert [len(some) for some in entries] == [1, 1]  # both were free at the moment of the claim
        planned += calls.plan(first, queues.get(first, both[0]), entries[0])

        def plan_beside() -> None:
            planned.extend(calls.plan(second, queues.get(second, both[1]), entries[1]))
            second.commit()

        other = beside(plan_beside)  # waits for the first one's commit
        first.commit()
        other.join()
    assert len(planned) == 1
    with committed() as session:
        assert sorted(session.scalars(select(QueueEntry.state))) == ["calling", "waiting"]


def test_a_message_waits_while_a_call_to_the_other_asks_the_gate(
    committed: Sessions, household: tuple[int, int]
) -> None:  # fmt: skip
    ana, beto = household
    with committed() as phone, committed() as post:
        campaign_id = message_to(post, beto)
        order = placing(phone, ana)
        assert call_placing.ask_gate(phone, [order], "survey", simulated=True) == {}
        assert claims.claim(post, campaign_id, 5) == []  # the call holds the phone, and is open
        post.commit()
        row = post.get_one(messages.Message, UUID(int=beto))
        assert (row.state, row.refusal) == ("planned", "household")


def test_a_call_waits_for_a_message_to_the_other_that_is_being_claimed(
    committed: Sessions, household: tuple[int, int]
) -> None:  # fmt: skip
    ana, beto = household
    answers: list[consent.Refusal] = []
    with committed() as phone, committed() as post:
        campaign_id = message_to(post, beto)
        call_id = cast.planned(phone, cast.queue(phone, phone.get_one(Contact, ana)))  # not committed: nobody sees it
        assert len(claims.claim(post, campaign_id, 5)) == 1
        phone.commit()
        orders = call_placing.claim(phone, [call_id])
        phone.commit()
        asking = beside(lambda: answers.extend(call_placing.ask_gate(phone, orders, "survey", simulated=True).values()))
        post.commit()
        asking.join()
        phone.rollback()
    assert [answer.code for answer in answers] == ["household"]
