"""The list of campaigns, and the one button that stops everything."""

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
from campaigns import call_views, calling, inbox_views, labels, message_campaigns, message_views, reports

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns", template_folder="templates")
blueprint.register_blueprint(call_views.blueprint)
blueprint.register_blueprint(message_views.blueprint)
blueprint.register_blueprint(inbox_views.blueprint)


@blueprint.app_template_filter("currency")
def currency(amount: Decimal) -> str:
    """An amount in pesos, as the reader's language writes it."""
    return str(format_currency(amount, "MXN"))


@blueprint.context_processor
def for_templates() -> dict[str, object]:
    """What the templates of campaigns ask for: roles, and the page of a person (whose view the floor below owns)."""
    return {"may": lambda *roles: may(frozenset(roles)), "phases": labels.PHASES, "contact_url": _contact_url}


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
    """Pause every running campaign, of calls and of messages. What is under way ends by itself."""
    session = web_session()
    calls, texts = _running_campaigns()
    for call_campaign in calls:
        calling.pause(session, call_campaign.id, "emergency", current_user.id)
    for message_campaign in texts:
        message_campaigns.pause(session, message_campaign.id, "emergency", current_user.id)
    paused = len(calls) + len(texts)
    audit.record(session, current_user.id, "campaigns.stop_all", "campaigns", paused=paused)
    session.commit()
    flash(ngettext("%(num)s campaign was paused.", "%(num)s campaigns were paused.", paused), "warning")
    return redirect(request.referrer or url_for("campaigns.page"))


def _running_campaigns() -> tuple[list[calling.CallCampaign], list[message_campaigns.MessageCampaign]]:
    session = web_session()
    calls = [one for one in calling.newest(session) if one.queue.state == "running"]
    texts = [one for one in message_campaigns.newest(session) if one.state in ("planning", "running")]
    return calls, texts


def _overview() -> dict[str, object]:
    session = web_session()
    calls, texts = calling.newest(session), message_campaigns.newest(session)
    return {
        "calls": calls, "texts": texts, "labels": labels, "as_of": campaign_now(session), "why": queues.why_sentence,
        "call_counts": reports.call_counts(session, [one.queue_id for one in calls]),
        "message_counts": reports.message_counts(session, [one.id for one in texts]),
        "anything_runs": any(one.queue.state == "running" for one in calls)
        or any(one.state in ("planning", "running") for one in texts),
        "no_progress": {"planned": 0, "settled": 0, "delivered": 0, "failed": 0}, "title": _("Campaigns"),
    }  # fmt: skip
