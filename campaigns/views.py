"""The list of campaigns, and the one button that stops everything."""

from contextlib import suppress
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_currency, ngettext
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import queues
from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import Refused
from callcenter.queueing import abandonment, queue_pace
from campaigns import calling, labels, reports, wording
from campaigns.channels import channel_views
from campaigns.correspondence import answer_views, inbox_views, survey_ask_views
from campaigns.dispatch import sender_views, sending_views
from campaigns.figures import message_cost_views, message_report_views, message_why_views
from campaigns.mailings import (
    message_act_views,
    message_approvals,
    message_campaigns,
    message_draft_views,
    message_drafts,
    message_views,
    peer_views,
)
from campaigns.rehearsal import rehearsal_views
from campaigns.telephoning import (
    apology_views,
    call_drafts,
    call_figures,
    call_setting_views,
    call_views,
    draft_views,
    quota_list,
    quota_views,
    sample_campaigns,
    why_views,
)
from campaigns.texts import enclosure_views, wording_views

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns", template_folder="templates")
blueprint.register_blueprint(call_views.blueprint)
blueprint.register_blueprint(call_setting_views.blueprint)
blueprint.register_blueprint(apology_views.blueprint)
blueprint.register_blueprint(draft_views.blueprint)
blueprint.register_blueprint(sample_campaigns.blueprint)
blueprint.register_blueprint(message_views.blueprint)
blueprint.register_blueprint(channel_views.blueprint)
blueprint.register_blueprint(enclosure_views.blueprint)
blueprint.register_blueprint(message_act_views.blueprint)
blueprint.register_blueprint(message_draft_views.blueprint)
blueprint.register_blueprint(sending_views.blueprint)
blueprint.register_blueprint(sender_views.blueprint)
blueprint.register_blueprint(message_report_views.blueprint)
blueprint.register_blueprint(message_why_views.blueprint)
blueprint.register_blueprint(message_cost_views.blueprint)
blueprint.register_blueprint(wording_views.blueprint)
blueprint.register_blueprint(rehearsal_views.blueprint)
blueprint.register_blueprint(inbox_views.blueprint)
blueprint.register_blueprint(answer_views.blueprint)
blueprint.register_blueprint(survey_ask_views.blueprint)
blueprint.register_blueprint(peer_views.blueprint)
blueprint.register_blueprint(why_views.blueprint)
blueprint.register_blueprint(quota_views.blueprint)
blueprint.register_blueprint(quota_list.blueprint)


@blueprint.app_template_filter("currency")
def currency(amount: Decimal) -> str:
    """An amount in pesos, as the reader's language writes it."""
    return str(format_currency(amount, "MXN"))


@blueprint.context_processor
def for_templates() -> dict[str, object]:
    """What the templates of campaigns ask for: roles, and the page of a person (whose view the floor below owns)."""
    return {"may": lambda *roles: may(frozenset(roles)), "phases": labels.PHASES, "contact_url": _contact_url,
            "wording_fields": wording.FIELDS}  # fmt: skip


def _contact_url(contact_id: int) -> str:
    return url_for("contacts.show", contact_id=contact_id)


@blueprint.get("/")
@access("strategist", "administrator", "supervisor")
def page() -> ResponseReturnValue:
    return render_template("campaigns/index.html", **_overview())


@blueprint.get("/live")
@access("strategist", "administrator", "supervisor")
def live() -> ResponseReturnValue:
    """The lists alone, for the page that refreshes itself."""
    return render_template("campaigns/_lists.html", **_overview())


@blueprint.post("/stop-all")
@access("strategist", "administrator")
def stop_all() -> ResponseReturnValue:
    """Pause every running campaign, of calls and of messages. What is under way ends by itself.

    Each is committed alone: one that just ended, or is locked by a long plan, keeps no other one running."""
    session, paused, who = web_session(), 0, int(current_user.id)
    calls, texts = _running_campaigns()
    acts = [(calling.pause, one.id) for one in calls] + [(message_campaigns.pause, one.id) for one in texts]
    for pause, campaign_id in acts:
        with suppress(Refused):  # it is over already
            pause(session, campaign_id, "emergency", who)
            paused += 1
        session.commit()
    audit.record(session, current_user.id, "campaigns.stop_all", "campaigns", paused=paused)
    session.commit()
    flash(ngettext("%(num)s campaign was paused.", "%(num)s campaigns were paused.", paused), "warning")
    return redirect(request.referrer or url_for("campaigns.page"))


def _running_campaigns() -> tuple[list[calling.CallCampaign], list[message_campaigns.MessageCampaign]]:
    session = web_session()
    return calling.running(session), message_campaigns.running(session)


def _overview() -> dict[str, object]:
    session = web_session()
    calls, texts = calling.newest(session), message_campaigns.newest(session)
    is_author = may(frozenset(draft_views.AUTHORS))
    return {
        "calls": calls, "texts": texts, "labels": labels, "as_of": campaign_now(session), "why": queues.why_sentence,
        "message_counts": reports.message_counts(session, [one.id for one in texts]),
        "drafts": call_drafts.waiting(session) if is_author else [], "fallback": queue_pace.fallback_sentence,
        "text_drafts": message_drafts.waiting(session) if is_author else [],
        "to_approve": message_approvals.waiting(session, texts),
        "anything_runs": any(_running_campaigns()), **_of_calls(calls),
        "no_progress": {"planned": 0, "settled": 0, "delivered": 0, "failed": 0}, "title": _("Campaigns"),
    }  # fmt: skip


def _of_calls(calls: list[calling.CallCampaign]) -> dict[str, object]:
    """How far each calling campaign is, how fast it goes, who found nobody, and when it would end."""
    session, ids = web_session(), [one.queue_id for one in calls]
    running = [one for one in calls if one.queue.state == "running"]
    counts = reports.call_counts(session, ids)
    speeds = call_figures.speeds(session, ids)
    return {
        "call_counts": counts, "speeds": speeds, "found_nobody": abandonment.of_queues(session, ids),
        "ends": call_figures.ends(session, running, counts, speeds),
    }  # fmt: skip
