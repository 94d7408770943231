"""The list that verifiers call: a queue like the one of the interviews, with a crew of its own."""

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, Refused
from callcenter.operators import Operator
from callcenter.queueing import crews, queue_pace
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import CallQueue
from surveys import questionnaire
from surveys.checks import verifications
from surveys.checks.verification_tables import Verification, VerificationPlan
from surveys.fieldwork.interview_ledger import Interview


def interviewers(session: Session, survey_id: int) -> dict[int, int]:
    """{operator's id: drawn interviews of theirs}: who may not verify."""
    rows = session.execute(
        select(Operator.id, func.count())
        .join(Interview, Interview.interviewer_id == Operator.user_id)
        .join(Verification, Verification.interview_id == Interview.id)
        .where(Verification.survey_id == survey_id)
        .group_by(Operator.id)
    )
    return dict(rows.all())


def start(session: Session, plan: VerificationPlan, operator_ids: Collection[int], user_id: int) -> CallQueue:
    """Draw, and let these operators call: the person is shown to them before the phone rings.

    Raises InvalidInput({"crew": sentence}) for nobody or for an interviewer, Refused("nothing_to_verify")."""
    verifications.draw(session, plan)
    _check_crew(session, plan.survey_id, operator_ids)
    queue = present(session, plan) or _make(session, plan, user_id)
    crews.name(session, queue.id, operator_ids, user_id)
    queues.set_state(session, queue.id, "running", None, user_id)
    verifications.tend(session)
    return queue


def present(session: Session, plan: VerificationPlan) -> CallQueue | None:
    """The plan's queue, unless it has been finished."""
    queue = queues.get(session, plan.queue_id) if plan.queue_id else None
    return queue if queue is not None and queue.state != "finished" else None


def _check_crew(session: Session, survey_id: int, operator_ids: Collection[int]) -> None:
    if not operator_ids:
        raise InvalidInput({"crew": _("Choose at least one person who verifies.")})
    own = sorted(set(operator_ids) & interviewers(session, survey_id).keys())
    if own:
        named = select(User.full_name).join(Operator, Operator.user_id == User.id).where(Operator.id.in_(own))
        names = ", ".join(session.scalars(named.order_by(User.full_name)))
        raise InvalidInput(
            {"crew": _("Interviews of %(names)s are to be verified: choose somebody else.", names=names)}
        )


def _make(session: Session, plan: VerificationPlan, user_id: int) -> CallQueue:
    """As the newest queue of the interviews is: the same line, on the same behalf, with the same notice."""
    like = session.scalar(
        select(CallQueue).join(Interview, Interview.queue_id == CallQueue.id)
        .join(Verification, Verification.interview_id == Interview.id)
        .where(Verification.survey_id == plan.survey_id).order_by(CallQueue.id.desc()).limit(1)
    )  # fmt: skip
    if like is None:
        raise Refused("nothing_to_verify", _("No whole interview by telephone is here to be verified yet."))
    survey = questionnaire.find(session, plan.survey_id)
    queue = CallQueue(
        name=_("Verification: %(survey)s", survey=survey.name)[:200], purpose=like.purpose,
        script=f"verification/{plan.survey_id}", carrier=like.carrier, caller_id=like.caller_id,
        on_behalf_of=like.on_behalf_of, privacy_notice_url=like.privacy_notice_url,
    )  # fmt: skip
    session.add(queue)
    session.flush()
    queue_pace.set_pace(session, queue.id, Pace("preview"), user_id)
    plan.queue_id = queue.id
    audit.record(session, user_id, "verification.queue", f"survey/{plan.survey_id}", queue=queue.id)
    return queue
