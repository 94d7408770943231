"""Figures of how a survey's interviews were done: of the newest ones, by question and by interviewer.

Everything stands on what checks.quality_measuring kept, so that a page costs the same whatever the survey's size.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from surveys.checks.interviewer_spread import FEWEST, Difference, Spread, differences, middle, spread
from surveys.checks.quality_tables import InterviewSignal
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.questionnaire import Questionnaire, versions

MOST = 10_000  # interviews, the newest, that a page looks at
SHORT = 0.5  # of the usual length
HURRIED, FEWEST_HURRIED = 0.3, 2  # share of questions, and how many at least
SILENT, FEWEST_ASKED = 0.4, 5  # share of questions without an answer, of so many at least
FLAGS = ("short", "hurried", "straight", "silent")


@dataclass(frozen=True)
class Measured:
    """One measured interview. `seconds` may be unknown; counts are of questions; `batteries`: of runs."""

    interview_id: UUID
    at: datetime
    interviewer_id: int | None
    face: str
    state: str
    seconds: float | None
    asked: int
    fast: int
    dk: int
    refused: int
    skipped: int
    batteries: int
    straight: int

    @property
    def unanswered(self) -> int:
        return self.dk + self.refused + self.skipped


def recent(session: Session, survey_id: int) -> list[Measured]:
    """The newest measured interviews, at most MOST, the newest first."""
    one, length = InterviewSignal, func.jsonb_array_length
    rows = session.execute(
        select(
            one.interview_id, Interview.at, Interview.interviewer_id, Interview.face, Interview.state, one.seconds,
            one.asked, length(one.fast), length(one.dk), length(one.refused), length(one.skipped), one.batteries,
            one.straight,
        )
        .join(Interview, Interview.id == one.interview_id)
        .where(one.survey_id == survey_id)
        .order_by(one.ended_at.desc(), one.interview_id)
        .limit(MOST)
    )  # fmt: skip
    return [Measured(*row) for row in rows]


def unmeasured(session: Session, survey_id: int) -> int:
    """Ended interviews that a worker has still to measure."""
    ended = select(func.count()).select_from(Interview).where(
        Interview.survey_id == survey_id, Interview.ended_at.is_not(None), Interview.state != "void"
    )  # fmt: skip
    measured = select(func.count()).select_from(InterviewSignal).where(InterviewSignal.survey_id == survey_id)
    return max(0, (session.scalar(ended) or 0) - (session.scalar(measured) or 0))


def usual_seconds(found: Sequence[Measured]) -> dict[str, float]:
    """The median length of whole interviews by face; of faces with at least FEWEST of them."""
    lengths: dict[str, list[float]] = defaultdict(list)
    for one in found:
        if one.state == "complete" and one.seconds is not None:
            lengths[one.face].append(one.seconds)
    return {face: median(values) for face, values in lengths.items() if len(values) >= FEWEST}


def flags(one: Measured, usual: Mapping[str, float]) -> tuple[str, ...]:
    """What is remarkable about an interview, of FLAGS."""
    is_whole = one.state == "complete" and one.seconds is not None and one.face in usual
    remarkable = {
        "short": is_whole and (one.seconds or 0.0) < SHORT * usual[one.face],
        "hurried": one.fast >= max(FEWEST_HURRIED, HURRIED * one.asked),
        "straight": one.straight > 0,
        "silent": one.asked >= FEWEST_ASKED and one.unanswered >= SILENT * one.asked,
    }
    return tuple(flag for flag in FLAGS if remarkable[flag])


@dataclass(frozen=True)
class QuestionFigures:
    """One question in the newest interviews. Counts; `seconds` is the median, None where nobody told."""

    item: str
    asked: int
    seconds: float | None
    fast: int
    dk: int
    refused: int
    skipped: int


def questions(session: Session, survey_id: int) -> list[QuestionFigures]:
    """In the order of the newest questionnaire; what only older ones asked comes last."""
    newest = _newest_ids(survey_id).subquery()
    usual = func.percentile_cont(0.5).within_group(Answer.seconds)
    rows = session.execute(
        select(Answer.item, func.count(), usual)
        .join(newest, newest.c.interview_id == Answer.interview_id)
        .where(Answer.superseded_at.is_(None), Answer.counts)
        .group_by(Answer.item)
    ).all()
    lists = {name: _listed(session, survey_id, name) for name in ("fast", "dk", "refused", "skipped")}
    order = _asked_order(session, survey_id)
    found = [
        QuestionFigures(item, n, seconds, *(lists[name][item] for name in ("fast", "dk", "refused", "skipped")))
        for item, n, seconds in rows
        if item in order
    ]
    return sorted(found, key=lambda one: order[one.item])


def _newest_ids(survey_id: int) -> Select[Any]:
    one = InterviewSignal
    ids = select(one.interview_id, one.fast, one.dk, one.refused, one.skipped).where(one.survey_id == survey_id)
    return ids.order_by(one.ended_at.desc(), one.interview_id).limit(MOST)


def _listed(session: Session, survey_id: int, name: str) -> Counter[str]:
    newest = _newest_ids(survey_id).subquery()
    item = func.jsonb_array_elements_text(newest.c[name]).column_valued("item", joins_implicitly=True)
    counted = select(item, func.count()).select_from(newest)
    return Counter(dict(session.execute(counted.group_by(item)).all()))


def _asked_order(session: Session, survey_id: int) -> dict[str, int]:
    """Place of each question, notes and silent items left out."""
    order: dict[str, int] = {}
    for version in versions(session, survey_id):
        for item in version.items["items"]:
            if item["type"] not in ("note", "hidden", "calculate"):
                order.setdefault(item["name"], len(order))
    return order


@dataclass(frozen=True)
class InterviewerFigures:
    """One interviewer against all others. `middle`: median seconds of whole interviews with its interval. Differences
    are None for who has too few: of broken-off, hurried, silent and straight-lined interviews, and of the vote for the
    candidate who leads the survey."""

    user_id: int
    name: str
    n: int
    complete: int
    middle: tuple[float, float, float] | None
    differences: Mapping[str, Difference]

    @property
    def stands_out(self) -> bool:
        return any(one.stands_out for one in self.differences.values())


COMPARED = ("partial", "hurried", "silent", "straight", "vote")


def interviewers(
    session: Session, survey_id: int, found: Sequence[Measured], *, vote: str | None
) -> tuple[list[InterviewerFigures], Spread | None]:
    """Who stands out first, then by interviews; and how much interviewers matter to the leading candidate's vote.

    `vote`: the vote question, None where the survey has none."""
    usual = usual_seconds(found)
    own: dict[int, list[Measured]] = defaultdict(list)
    for one in found:
        if one.interviewer_id is not None:
            own[one.interviewer_id].append(one)
    counts = {kind: {who: _counted(kind, ones, usual) for who, ones in own.items()} for kind in COMPARED[:4]}
    counts["vote"] = _votes(session, survey_id, vote) if vote else {}
    compared = {kind: differences(pairs) for kind, pairs in counts.items()}
    names = dict(session.execute(select(User.id, User.full_name).where(User.id.in_(own))).all())
    rows = [
        InterviewerFigures(
            who, names.get(who, ""), len(ones), sum(one.state == "complete" for one in ones),
            middle([one.seconds for one in ones if one.state == "complete" and one.seconds is not None]),
            {kind: pairs[who] for kind, pairs in compared.items() if who in pairs},
        )
        for who, ones in own.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (not row.stands_out, -row.n, row.name)), spread(counts["vote"])


def _counted(kind: str, ones: Sequence[Measured], usual: Mapping[str, float]) -> tuple[int, int]:
    """(remarkable interviews, interviews); of straight-lining only those that had a battery."""
    if kind == "partial":
        return sum(one.state == "partial" for one in ones), len(ones)
    asked = [one for one in ones if one.batteries] if kind == "straight" else ones
    return sum(kind in flags(one, usual) for one in asked), len(asked)


def _votes(session: Session, survey_id: int, vote: str) -> dict[int, tuple[int, int]]:
    """{interviewer: (votes for the candidate with most answers, vote answers)} of the newest interviews."""
    newest = _newest_ids(survey_id).subquery()
    rows = session.execute(
        select(Interview.interviewer_id, Answer.value, func.count())
        .join(newest, newest.c.interview_id == Interview.id)
        .join(Answer, (Answer.interview_id == Interview.id) & (Answer.item == vote))
        .where(Answer.superseded_at.is_(None), Answer.counts, Answer.value != "")
        .group_by(Interview.interviewer_id, Answer.value)
    ).all()
    candidates = _candidates(session, survey_id, vote)
    votes, bases = Counter[tuple[int, str]](), Counter[int]()
    for who, value, n in rows:
        if who is not None:
            votes[who, value] += n
            bases[who] += n
    totals = Counter({code: sum(n for (_who, value), n in votes.items() if value == code) for code in candidates})
    leader = max(candidates, key=lambda code: totals[code], default="")
    return {who: (votes[who, leader], n) for who, n in bases.items()} if leader else {}


def _candidates(session: Session, survey_id: int, vote: str) -> list[str]:
    found: dict[str, None] = {}
    for items in session.scalars(select(Questionnaire.items).where(Questionnaire.survey_id == survey_id)):
        for item in items["items"]:
            if item["name"] == vote:
                found |= dict.fromkeys(choice["name"] for choice in item["choices"] if choice["role"] == "candidate")
    return list(found)


def noticed(found: Sequence[Measured], interviewer_id: int | None = None) -> list[tuple[Measured, tuple[str, ...]]]:
    """Remarkable interviews with their flags, those with most first, then the newest."""
    usual = usual_seconds(found)
    wanted = [one for one in found if interviewer_id is None or one.interviewer_id == interviewer_id]
    told = [(one, flagged) for one in wanted if (flagged := flags(one, usual))]
    return sorted(told, key=lambda pair: -len(pair[1]))
