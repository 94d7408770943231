"""The panel «why is it not dialling?» of one calling campaign, and the search for one person of its list."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_security import current_user

from callcenter import queues
from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.contacts import masked
from callcenter.queueing import queue_pace
from campaigns import calling, labels, why
from campaigns.calling import CallCampaign
from campaigns.telephoning import why_limits, why_people
from campaigns.telephoning.why_people import Found

blueprint = Blueprint("why", __name__, url_prefix="/calls/<int:campaign_id>/why")

WATCHERS = ("strategist", "administrator", "supervisor")
SEE_PHONES = frozenset({"administrator", "supervisor"})  # of them: who may search by a phone, and reads it whole
# state of a limit -> word, colour, icon
STATES = {
    why_limits.STOPS: (why_limits.STATE_LABELS[why_limits.STOPS], "danger", "slash-circle"),
    why_limits.SLOWS: (why_limits.STATE_LABELS[why_limits.SLOWS], "warning", "hourglass-split"),
    why_limits.OPEN: (why_limits.STATE_LABELS[why_limits.OPEN], "success", "check-lg"),
}


@blueprint.context_processor
def words() -> dict[str, Any]:
    """What the templates of the panel need."""
    return {
        "labels": labels, "zone_names": why.zone_names, "rest_label": why.rest_label,
        "why_sentence": queues.why_sentence, "mode_names": queue_pace.NAMES, "masked": masked,
        "sees_phones": current_user.is_authenticated and may(SEE_PHONES),
        "fallback_sentence": queue_pace.fallback_sentence,
    }  # fmt: skip


@blueprint.get("")
@access(*WATCHERS)
def page(campaign_id: int) -> str:
    campaign = calling.find(web_session(), campaign_id)
    said = request.args.get("person", "").strip()
    found = _find(campaign, said) if said else None
    return render_template("campaigns/why.html", said=said, found=found, **picture(campaign))


@blueprint.get("/panel")
@access(*WATCHERS)
def panel(campaign_id: int) -> str:
    """The part that moves."""
    return render_template("campaigns/_why.html", **picture(calling.find(web_session(), campaign_id)))


@blueprint.get("/brief")
@access(*WATCHERS)
def brief(campaign_id: int) -> str:
    """The panel in a few lines, for the page of the campaign."""
    return render_template("campaigns/_why_brief.html", **picture(calling.find(web_session(), campaign_id)))


@blueprint.get("/person")
@access(*WATCHERS)
def of_person(campaign_id: int) -> str:
    """Why one person of the list is not being called."""
    campaign = calling.find(web_session(), campaign_id)
    said = request.args.get("person", "").strip()
    found = _find(campaign, said) if said else None
    return render_template("campaigns/_why_people.html", said=said, found=found, campaign=campaign)


def picture(campaign: CallCampaign) -> dict[str, Any]:
    """The panel at this moment, for every page that carries it."""
    answer = why.of_campaign(web_session(), campaign)
    return {"campaign": campaign, "queue": campaign.queue, "why": answer, "states": STATES}


def _find(campaign: CallCampaign, said: str) -> Found:
    """What was looked for is personal data: the audit says that somebody looked, and how."""
    session = web_session()
    found = why_people.find(session, campaign.queue, said, by_phone=may(SEE_PHONES))
    audit.record(session, current_user.id, "contacts.search", f"call-campaign/{campaign.id}", by=found.by)
    session.commit()
    return found
