"""What became of a survey's cases and of its attempts, counted from the ledger, with the rates that follow.

A case is one person in one campaign of the survey (a released case of a sample that stands in no campaign yet is one,
too); an attempt is one call that reached the line. Everything in two SELECTs; nothing is counted up anywhere.

Accepted inexactness: somebody who was erased takes their place in a campaign along; of a sample's case it stays.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Select, and_, case, exists, func, literal, null, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now
from callcenter.ledger.call_ledger import Call
from callcenter.queueing.queue_tables import CallQueue, QueueEntry
from surveys import questionnaire
from surveys.fieldwork.interview_ledger import Answer, Interview, is_present
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.sampling import outcome_codes as codes
from surveys.sampling.outcome_rates import GROUPS, Attempts, Counts, Rates, Rejection, rates, rejection
from surveys.sampling.sample_tables import Sample, SampleCase

KEPT, KEPT_LONG, LONG = 2.0, 10.0, 50_000  # seconds; of more cases than LONG they are counted less often


@dataclass(frozen=True)
class Scope:
    """Which cases: of the whole survey, of one campaign's queue, of one sample."""

    survey_id: int
    queue_id: int | None = None
    sample_id: int | None = None


@dataclass(frozen=True)
class Outcomes:
    """`cases` and `attempts`: by AAPOR's code. `as_of`: campaign time."""

    cases: dict[str, int]
    attempts: dict[str, int]
    as_of: datetime

    @property
    def counts(self) -> Counts:
        by_group = dict.fromkeys(GROUPS, 0)
        for code, number in self.cases.items():
            by_group[codes.CODES[code].group] += number
        return Counts(**by_group)

    @property
    def tried(self) -> Attempts:
        """Attempts, of them those that reached a person, of them refusals and break-offs."""
        found = [(codes.CODES[code], number) for code, number in self.attempts.items()]
        return Attempts(
            total=sum(number for _code, number in found),
            reached=sum(number for code, number in found if code.reached),
            refused=sum(number for code, number in found if code.group == "r"),
        )

    @property
    def rejection(self) -> Rejection:
        return rejection(self.tried)

    def rates(self, e: float | None = None) -> Rates:
        return rates(self.counts, e)


def read(session: Session, scope: Scope) -> Outcomes:
    """The outcomes as of now, or as of up to two seconds ago (ten, of more than 50,000 cases)."""
    with _lock:
        kept = _kept.get(scope)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
    found = count(session, scope)
    with _lock:
        now = time.monotonic()
        for old in [each for each, (until, _found) in _kept.items() if until <= now]:
            del _kept[old]
        _kept[scope] = (now + (KEPT_LONG if found.counts.total > LONG else KEPT), found)
    return found


_kept: dict[Scope, tuple[float, Outcomes]] = {}
_lock = Lock()


def count(session: Session, scope: Scope) -> Outcomes:
    """The same, counted now."""
    vote = _vote(session, scope.survey_id)
    tried = _tried(scope, vote)
    cases = _by_code(session, _cases(scope, tried))
    for code, number in _by_code(session, _unqueued(scope, vote)).items():
        cases[code] = cases.get(code, 0) + number
    made = select(tried.c.code, func.count()).where(tried.c.direction == "out").group_by(tried.c.code)
    return Outcomes(_in_order(cases), _in_order(_by_code(session, made)), campaign_now(session))


def queues(session: Session, survey_id: int) -> list[CallQueue]:
    """The queues of the campaigns that ask the survey, the newest first."""
    asked = select(CallQueue).where(CallQueue.script == f"survey/{survey_id}").order_by(CallQueue.id.desc())
    return list(session.scalars(asked))


def _by_code(session: Session, query: Select[Any, int]) -> dict[str, int]:
    return {code: number for code, number in session.execute(query) if number}


def _in_order(found: dict[str, int]) -> dict[str, int]:
    return {code: found[code] for code in codes.CODES if found.get(code)}


def _vote(session: Session, survey_id: int) -> str | None:
    return questionnaire.current(session, survey_id).items.get("vote_question") or None


def _has_vote(vote: str | None) -> ColumnElement[bool]:
    """Has the interview an answer to the vote question? A questionnaire that asks for none: any will do."""
    if vote is None:
        return true()
    said = aliased(Answer)
    return exists().where(is_present(said, vote), said.value != "").correlate(Interview)


def _tried(scope: Scope, vote: str | None) -> CTE:
    """Every try that is over and was an attempt. columns: entry_id, direction, at, code, weight."""
    code = _code(vote)
    query = (
        select(Call.entry_id.label("entry_id"), Call.direction.label("direction"), Attempt.at.label("at"),
               code.label("code"))
        .join(Attempt, Attempt.id == Call.id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(Interview, Interview.call_id == Call.id)
        .where(_of_survey(scope), Attempt.closed_at.is_not(None))
    )  # fmt: skip
    if scope.sample_id is not None:
        query = query.where(_in_sample(scope.sample_id, Attempt.contact_id))
    coded = query.union_all(_by_link(scope, vote), _in_campaign(scope, vote)).cte("coded")
    return select(coded, _weight(coded.c.code).label("weight")).where(coded.c.code.is_not(None)).cte("tried")


def _by_link(scope: Scope, vote: str | None) -> Select[Any]:
    """Interviews of a sample's people that no call led to: their case has them, no attempt."""
    query = (
        select(QueueEntry.id, literal("link"), Interview.at, case(*_of_interview(vote)))
        .select_from(Interview)
        .join(SampleCase, SampleCase.id == Interview.case_id)
        .join(QueueEntry, QueueEntry.contact_id == SampleCase.contact_id)
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id)
        .where(_of_survey(scope), Interview.survey_id == scope.survey_id, Interview.call_id.is_(None))
    )
    return query if scope.sample_id is None else query.where(SampleCase.sample_id == scope.sample_id)


def _in_campaign(scope: Scope, vote: str | None) -> Select[Any]:
    """The same of people of no sample: their place in the campaign whose quotas held for them has it."""
    query = (
        select(QueueEntry.id, literal("link"), Interview.at, case(*_of_interview(vote)))
        .select_from(Interview)
        .join(SurveyLink, SurveyLink.interview_id == Interview.id)
        .join(
            QueueEntry,
            and_(QueueEntry.contact_id == SurveyLink.contact_id, QueueEntry.queue_id == Interview.queue_id),
        )
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id)
        .where(_of_survey(scope), Interview.survey_id == scope.survey_id, Interview.call_id.is_(None))
        .where(Interview.case_id.is_(None))
    )
    if scope.sample_id is None:
        return query
    return query.where(_in_sample(scope.sample_id, QueueEntry.contact_id))


def _of_survey(scope: Scope) -> ColumnElement[bool]:
    asked = CallQueue.script == f"survey/{scope.survey_id}"
    return asked if scope.queue_id is None else and_(asked, CallQueue.id == scope.queue_id)


def _in_sample(sample_id: int, contact_id: Any) -> ColumnElement[bool]:
    return exists().where(SampleCase.sample_id == sample_id, SampleCase.contact_id == contact_id)


def _code(vote: str | None) -> ColumnElement[Any]:
    """SQL: `outcome_codes.code_of`, rule by rule."""
    cause = Call.cause
    q850 = case((cause["Cause"].astext.regexp_match(r"^\d{1,3}$"), cause["Cause"].astext.cast(Integer)))
    sip = func.coalesce(
        func.substring(cause["SipResponseCode"].astext, r"^\d{3}$"),
        func.substring(cause["TechCause"].astext, r"\m([3-6]\d\d)\M"),
    ).cast(Integer)
    whens = _of_interview(vote)
    whens += [(Call.disposition == word, literal(code)) for word, code in codes.BY_DISPOSITION.items()]
    whens += [(Call.disposition.is_not(None), literal("3.21"))]
    whens += [(Attempt.outcome.in_(codes.NO_ATTEMPT), null())]
    for outcome, (causes, sips, code) in codes.BY_CAUSE.items():
        said = or_(sip.in_(sips), and_(sip.is_(None), q850.in_(causes)))
        whens.append((and_(Attempt.outcome == outcome, said), literal(code)))
    whens += [(Attempt.outcome == outcome, literal(code)) for outcome, code in codes.BY_OUTCOME.items()]
    return case(*whens, else_=literal("3.16"))


def _of_interview(vote: str | None) -> list[tuple[Any, Any]]:
    """Conditions and codes of an interview."""
    told, untold = codes.BROKEN_OFF
    broken_off = Interview.state == "partial"
    whole = [(Interview.state == state, literal(code)) for state, code in codes.BY_INTERVIEW.items()]
    return [*whole, (and_(broken_off, _has_vote(vote)), literal(told)), (broken_off, literal(untold))]


def _cases(scope: Scope, tried: CTE) -> Select[Any, int]:
    """code, number of cases: of each place in a queue the try that tells most, else why it was never tried."""
    best = (
        select(tried.c.entry_id, tried.c.code)
        .ext(distinct_on(tried.c.entry_id))
        .order_by(tried.c.entry_id, tried.c.weight.desc(), tried.c.at.desc())
        .subquery("best")
    )
    untried = case(codes.BY_REASON, value=QueueEntry.reason, else_=literal(codes.UNTRIED))
    code = func.coalesce(best.c.code, untried).label("code")
    query = (
        select(code, func.count())
        .select_from(QueueEntry)
        .join(CallQueue, CallQueue.id == QueueEntry.queue_id)
        .outerjoin(best, best.c.entry_id == QueueEntry.id)
        .where(_of_survey(scope))
        .group_by(code)
    )
    if scope.sample_id is not None:
        query = query.where(_in_sample(scope.sample_id, QueueEntry.contact_id))
    return query


def _unqueued(scope: Scope, vote: str | None) -> Select[Any, int]:
    """code, number of the released cases that stand in no campaign: by the interview they gave on another way."""
    told = select(Interview.case_id, case(*_of_interview(vote)).label("code")).where(
        Interview.survey_id == scope.survey_id, Interview.case_id.is_not(None)
    )
    given = told.subquery("given")
    best = (
        select(given)
        .ext(distinct_on(given.c.case_id))
        .order_by(given.c.case_id, _weight(given.c.code).desc().nulls_last())
        .subquery("best_given")
    )
    code = func.coalesce(best.c.code, codes.UNTRIED).label("code")
    queued = (
        exists()
        .where(QueueEntry.contact_id == SampleCase.contact_id, QueueEntry.queue_id == CallQueue.id)
        .where(CallQueue.script == f"survey/{scope.survey_id}")
    )
    query = (
        select(code, func.count())
        .select_from(SampleCase)
        .join(Sample, Sample.id == SampleCase.sample_id)
        .outerjoin(best, best.c.case_id == SampleCase.id)
        .where(Sample.survey_id == scope.survey_id, SampleCase.replicate <= Sample.released, ~queued)
        .group_by(code)
    )
    if scope.queue_id is not None:  # a campaign has only who stands in it
        query = query.where(~true())
    return query if scope.sample_id is None else query.where(Sample.id == scope.sample_id)


def _weight(code: ColumnElement[Any]) -> ColumnElement[Any]:
    """SQL: how much a code tells of its case."""
    return case({each.aapor: each.weight for each in codes.CODES.values()}, value=code)
