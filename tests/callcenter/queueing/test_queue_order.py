from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import queue_jobs, queue_order, queue_rules
from callcenter.queueing.queue_order import AnswerHour, SectionStanding
from callcenter.queueing.queue_rules import Rules
from callcenter.queues import CallQueue, QueueEntry
from callcenter.territory import Section
from tests.callcenter import cast
from tests.queued import run_jobs

GROUP_OF_YOUNG_MOBILE_MEN, GROUP_OF_OLD_LANDLINE_WOMEN = 4, 23


def person(session: Session, kind: str = "mobile", age: int = 25, sex: str = "H", **columns: Any) -> Contact:
    return cast.person(session, line_kind=kind, age=age, sex=sex, **columns)


def past_call(session: Session, queue: CallQueue, who: Contact, at: datetime, outcome: str = "no_answer") -> None:
    """A call of yesterday's ledger; all outcomes but `no_answer` were answered."""
    now = real_now()
    attempt = Attempt(id=uuid4(), channel="call", purpose="survey", contact_id=who.id, phone=who.phone, at=at,
                      created_at=now, deadline_at=now, closed_at=now - timedelta(hours=1), outcome=outcome)  # fmt: skip
    session.add(attempt)
    session.flush()
    answered = None if outcome == "no_answer" else now
    session.add(Call(id=attempt.id, queue_id=queue.id, script="operator", carrier="simulated", caller_id="+5255",
                     state="ended", placed_at=now, answered_at=answered))  # fmt: skip
    session.flush()


def at_hour(session: Session, hour: int) -> datetime:
    local = campaign_now(session).astimezone(ZONE) - timedelta(days=1)
    return local.replace(hour=hour, minute=30)


def entry_of(session: Session, queue: CallQueue, who: Contact) -> QueueEntry:
    wanted = select(QueueEntry).where(QueueEntry.queue_id == queue.id, QueueEntry.contact_id == who.id)
    return session.scalars(wanted, execution_options={"populate_existing": True}).one()


def test_a_group_is_called_at_the_hour_at_which_it_picks_up_more_than_usual(session: Session) -> None:
    young, old = person(session), person(session, "landline", 71, "M")
    past = cast.queue(session, young, old)
    for hour, who, answers in ((11, old, 8), (11, young, 1), (18, old, 1), (18, young, 8)):
        for n in range(10):
            past_call(session, past, who, at_hour(session, hour), "wrong_number" if n < answers else "no_answer")
    queue_order.learn(session)
    assert {row.hour_group for row in session.scalars(select(AnswerHour))} == {
        GROUP_OF_YOUNG_MOBILE_MEN, GROUP_OF_OLD_LANDLINE_WOMEN,
    }  # fmt: skip
    morning, evening = queue_order.scores(session, 11), queue_order.scores(session, 18)
    assert morning(GROUP_OF_OLD_LANDLINE_WOMEN) > 1 > morning(GROUP_OF_YOUNG_MOBILE_MEN)
    assert evening(GROUP_OF_YOUNG_MOBILE_MEN) > 1 > evening(GROUP_OF_OLD_LANDLINE_WOMEN)
    assert morning(30) == 1  # nobody of that group was ever called
    queue_order.learn(session)
    assert session.get_one(AnswerHour, (GROUP_OF_OLD_LANDLINE_WOMEN, 11)).tries == 10


def test_whom_we_talked_with_at_an_hour_comes_first_at_that_hour(session: Session) -> None:
    hour = campaign_now(session).astimezone(ZONE).hour
    now, later, unknown = person(session), person(session), person(session, "landline", 71, "M")
    past = cast.queue(session, now, later)
    past_call(session, past, now, at_hour(session, hour), "completed")
    past_call(session, past, later, at_hour(session, (hour + 5) % 24), "completed")
    for attempt in session.scalars(select(Attempt)):
        attempt.closed_at = real_now() - timedelta(hours=1)
    queue = cast.queue(session, later, unknown, now, rules=queue_rules.to_keep(Rules(order=("hour",))))
    session.commit()
    queue_jobs.arrange(queue.id)
    session.expire_all()
    assert [entry.contact_id for entry in queues.claim(session, queue.id, 9)] == [now.id, unknown.id, later.id]


def test_a_list_is_arranged_when_it_is_filled_and_when_the_order_changes(session: Session) -> None:
    who = person(session)
    by_hour = Rules(order=("hour",))
    queue = cast.queue(session, who, rules=queue_rules.to_keep(by_hour))
    session.commit()
    assert "callcenter.queueing.queue_jobs.arrange" in run_jobs()
    assert entry_of(session, queue, who).hour_group == GROUP_OF_YOUNG_MOBILE_MEN
    queue_rules.set_rules(session, queue.id, Rules(), None)
    session.commit()
    run_jobs()
    assert entry_of(session, queue, who).hour_group == 0


def test_a_long_list_is_arranged_in_slices(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_order, "SLICE", 2)
    people = [person(session) for _ in range(5)]
    queue = cast.queue(session, *people, rules=queue_rules.to_keep(Rules(order=("hour",))))
    session.commit()
    queue_jobs.arrange(queue.id)
    assert {entry_of(session, queue, who).hour_group for who in people} == {GROUP_OF_YOUNG_MOBILE_MEN}
    assert queue_order.arrange(session, 0, 0) is None


def test_a_section_that_nears_its_goal_stands_behind_the_others_and_is_never_left_out(session: Session) -> None:
    sections = [
        Section(state=30, number=n, municipality_code=1, kind="U", valid_from=real_now().date()) for n in (1, 2)
    ]
    session.add_all(sections)
    session.flush()
    near, far = (section.id for section in sections)
    people = [person(session, section_id=near) for _ in range(4)] + [person(session, section_id=far)]
    rules = queue_rules.to_keep(Rules(order=("section_goal",), section_goal=4))
    queue = cast.queue(session, *people, rules=rules)

    def next_ones() -> list[int]:
        """Ids of the people in the order of the next claim."""
        queue_order.follow_goals(session)
        session.expire_all()
        claimed = queues.claim(session, queue.id, 9)
        for entry in claimed:
            entry.state = "waiting"
        session.flush()
        return [entry.contact_id for entry in claimed]

    def done(who: Contact) -> None:
        entry = entry_of(session, queue, who)
        entry.state, entry.reason = "done", "completed"
        session.flush()

    assert next_ones()[0] == people[0].id
    done(people[0])
    assert next_ones()[0] == people[1].id
    done(people[1])
    assert next_ones() == [people[4].id, people[2].id, people[3].id]
    standing = session.get_one(SectionStanding, (queue.id, near))
    assert standing.urgency == queue_order.HALF
    queue_rules.set_rules(session, queue.id, Rules(), None)
    session.commit()
    run_jobs()
    assert entry_of(session, queue, people[2]).urgency == 0
    assert session.scalars(select(SectionStanding)).all() == []
