"""How a person's own links to surveys follow them when they are merged with another row of theirs."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from callcenter.people import merges, row_memory
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.sampling.sample_tables import SampleCase


def compose() -> None:
    """Register the movers of this floor."""
    merges.register_mover("survey_links", move, move_back)
    merges.register_mover("sample_cases", *merges.column_mover(SampleCase.contact_id))


def move(session: Session, kept_id: int, removed_id: int) -> dict[str, Any]:
    """The kept person's own link to a survey stays theirs; the removed one's to the same survey leads to nobody."""
    own, other = aliased(SurveyLink), aliased(SurveyLink)
    same_wave = own.wave.is_not_distinct_from(other.wave)
    same = (own.survey_id == other.survey_id) & same_wave & (own.contact_id == kept_id)
    theirs = select(other.id, own.id.is_not(None)).outerjoin(own, same).where(other.contact_id == removed_id)
    found = [(row[0], row[1]) for row in session.execute(theirs)]
    free = [number for number, is_shared in found if not is_shared]
    ids = row_memory.moved(session, SurveyLink.contact_id, kept_id, of=removed_id, ids=free)
    return {"ids": ids, "shared": [number for number, is_shared in found if is_shared]}


def move_back(session: Session, kept_id: int, removed_id: int, memory: dict[str, Any]) -> None:
    row_memory.moved(session, SurveyLink.contact_id, removed_id, of=kept_id, ids=memory["ids"])
    for link in session.scalars(select(SurveyLink).where(SurveyLink.id.in_(memory["shared"]))):
        link.contact_id = removed_id
