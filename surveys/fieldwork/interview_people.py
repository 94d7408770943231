"""Whose interview it is: by the call in which it was asked, or by the person's own link. No name, no phone."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import CompoundSelect, ScalarSelect, exists, func, select, union, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.queueing.queue_tables import CallQueue, QueueEntry
from surveys.fieldwork.interview_ledger import Interview
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.quotas import Quota
from surveys.sampling import sample_marks

GOES_ON = ("started", "partial")
BY_TELEPHONE = ("screen", "agi", "twiml")
GOOD_FOR = timedelta(days=30)  # later it is asked anew: what was said then is another moment's opinion


def contact_of(session: Session, interview: Interview) -> int | None:
    """The person; None when they were erased, or nobody knows."""
    if interview.call_id is not None:
        return session.scalar(select(Attempt.contact_id).where(Attempt.id == interview.call_id))
    return session.scalar(select(SurveyLink.contact_id).where(SurveyLink.interview_id == interview.id))


def of_people(*contact_ids: int) -> CompoundSelect[UUID]:
    """Ids of the interviews of these people, each once; along the indexes, however many others there are."""
    called = select(Interview.id).join(Attempt, Attempt.id == Interview.call_id)
    linked = select(SurveyLink.interview_id).where(SurveyLink.interview_id.is_not(None))
    return union(
        called.where(Attempt.contact_id.in_(contact_ids)), linked.where(SurveyLink.contact_id.in_(contact_ids))
    )


def of_person(session: Session, survey_id: int, contact_id: int) -> Interview | None:
    """The person's newest interview of this survey that was answered or may still be; void ones are none."""
    return session.scalars(
        select(Interview)
        .where(Interview.id.in_(of_people(contact_id)), Interview.survey_id == survey_id, Interview.state != "void")
        .order_by(Interview.started_at.desc()).limit(1)
    ).first()  # fmt: skip


def to_go_on(session: Session, survey_id: int, contact_id: int | None) -> Interview | None:
    """What the person began lately and did not end, held until the transaction ends; None: ask from the start.

    One that an operator or a machine is asking at this moment is left to them."""
    if contact_id is None:
        return None
    found = of_person(session, survey_id, contact_id)
    if found is None or found.started_at < real_now() - GOOD_FOR:
        return None
    if found.wave != sample_marks.of_person(session, survey_id, contact_id).wave:
        return None  # another measurement has begun: it is asked anew
    held = session.get(Interview, found.id, with_for_update=True, populate_existing=True)
    return None if held is None or held.state not in GOES_ON or is_spoken(held) else held


def campaign_of(survey_id: int, contact_id: int | None) -> ScalarSelect[int | None]:
    """SQL: the queue whose quotas hold for somebody whom no call asks: of the survey's campaigns that are not over, the
    one in whose list they stand (the one with quotas before others, then the newest); of who stands in none, the only
    one there is. Where several could be meant it is none."""
    of_survey = (CallQueue.script == f"survey/{survey_id}", CallQueue.state != "finished")
    has_quotas = exists().where(Quota.queue_id == CallQueue.id)
    own = (
        select(CallQueue.id)
        .join(QueueEntry, QueueEntry.queue_id == CallQueue.id)
        .where(QueueEntry.contact_id == contact_id, *of_survey)
        .order_by(has_quotas.desc(), CallQueue.id.desc())
        .limit(1)
    )
    only = select(func.min(CallQueue.id)).where(*of_survey).having(func.count() == 1)
    return select(func.coalesce(own.scalar_subquery(), only.scalar_subquery())).scalar_subquery()


def is_spoken(interview: Interview) -> bool:
    """Is it being asked by telephone at this moment?"""
    return interview.ended_at is None and interview.face in BY_TELEPHONE


def forget(session: Session, contact_ids: list[int]) -> None:
    """The links of these people lead nowhere any more, and nobody's interview is known by one."""
    session.execute(
        update(SurveyLink).where(SurveyLink.contact_id.in_(contact_ids)).values(contact_id=None, interview_id=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
