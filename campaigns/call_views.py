"""Pages of one calling campaign: make it, look before it starts, watch it, pause and finish it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy.orm import Session
from wtforms.fields import SelectChoice

from callcenter import carriers, dispositions, queues
from callcenter.base import live as live_pages
from callcenter.base.auth import access
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.trunk_book import caller_ids
from callcenter.trunk_health import CARRIER
from callcenter.trunk_numbers import LOCAL
from callcenter.trunks import reach_invented
from campaigns import audiences, calling, labels, preflight, reports
from campaigns.calling import OPERATOR_SCRIPT, CallCampaign
from campaigns.forms import CallForm
from surveys import questionnaire

blueprint = Blueprint("calls", __name__, url_prefix="/calls")

WATCHERS = ("strategist", "administrator", "supervisor")


def compose() -> None:
    """Make the page of a running campaign live."""
    live_pages.register("queue", _live_snapshot, roles=WATCHERS, pause=2.0)


def _live_snapshot(session: Session, _user_id: int, queue_id: int) -> dict[str, Any]:
    queue = queues.get(session, queue_id)
    return {"state": queue.state, "why_idle": queue.why_idle, **queues.progress(session, queue_id)}


@blueprint.route("/new", methods=["GET", "POST"])
@access("strategist", "administrator")
def create() -> ResponseReturnValue:
    session = web_session()
    form = _form()
    if form.validate_on_submit():
        campaign = calling.create(session, form.plan(web_settings()), current_user.id)
        session.commit()
        return redirect(url_for(".show", campaign_id=campaign.id))
    status = 422 if request.method == "POST" else 200
    page = render_template(
        "campaigns/call_form.html", form=form, has_segments=bool(form.segment_id.choices),
        has_switchboard=carriers.has_switchboard(),
    )  # fmt: skip
    return page, status


@blueprint.get("/<int:campaign_id>")
@access(*WATCHERS)
def show(campaign_id: int) -> ResponseReturnValue:
    campaign = calling.find(web_session(), campaign_id)
    if campaign.frozen_at is None:
        return render_template(
            "campaigns/call_preflight.html", campaign=campaign, check=_check(campaign), labels=labels,
            gaps=calling.gaps(web_session(), campaign), survey_id=calling.recorded_survey(campaign),
        )  # fmt: skip
    return render_template("campaigns/call.html", **_picture(campaign))


@blueprint.get("/<int:campaign_id>/live")
@access(*WATCHERS)
def live(campaign_id: int) -> ResponseReturnValue:
    """The moving part of the campaign's page."""
    campaign = calling.find(web_session(), campaign_id)
    if campaign.queue.state != request.args.get("state", campaign.queue.state):
        return "", 200, {"HX-Refresh": "true"}  # the buttons above change too
    return render_template("campaigns/_call.html", **_picture(campaign))


@blueprint.post("/<int:campaign_id>/start")
@access("strategist", "administrator")
def start(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    people = calling.launch(session, campaign_id, current_user.id, confirmed="confirmed" in request.form)
    session.commit()
    flash(ngettext("Calling begins: %(num)s person.", "Calling begins: %(num)s people.", people), "success")
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/pause")
@access(*WATCHERS)
def pause(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    calling.pause(session, campaign_id, request.form.get("reason") or "review", current_user.id)
    session.commit()
    flash(_("Paused. Calls under way go on to their end; no new one is placed."), "warning")
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/resume")
@access("strategist", "administrator")
def resume(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    calling.resume(session, campaign_id, current_user.id)
    session.commit()
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/finish")
@access("strategist", "administrator")
def finish(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    calling.finish(session, campaign_id, request.form.get("reason") or "review", current_user.id)
    session.commit()
    return redirect(url_for(".show", campaign_id=campaign_id))


def _form() -> CallForm:
    session = web_session()
    form = CallForm()
    form.segment_id.choices = audiences.choices(session)
    form.script.choices = [SelectChoice(f"survey/{survey.id}", _("Survey: %(name)s", name=survey.name))
                           for survey, _interviews in questionnaire.listed(session)]  # fmt: skip
    form.script.choices.append(SelectChoice(OPERATOR_SCRIPT, _("A text of our own")))
    form.caller_id.choices = [SelectChoice(number, labels.caller_id(number)) for number in _caller_ids(session)]
    return form


def _caller_ids(session: Session) -> list[str]:
    """What may be shown to the people called: with Asterisk what its trunks allow, and each person's local number."""
    if web_settings().carrier != CARRIER:
        number = web_settings().twilio.voice_number
        return [number] if number else []
    numbers = caller_ids(session)
    return [*numbers, LOCAL] if len(numbers) > 1 else numbers


def _check(campaign: CallCampaign) -> preflight.Preflight:
    return preflight.of_calls(
        web_session(),
        audiences.rule_of(campaign),
        campaign.queue.purpose,
        simulated=reach_invented(web_session(), campaign.queue.carrier),
    )


def _picture(campaign: CallCampaign) -> dict[str, object]:
    session, queue = web_session(), campaign.queue
    return {
        "campaign": campaign, "queue": queue, "labels": labels, "as_of": campaign_now(session),
        "progress": queues.progress(session, queue.id), "why_idle": queues.why_sentence(queue.why_idle),
        "outcomes": [(dispositions.label(code), n) for code, n in reports.call_outcomes(session, queue.id)],
        "excluded": [(labels.refusal(code), n) for code, n in reports.entry_reasons(session, queue.id)],
        "per_hour": reports.calls_per_hour(session, queue.id),
    }  # fmt: skip
