"""A queue is filled from a segment that asks for pledges, promoters, districts: the structure will ring so."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base.clock import real_now
from callcenter.people import pledges
from callcenter.people.pledges import Form, Pledge
from callcenter.queues import QueueEntry
from callcenter.territory import Section
from campaigns import segments
from tests.callcenter.cast import person, queue

RULES: list[tuple[dict[str, Any], set[str]]] = [
    ({"field": "has_pledge", "op": "is", "value": True}, {"Ana", "Beto"}),
    ({"field": "pledge_state", "op": "is", "value": "pending"}, {"Beto"}),
    ({"field": "promoter", "op": "is", "value": "rosa LUNA"}, {"Ana"}),
    ({"field": "local_district", "op": "is", "value": 27}, {"Ana"}),
]


@pytest.mark.parametrize(("clause", "expected"), RULES)
def test_a_queue_is_filled_from_a_segment_over_the_structure(
    session: Session, clause: dict[str, Any], expected: set[str]
) -> None:
    section = Section(state=30, number=1, municipality_code=109, local_district=27)
    session.add(section)
    session.flush()
    ana, beto = person(session, "Ana", section_id=section.id), person(session, "Beto")
    person(session, "Carla")
    first = pledges.add(session, ana.id, Form("1", "Rosa Luna"), source="test", user_id=None)
    pledges.verify(session, first.id, "confirmed", call_id=None, at=real_now())
    pledges.add(session, beto.id, Form("1", "Pedro Sol"), source="test", user_id=None)
    assert session.scalars(select(Pledge.id)).all()
    waiting = queue(session)
    queues.fill(session, waiting.id, segments.compile_rule(session, {"all": [clause]}))
    people = session.scalars(select(QueueEntry.contact_id).where(QueueEntry.queue_id == waiting.id))
    names = {ana.id: "Ana", beto.id: "Beto"}
    assert {names.get(one, "somebody else") for one in people} == expected
