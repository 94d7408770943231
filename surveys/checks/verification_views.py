"""Pages of the call-backs that verify interviews: the plan and what was found, and the script of such a call."""

from contextlib import AbstractContextManager
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, format_date
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import operators, queues
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.ledger import call_scripts
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_scripts import CallScript
from callcenter.queueing import crews
from surveys import questionnaire
from surveys.checks import quality_words, verification_figures, verification_queue, verifications
from surveys.checks.verifications import Open, Wanted
from surveys.faces.sentences import tongue
from surveys.pages import OPERATORS, WATCHERS, blueprint

USUAL = "10"  # percent


def compose() -> None:
    """Tell the ground floor what a call of a verifying queue runs."""
    call_scripts.register(
        "verification", CallScript("surveys.verify_call", verifications.ended, verifications.suggested)
    )


@blueprint.get("/<int:survey_id>/verification")
@access(*WATCHERS)
def verification(survey_id: int) -> ResponseReturnValue:
    """The plan, the queue and its crew, the findings."""
    return _page(survey_id, {})


@blueprint.post("/<int:survey_id>/verification")
@access(*WATCHERS)
def plan_verification(survey_id: int) -> ResponseReturnValue:
    """How many interviews are verified, and with which questions."""
    session = web_session()
    questionnaire.find(session, survey_id)
    wanted = Wanted(request.form.get("percent", ""), request.form.getlist("items"))
    try:
        plan = verifications.set_plan(session, survey_id, wanted, current_user.id)
        verifications.draw(session, plan)
    except InvalidInput as fault:
        session.rollback()
        return _page(survey_id, dict(fault.faults), wanted), 422
    session.commit()
    flash(_("The plan is kept, and the interviews are drawn."), "success")
    return redirect(url_for(".verification", survey_id=survey_id))


@blueprint.post("/<int:survey_id>/verification/queue")
@access(*WATCHERS)
def run_verification(survey_id: int) -> ResponseReturnValue:
    """Start the calls with a crew, or pause them."""
    session = web_session()
    plan = verifications.plan_of(session, survey_id)
    if plan is None:
        raise NotFound(_("Write the plan first."))
    try:
        if request.form.get("act") == "pause" and plan.queue_id is not None:
            queues.set_state(session, plan.queue_id, "paused", None, current_user.id)
        else:
            verification_queue.start(session, plan, request.form.getlist("crew", type=int), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(survey_id, dict(fault.faults)), 422
    session.commit()
    return redirect(url_for(".verification", survey_id=survey_id))


def _page(survey_id: int, faults: dict[str, str], wanted: Wanted | None = None) -> str:
    session = web_session()
    plan = verifications.plan_of(session, survey_id)
    queue = verification_queue.present(session, plan) if plan else None
    told = Wanted(f"{plan.share * 100:g}", plan.items) if plan else Wanted(USUAL, ())
    return render_template(
        "surveys/verification.html", survey=questionnaire.find(session, survey_id), plan=plan, queue=queue,
        wanted=wanted or told, questions=verifications.questions(session, survey_id), faults=faults,
        people=verification_figures.by_interviewer(session, survey_id), outcomes=verification_figures.OUTCOMES,
        found=verification_figures.findings(session, survey_id), words=quality_words, most=verifications.MOST_ITEMS,
        crew=crews.of_queue(session, queue.id) if queue else [], choices=crews.choices(session),
        own=verification_queue.interviewers(session, survey_id),
    )  # fmt: skip


@blueprint.route("/verifications/calls/<uuid:call_id>", methods=["GET", "POST"])
@access(*OPERATORS)
def verify_call(call_id: UUID) -> ResponseReturnValue:
    """The script of a verifying call: what the person remembers, and some questions again. A part of the console."""
    session = web_session()
    call = session.get(Call, call_id)
    if call is None or call.operator_id != operators.of_user(session, current_user.id).id:
        raise NotFound(_("This call is not yours."))
    opened, faults = verifications.of_call(session, call_id), {}
    given = _given(opened, call_id)
    remembers = request.form.get("remembers", "")
    if request.method == "POST" and opened is not None:
        try:
            verifications.record(session, opened, call_id, current_user.id, remembers, given)
        except InvalidInput as fault:
            session.rollback()
            opened, faults = verifications.of_call(session, call_id), dict(fault.faults)
    session.commit()
    return _script(call, opened, given, faults)


def _given(opened: Open | None, call_id: UUID) -> dict[str, str]:
    """What the form says; on a page that is opened again, what was kept in this call."""
    if opened is None:
        return {}
    if request.method == "GET":
        return dict(opened.verification.given) if opened.verification.call_id == call_id else {}
    return {question.name: request.form.get(f"item.{question.name}", "") for question in opened.questions}


def _script(call: Call, opened: Open | None, given: dict[str, str], faults: dict[str, str]) -> str:
    queue = queues.get(web_session(), call.queue_id)
    with _in_words_of(opened):
        greeting = opened and _greeting(opened, queue.on_behalf_of)
    return render_template(
        "surveys/verification_call.html", opened=opened, given=given, faults=faults, greeting=greeting,
        action=url_for(".verify_call", call_id=call.id), remembers=request.form.get("remembers", ""),
        is_own=opened is not None and opened.interview.interviewer_id == current_user.id,
        is_said=opened is not None and opened.verification.call_id == call.id and not faults,
    )  # fmt: skip


def _in_words_of(opened: Open | None) -> AbstractContextManager[None]:
    """The language of the interview, for what is read aloud."""
    wanted = tongue(opened.interview.language) if opened else None
    found: AbstractContextManager[None] = force_locale(wanted or "es")
    return found


def _greeting(opened: Open, sponsor: str) -> str:
    return str(
        _(
            "Good day, my name is %(name)s, on behalf of %(sponsor)s. Somebody of ours interviewed you by telephone on "
            "%(date)s. I only call to make sure that it was done well. Do you remember that call?",
            name=current_user.full_name, sponsor=sponsor, date=format_date(opened.interview.at, "long"),
        )
    )  # fmt: skip
