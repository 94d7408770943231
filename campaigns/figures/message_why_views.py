"""«¿Por qué le llegó, o no, a esta persona?»: of one message, of one person, and the search for them."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import audit
from callcenter.base.auth import access, may
from callcenter.base.clock import ZONE
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.contacts import Contact, masked
from campaigns import labels
from campaigns.figures import message_whys
from campaigns.figures.message_report_views import WATCHERS
from campaigns.figures.message_whys import Why
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.telephoning import why_people

blueprint = Blueprint("message_whys", __name__, url_prefix="/messages")

SEE_PHONES = frozenset({"administrator", "supervisor"})  # of them: who may search by a phone, and reads it whole
# state of a step -> word, colour, icon
STEPS: dict[str, tuple[str, str]] = {
    "passed": ("success", "check-lg"), "stopped": ("danger", "slash-circle"), "waits": ("warning", "hourglass-split"),
    "news": ("info", "info-circle"),
}  # fmt: skip


@blueprint.context_processor
def words() -> dict[str, Any]:
    return {
        "labels": labels, "masked": masked, "steps": STEPS, "is_drill": web_settings().is_drill, "zone": ZONE,
        "sees_phones": current_user.is_authenticated and may(SEE_PHONES),
    }  # fmt: skip


@blueprint.get("/<int:campaign_id>/why")
@access(*WATCHERS)
def page(campaign_id: int) -> ResponseReturnValue:
    """Look for a person of the campaign, or of none."""
    campaign = campaigns.find(web_session(), campaign_id)
    said = request.args.get("person", "").strip()
    found = _find(campaign, said) if said else None
    return render_template("campaigns/message_why_search.html", campaign=campaign, said=said, found=found)


@blueprint.get("/<int:campaign_id>/why/<int:contact_id>")
@access(*WATCHERS)
def of_person(campaign_id: int, contact_id: int) -> ResponseReturnValue:
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    return _page(message_whys.of_person(session, campaign, contact_id), contact_id)


@blueprint.get("/why/<uuid:message_id>")
@access(*WATCHERS)
def show(message_id: UUID) -> ResponseReturnValue:
    session = web_session()
    message = message_whys.find(session, message_id)
    return _page(message_whys.of_message(session, message), message.contact_id)


def _page(why: Why, contact_id: int | None) -> str:
    """Whoever looks at what became of a person is in the audit."""
    session = web_session()
    contact = session.get(Contact, contact_id) if contact_id is not None else None
    subject = f"contact/{contact_id}" if contact_id is not None else f"message-campaign/{why.campaign.id}"
    audit.record(session, current_user.id, "messages.why", subject, campaign=why.campaign.id)
    session.commit()
    return render_template("campaigns/message_why.html", why=why, campaign=why.campaign, contact=contact)


def _find(campaign: MessageCampaign, said: str) -> dict[str, Any]:
    """{"people": [(contact, brief why)], "is_cut", "hint"}: who is on the list first."""
    session = web_session()
    by, people = why_people.look_up(session, said, by_phone=may(SEE_PHONES))
    audit.record(session, current_user.id, "contacts.search", f"message-campaign/{campaign.id}", by=by)
    session.commit()
    listed = message_whys.listed(session, campaign.id, [one.id for one in people])
    people = sorted(people, key=lambda one: one.id not in listed)
    shown = people[: why_people.SHOWN]
    return {
        "people": [(one, message_whys.brief(campaign, listed.get(one.id))) for one in shown],
        "is_cut": len(people) > len(shown), "hint": _("Try another spelling, or the person's number."),
    }  # fmt: skip
