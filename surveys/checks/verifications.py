"""Call-backs that verify interviews: a share of each interviewer's whole interviews is drawn by a stored seed, the
people are called again by somebody else, and some questions are asked once more.

The verifier does not see what was answered before. The calls are made by an ordinary queue, so that every rule of the
gate, the ledger and the outcomes hold for them.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Text, cast, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.ledger.call_ledger import Call
from callcenter.queues import QueueEntry
from surveys import engine, questionnaire
from surveys.checks.verification_tables import Verification, VerificationPlan
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.questionnaire import Questionnaire

KINDS = ("select_one", "integer")  # questions that may be asked again
MOST_ITEMS = 5
YEARS = 1  # by which a number may differ: somebody had their birthday
REMEMBERS = ("yes", "no", "other")


@dataclass(frozen=True)
class Wanted:
    """A plan as somebody writes it: `percent` 0–100 of each interviewer's interviews; `items` to ask again."""

    percent: str
    items: Sequence[str]


def plan_of(session: Session, survey_id: int) -> VerificationPlan | None:
    return session.get(VerificationPlan, survey_id, populate_existing=True)


def questions(session: Session, survey_id: int) -> list[tuple[str, str]]:
    """(name, wording) of what may be asked again: one answer or a whole number, the vote and the consent left out."""
    items = questionnaire.current(session, survey_id).items
    kept_out = (items.get("vote_question"), items.get("consent_question"))
    return [
        (item["name"], engine.wording(items, item["label"], items["default_language"]))
        for item in items["items"]
        if item["type"] in KINDS and item["name"] not in kept_out
    ]


def set_plan(session: Session, survey_id: int, wanted: Wanted, user_id: int) -> VerificationPlan:
    """Decide how the survey is verified; its seed is drawn once. Raises InvalidInput({"percent" | "items": …})."""
    items = [name for name, _label in questions(session, survey_id) if name in wanted.items]
    if len(items) > MOST_ITEMS:
        raise InvalidInput({"items": _("Ask at most %(most)s questions again.", most=MOST_ITEMS)})
    row = {"share": _share(wanted.percent), "items": items, "made_by": user_id, "made_at": real_now()}
    made = insert(VerificationPlan).values(survey_id=survey_id, seed=secrets.randbits(62), **row)
    session.execute(made.on_conflict_do_update(index_elements=["survey_id"], set_=row))
    audit.record(session, user_id, "verification.plan", f"survey/{survey_id}", share=row["share"], items=items)
    plan = plan_of(session, survey_id)
    assert plan is not None
    return plan


def _share(text: str) -> float:
    try:
        percent = float(text.replace(",", ".").removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise InvalidInput({"percent": _("Write how many of 100 interviews are verified, more than 0 and up to 100.")})
    return percent / 100


def draw(session: Session, plan: VerificationPlan) -> int:
    """Draw among the whole interviews with people who were called; at least one of each interviewer. Returns how many
    are new. Who was drawn stays drawn."""
    digest = func.md5(func.concat(str(plan.seed), "/", cast(Interview.id, Text)))
    whole = select(
        Interview.id,
        func.row_number().over(partition_by=Interview.interviewer_id, order_by=digest).label("place"),
        func.count().over(partition_by=Interview.interviewer_id).label("n"),
    ).join(Attempt, Attempt.id == Interview.call_id).where(
        Interview.survey_id == plan.survey_id, Interview.state == "complete", Interview.ended_at.is_not(None),
        Interview.interviewer_id.is_not(None), Attempt.contact_id.is_not(None),
    ).subquery()  # fmt: skip
    is_drawn = exists().where(Verification.interview_id == whole.c.id)
    columns = ("interview_id", "survey_id", "given", "outcome", "drawn_at")
    drawn = select(
        whole.c.id, literal(plan.survey_id), literal({}, JSONB), literal("open"), literal(real_now())
    ).where(whole.c.place <= func.ceil(plan.share * whole.c.n), ~is_drawn)  # fmt: skip
    new = insert(Verification).from_select(columns, drawn).on_conflict_do_nothing().returning(Verification.interview_id)
    return len(session.execute(new).all())


def tend(session: Session) -> None:
    """Draw from what was interviewed since, hand it to the queue while that runs, and close what cannot be reached."""
    for plan in session.scalars(select(VerificationPlan)).all():
        draw(session, plan)
        if plan.queue_id is None:
            continue
        if queues.get(session, plan.queue_id).state in ("running", "paused"):
            queues.fill(session, plan.queue_id, _people(plan.survey_id))
        _close_unreached(session, plan)


def _people(survey_id: int) -> Any:
    """SELECT of the people whose interviews wait to be verified."""
    wanted = select(Attempt.contact_id).join(Interview, Interview.call_id == Attempt.id)
    wanted = wanted.join(Verification, Verification.interview_id == Interview.id)
    return wanted.where(
        Verification.survey_id == survey_id, Verification.outcome == "open", Attempt.contact_id.is_not(None)
    ).distinct()


def _close_unreached(session: Session, plan: VerificationPlan) -> None:
    """Whom the queue has done with, and who said nothing."""
    gone = (
        select(Interview.id)
        .join(Attempt, Attempt.id == Interview.call_id)
        .join(QueueEntry, QueueEntry.contact_id == Attempt.contact_id)
        .where(QueueEntry.queue_id == plan.queue_id, QueueEntry.state.in_(("done", "excluded")))
    )
    unreached = update(Verification).where(
        Verification.survey_id == plan.survey_id, Verification.outcome == "open", Verification.interview_id.in_(gone)
    )
    closed = unreached.values(outcome="not_reached", done_at=real_now())
    session.execute(closed.execution_options(synchronize_session=False))


@dataclass(frozen=True)
class Open:
    """A verification as its call sees it: the questions to ask again, without what was answered before."""

    verification: Verification
    interview: Interview
    questions: tuple[engine.Question, ...]


def of_call(session: Session, call_id: UUID) -> Open | None:
    """What this call of a verifying queue is about; None when nothing waits for the person any more."""
    row = session.execute(
        select(Call.script, Attempt.contact_id).join(Attempt, Attempt.id == Call.id).where(Call.id == call_id)
    ).first()
    kind, _slash, survey_id = row.script.partition("/") if row else ("", "", "")
    if row is None or kind != "verification" or not survey_id.isdecimal():
        raise NotFound(_("This call verifies no interview."))
    first = Attempt.__table__.alias("first")
    wanted = (
        select(Verification, Interview)
        .join(Interview, Interview.id == Verification.interview_id)
        .join(first, first.c.id == Interview.call_id)
        .where(Verification.survey_id == int(survey_id), first.c.contact_id == row.contact_id)
        .where(or_(Verification.outcome == "open", Verification.call_id == call_id))
        .order_by(Verification.drawn_at).limit(1)
    )  # fmt: skip
    found = session.execute(wanted.with_for_update(of=Verification)).first()
    if found is None:
        return None
    verification, interview = found
    plan = plan_of(session, verification.survey_id)
    return Open(verification, interview, _asked_again(session, interview, plan.items if plan else []))


def _asked_again(session: Session, interview: Interview, names: Sequence[str]) -> tuple[engine.Question, ...]:
    items, answers = _questionnaire(session, interview), _answers(session, interview.id)
    asked = (
        engine.question(items, answers, name, interview.seed, language=interview.language)
        for name in names
        if answers.get(name)
    )
    return tuple(question for question in asked if question is not None)


def _questionnaire(session: Session, interview: Interview) -> Any:
    return session.get_one(Questionnaire, interview.questionnaire_id).items


def _answers(session: Session, interview_id: UUID) -> dict[str, str]:
    holding = select(Answer.item, Answer.value).where(
        Answer.interview_id == interview_id, Answer.superseded_at.is_(None), Answer.counts
    )
    return {row.item: row.value for row in session.execute(holding)}


def record(
    session: Session, opened: Open, call_id: UUID, verifier_id: int, remembers: str, given: Mapping[str, str]
) -> Verification:
    """Keep what the person said; saying it again changes it. Raises InvalidInput({item | "remembers": sentence})."""
    if remembers not in REMEMBERS:
        raise InvalidInput({"remembers": _("Choose what the person says about the interview.")})
    if opened.interview.interviewer_id == verifier_id:
        raise InvalidInput({"remembers": _("You did this interview yourself: somebody else has to verify it.")})
    one = opened.verification
    before, said = _answers(session, one.interview_id), {}
    if remembers == "yes":
        said = _read(session, opened, before, given)
    one.call_id, one.verifier_id, one.remembers, one.given = call_id, verifier_id, remembers, said
    numbers = {question.name for question in opened.questions if question.kind == "integer"}
    one.outcome, one.done_at = _outcome(remembers, differing(before, said, numbers)), real_now()
    session.flush()
    return one


def _read(session: Session, opened: Open, before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    items, seed = _questionnaire(session, opened.interview), opened.interview.seed
    said: dict[str, str] = {}
    faults: dict[str, str] = {}
    for question in opened.questions:
        told = given.get(question.name, "").strip()
        if not told:  # not asked again, or not answered: that is their right
            continue
        try:
            value = engine.read_answer(items, before, question.name, told, seed=seed)
        except InvalidInput as fault:
            faults |= fault.faults
        else:
            said[question.name] = value
    if faults:
        raise InvalidInput(faults)
    return said


def _outcome(remembers: str, differs: Sequence[str]) -> str:
    if remembers != "yes":
        return "denied" if remembers == "no" else "not_reached"
    return "differs" if differs else "confirmed"


def differing(before: Mapping[str, str], said: Mapping[str, str], numbers: Collection[str]) -> list[str]:
    """Items that were answered otherwise now; one of the `numbers` that is off by one is the same."""
    return [name for name, now in said.items() if not _is_same(before.get(name, ""), now, name in numbers)]


def _is_same(before: str, now: str, is_number: bool) -> bool:
    if is_number and before.isdecimal() and now.isdecimal():
        return abs(int(before) - int(now)) <= YEARS
    return before == now


def ended(_session: Session, _call_id: UUID) -> None:
    """The call has its outcome: what was said is kept already, and who was not reached is closed by `tend`."""


def suggested(session: Session, call_id: UUID) -> str | None:
    """The disposition of the verifying call."""
    said = session.scalar(select(Verification.remembers).where(Verification.call_id == call_id))
    return "completed" if said in ("yes", "no") else None
