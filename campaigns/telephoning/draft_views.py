"""The wizard of calling campaigns: its steps in any order, kept as they are typed; the look ahead, and the start."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_security import current_user
from werkzeug.wrappers import Response

from callcenter import carriers
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.settings import web_settings
from callcenter.gate import rulebook
from callcenter.gate.house_rules import DAY_KIND_LABELS
from callcenter.ledger import trial_calls
from callcenter.ledger.trial_calls import Wanted
from callcenter.telephony import account_checks
from campaigns import labels
from campaigns.telephoning import call_drafts, draft_forecasts, draft_plans, draft_steps
from campaigns.telephoning.call_drafts import CallDraft
from campaigns.telephoning.draft_forecasts import Question
from campaigns.telephoning.draft_steps import REVIEW, STEPS
from campaigns.wizards.wizard_pages import Room
from surveys.pictures import form_pictures
from surveys.voice import prompt_catalogue, prompt_ringing

blueprint = Blueprint("drafts", __name__, url_prefix="/calls/drafts")
AUTHORS = ("strategist", "administrator")
FORMS = "any(goal,people,script,quotas,schedule,pace,caller)"
LANGUAGE = "es"  # of a recorded survey that rings its author
ROOM = Room(
    draft_steps.WIZARD, call_drafts.SHELF, "campaigns.drafts", "campaigns/wizard",
    _l("A draft: nobody is called until you start it. Everything is kept as you type."),
)  # fmt: skip


@blueprint.get(f"/<int:draft_id>/<{FORMS}:step>")
@access(*AUTHORS)
def step(draft_id: int, step: str) -> ResponseReturnValue:
    """One step, as it was left. With `check` in the address it says what is wrong there."""
    draft = call_drafts.find(web_session(), draft_id)
    return _gone(draft) or _step(draft, step, says="check" in request.args)


@blueprint.post(f"/<int:draft_id>/<{FORMS}:step>")
@access(*AUTHORS)
def save(draft_id: int, step: str) -> ResponseReturnValue:
    """Keep the step, and go where the button says: to any other step, or to the next one once this one is right."""
    draft = ROOM.kept(draft_id, step)
    return _gone(draft) or ROOM.go(draft, step, ROOM.chosen(draft, step))


@blueprint.post(f"/<int:draft_id>/<{FORMS}:step>/keep")
@access(*AUTHORS)
def keep(draft_id: int, step: str) -> ResponseReturnValue:
    """While it is typed."""
    return ROOM.kept_note(draft_id, step)


@blueprint.get("/<int:draft_id>/review")
@access(*AUTHORS)
def review(draft_id: int) -> ResponseReturnValue:
    """Everything once more, the test call, and the start."""
    draft = call_drafts.find(web_session(), draft_id)
    return _gone(draft) or _review(draft)


@blueprint.get("/<int:draft_id>/reach")
@access(*AUTHORS)
def reach(draft_id: int) -> ResponseReturnValue:
    """Who would be called now, and who not and why."""
    session = web_session()
    draft = call_drafts.find(session, draft_id)
    check = draft_forecasts.reach(session, draft.form, web_settings())
    return render_template("campaigns/wizard/_reach.html", check=check, labels=labels)


@blueprint.get("/<int:draft_id>/forecast")
@access(*AUTHORS)
def forecast(draft_id: int) -> ResponseReturnValue:
    """What it would bring. Nothing is open while the twin simulates."""
    session = web_session()
    draft = call_drafts.find(session, draft_id)
    asked = draft_forecasts.question(session, draft.form, web_settings())
    session.commit()
    seen = asked.answer() if isinstance(asked, Question) else None
    lacks = asked if isinstance(asked, list) else []
    return render_template("campaigns/wizard/_forecast.html", seen=seen, lacks=lacks, draft=draft, steps=STEPS)


@blueprint.post("/<int:draft_id>/trial")
@access(*AUTHORS)
def trial(draft_id: int) -> ResponseReturnValue:
    """Ring the telephone of who prepares it."""
    session, number = web_session(), request.form.get("number", "")
    draft = call_drafts.find(session, draft_id)
    try:
        _ring(draft, number)
        session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _review(draft, number=number, fault=str(fault)), 422
    return redirect(ROOM.address(draft, REVIEW, _anchor="trial"))


@blueprint.get("/<int:draft_id>/trial-state")
@access(*AUTHORS)
def trial_state(draft_id: int) -> ResponseReturnValue:
    """What has become of the test call."""
    found = trial_calls.newest(web_session(), current_user.id)
    return render_template("campaigns/wizard/_trial.html", trial=_of(draft_id, found), draft_id=draft_id)


@blueprint.post("/<int:draft_id>/start")
@access(*AUTHORS)
def start(draft_id: int) -> ResponseReturnValue:
    session, settings = web_session(), web_settings()
    draft = call_drafts.find(session, draft_id)
    if draft.campaign_id is None and draft_steps.missing(session, draft.form):
        return _review(draft), 422
    asked = draft_forecasts.question(session, draft.form, settings)
    session.commit()
    foreseen = asked.answer().as_kept() if isinstance(asked, Question) else None
    try:
        campaign, people = draft_plans.start(
            session, draft_id, settings, current_user.id, confirmed="confirmed" in request.form, forecast=foreseen
        )
    except InvalidInput:
        session.rollback()
        return _review(call_drafts.find(session, draft_id)), 422
    session.commit()
    if people:
        flash(ngettext("Calling begins: %(num)s person.", "Calling begins: %(num)s people.", people), "success")
    return redirect(url_for("campaigns.calls.show", campaign_id=campaign.id))


@blueprint.post("/<int:draft_id>/discard")
@access(*AUTHORS)
def discard(draft_id: int) -> ResponseReturnValue:
    session = web_session()
    call_drafts.discard(session, draft_id, current_user.id)
    session.commit()
    flash(_("The draft is thrown away."), "info")
    return redirect(url_for("campaigns.page"))


def _gone(draft: CallDraft) -> Response | None:
    """Where to, when the draft has become a campaign."""
    if draft.campaign_id is None:
        return None
    return redirect(url_for("campaigns.calls.show", campaign_id=draft.campaign_id))


def _frame(draft: CallDraft, key: str) -> dict[str, Any]:
    """What every step's page shows around its fields."""
    return ROOM.frame(draft, key) | {
        "has_switchboard": carriers.has_switchboard(),
        "can": carriers.can,
    }  # fmt: skip


def _step(draft: CallDraft, key: str, *, says: bool) -> str:
    session = web_session()
    form = draft_steps.form_of(session, draft.form, key)
    if says:
        form.validate()
    return render_template("campaigns/wizard/step.html", form=form, **_frame(draft, key), **_aside(draft, key))


def _aside(draft: CallDraft, key: str) -> dict[str, Any]:
    """What a step shows beside its fields."""
    session = web_session()
    if key == "people":
        return {"check": draft_forecasts.reach(session, draft.form, web_settings())}
    if key == "script" and (survey_id := _survey_of(draft)):
        if draft.form.get("answered_by") == "recording":
            return {"gaps": prompt_catalogue.gaps(session, survey_id), "survey_id": survey_id}
        return {"missing_pictures": form_pictures.missing(session, survey_id)}
    if key == "schedule":
        book, now = rulebook.read(session), campaign_now(session).astimezone(ZONE)
        return {"hours": [(DAY_KIND_LABELS[kind], *span) for kind, span in book.hours.items()],
                "today": book.hours_on(now.date(), ZONE), "book": book}  # fmt: skip
    return {}


def _review(draft: CallDraft, *, number: str = "", fault: str | None = None) -> str:
    session = web_session()
    frame = _frame(draft, REVIEW)
    check = draft_forecasts.reach(session, draft.form, web_settings())
    plan = None if frame["missing"] else draft_plans.plan_of(session, draft.form, web_settings())
    last = _of(draft.id, trial_calls.newest(session, current_user.id))
    hindered = account_checks.refusals(session, plan.carrier, plan.caller_id) if plan else []
    return render_template(
        "campaigns/wizard/review.html", check=check, plan=plan, number=number, fault=fault, trial=last,
        hindered=hindered, draft_id=draft.id, is_recorded=draft.form.get("answered_by") == "recording", **frame,
    )  # fmt: skip


def _of(draft_id: int, trial: trial_calls.TrialCall | None) -> trial_calls.TrialCall | None:
    """The trial, when it is one of this draft."""
    return trial if trial is not None and trial.subject == f"call-draft/{draft_id}" else None


def _ring(draft: CallDraft, number: str) -> None:
    """A recorded survey asks its author as it would anybody; else it is said who calls, and what is said first.

    Raises InvalidInput, Refused."""
    session = web_session()
    plan = draft_plans.plan_of(session, draft.form, web_settings())
    survey_id = _survey_of(draft)
    if plan.answered_by == "recording" and survey_id is not None:
        prompt_ringing.ring(session, survey_id, LANGUAGE, number, current_user.id)
        flash(_("Your telephone rings in a moment. Nothing that you answer is kept."), "success")
        return
    if not plan.caller_id:
        raise Refused("no_caller_id", _("Choose the number that is shown first."))
    said = f"Llamada de prueba de Convoca. Le llamamos de parte de {plan.on_behalf_of}. {plan.script_text or ''}"
    wanted = Wanted(f"call-draft/{draft.id}", plan.carrier, plan.caller_id, said)
    trial_calls.begin(session, number, wanted, current_user.id)


def _survey_of(draft: CallDraft) -> int | None:
    kind, _slash, number = str(draft.form.get("script", "")).partition("/")
    return int(number) if kind == "survey" and number.isdecimal() else None
