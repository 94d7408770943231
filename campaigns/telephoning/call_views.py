"""Pages of one calling campaign: make it, look before it starts, watch it, pause and finish it."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from callcenter import queues
from callcenter.base import live as live_pages
from callcenter.base.auth import access
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.web import back_to
from callcenter.ledger import dispositions
from callcenter.queueing import abandonment, entry_reasons, giving_up, queue_pace
from callcenter.trunks import reach_invented
from campaigns import audiences, calling, labels, reports
from campaigns.calling import CallCampaign
from campaigns.mailings import preflight
from campaigns.telephoning import call_drafts, call_figures, draft_plans, quota_views, why_views
from campaigns.telephoning.call_figures import Speed
from campaigns.telephoning.call_forecasts import Forecast
from campaigns.telephoning.draft_forms import PaceForm

blueprint = Blueprint("calls", __name__, url_prefix="/calls")

WATCHERS = ("strategist", "administrator", "supervisor")


def compose() -> None:
    """Make the page of a running campaign live."""
    live_pages.register("queue", _live_snapshot, roles=WATCHERS, pause=2.0)


def _live_snapshot(session: Session, _user_id: int, queue_id: int) -> dict[str, Any]:
    queue = queues.get(session, queue_id)
    return {"state": queue.state, "why_idle": queue.why_idle, **queues.progress_lately(session, queue_id)}


@blueprint.get("/new")
@access("strategist", "administrator")
def create() -> ResponseReturnValue:
    """To the first step of a new draft: the person's own in which nothing was written yet, else another."""
    session = web_session()
    draft = call_drafts.begin(session, current_user.id)
    session.commit()
    return redirect(url_for("campaigns.drafts.step", draft_id=draft.id, step="goal"))


@blueprint.get("/<int:campaign_id>")
@access(*WATCHERS)
def show(campaign_id: int) -> ResponseReturnValue:
    campaign = calling.find(web_session(), campaign_id)
    if campaign.frozen_at is None:
        return render_template(
            "campaigns/call_preflight.html", campaign=campaign, check=_check(campaign), labels=labels,
            gaps=calling.gaps(web_session(), campaign), survey_id=calling.recorded_survey(campaign),
            missing=calling.missing_pictures(web_session(), campaign),
        )  # fmt: skip
    return _show(campaign)


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
    return _back(campaign_id)


@blueprint.post("/<int:campaign_id>/resume")
@access("strategist", "administrator")
def resume(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    calling.resume(session, campaign_id, current_user.id)
    session.commit()
    return _back(campaign_id)


@blueprint.post("/<int:campaign_id>/finish")
@access("strategist", "administrator")
def finish(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    reason, callbacks = request.form.get("reason") or "review", request.form.get("callbacks", "")
    calling.finish(session, campaign_id, reason, current_user.id, callbacks=callbacks)
    session.commit()
    return _back(campaign_id)


@blueprint.post("/<int:campaign_id>/pace")
@access(*WATCHERS)
def set_pace(campaign_id: int) -> ResponseReturnValue:
    """Another mode or limit, from the next decision on."""
    session = web_session()
    campaign = calling.find(session, campaign_id)
    form = PaceForm(request.form)
    form.prepare(session, {})
    if not form.validate():
        return _show(campaign, form), 422
    queue_pace.set_pace(session, campaign.queue_id, form.pace(), current_user.id)
    session.commit()
    flash(_("The pace is changed; the next decision follows it."), "success")
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/duplicate")
@access("strategist", "administrator")
def duplicate(campaign_id: int) -> ResponseReturnValue:
    """A draft that says the same, to be changed and started."""
    session = web_session()
    campaign = calling.find(session, campaign_id)
    draft = draft_plans.copy(session, campaign, _("%(name)s, again", name=campaign.name), current_user.id)
    session.commit()
    return redirect(url_for("campaigns.drafts.step", draft_id=draft.id, step="goal"))


def _back(campaign_id: int) -> Response:
    """To the list, where the button stood there; else to the campaign."""
    return back_to("campaigns.page") if "next" in request.form else redirect(url_for(".show", campaign_id=campaign_id))


def _check(campaign: CallCampaign) -> preflight.Preflight:
    return preflight.of_calls(
        web_session(),
        audiences.rule_of(campaign),
        campaign.queue.purpose,
        simulated=reach_invented(web_session(), campaign.queue.carrier),
    )


def _picture(campaign: CallCampaign) -> dict[str, object]:
    session, queue = web_session(), campaign.queue
    progress = queues.progress_lately(session, queue.id)
    speeds = call_figures.speeds(session, [queue.id])
    counts = {queue.id: {"planned": progress["total"], "settled": progress["done"] + progress["excluded"]}}
    ends = call_figures.ends(session, [campaign] if queue.state == "running" else [], counts, speeds)
    return {
        "campaign": campaign, "queue": queue, "labels": labels, "as_of": campaign_now(session), "progress": progress,
        "outcomes": [(dispositions.label(code), n) for code, n in reports.call_outcomes(session, queue.id)],
        "excluded": [(entry_reasons.sentence(code), n) for code, n in reports.entry_reasons(session, queue.id)],
        "funnel": call_figures.funnel(session, queue.id), "speed": speeds.get(queue.id, Speed()),
        "hours": call_figures.by_hour(session, queue.id), "trunks": call_figures.by_trunk(session, queue.id),
        "left_ringing": giving_up.share(session, queue.id),
        "found_nobody": abandonment.of_queues(session, [queue.id])[queue.id], "forecast": _forecast(campaign),
        "ends_on": ends.get(campaign.id), "mode_name": queue_pace.NAMES.get(queue.mode, queue.mode),
        "fallback": queue_pace.fallback_sentence(queue.falls_back), **quota_views.picture(session, campaign),
    }  # fmt: skip


def _forecast(campaign: CallCampaign) -> Forecast | None:
    """What was foreseen at the start; None of a campaign older than forecasts."""
    return Forecast(**campaign.forecast) if campaign.forecast else None


def _pace_form(campaign: CallCampaign) -> PaceForm:
    """The pace as it stands, or as it was just typed."""
    form = PaceForm(MultiDict(draft_plans.written_of_pace(queue_pace.of_queue(campaign.queue))))
    form.prepare(web_session(), {})
    return form


def _show(campaign: CallCampaign, pace_form: PaceForm | None = None) -> str:
    # The panel comes with the page: one that arrived later would push away what the hand is already reaching for.
    panel = {} if campaign.queue.state == "finished" else why_views.picture(campaign)
    return render_template(
        "campaigns/call.html", pace_form=pace_form or _pace_form(campaign),
        heirs=calling.heirs(web_session(), campaign), **(panel | _picture(campaign)),
    )  # fmt: skip
