"""What goes with the wordings of one campaign beyond their text: chosen before it leaves, or while it is paused."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import Refused
from campaigns import channels
from campaigns.channels.channel_views import enclosed_part
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_drafts
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts import enclosures, wordings
from campaigns.texts.enclosures import Enclosed
from campaigns.texts.message_templates import MessageTemplate, as_wording
from campaigns.texts.wordings import FIRST

blueprint = Blueprint("enclosures", __name__, url_prefix="/messages")
AUTHORS = ("strategist", "administrator")


@blueprint.route("/<int:campaign_id>/enclosed", methods=["GET", "POST"])
@access(*AUTHORS)
def page(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    said = wordings.texts(session, campaign_id)
    if request.method == "GET":
        kept = enclosures.of(session, campaign_id)
        return _page(campaign, {letter: kept.get(letter, enclosures.NOTHING) for letter in said}, {})
    chosen = {letter: enclosures.read(request.form, letter) for letter in said}
    campaign = campaigns.lock(session, campaign_id)
    if campaign.state not in message_drafts.CHANGEABLE:
        raise Refused("state", _("A campaign that is being sent is not changed: pause it first."))
    texts = {letter: _text(session, chosen[letter], said[letter]) for letter in said}
    faults = {
        letter: found for letter in said
        if (found := enclosures.faults(session, campaign.channel, chosen[letter], texts[letter]))
    }  # fmt: skip
    if faults:
        session.rollback()
        return _page(campaigns.find(session, campaign_id), chosen, faults), 422
    keep(session, campaign, chosen, texts, int(current_user.id))
    session.commit()
    flash(_("Kept. Whoever approves it sees it so."), "success")
    return redirect(url_for("campaigns.messages.show", campaign_id=campaign_id))


def keep(
    session: Session, campaign: MessageCampaign, chosen: dict[str, Enclosed], texts: dict[str, str], user_id: int
) -> None:
    """The enclosures, and the texts that follow from their templates, in the campaign and in its draft alike."""
    for letter, said in chosen.items():
        enclosures.keep(session, campaign.id, letter, said, user_id)
    campaign.text, campaign.changed_by = texts[FIRST], user_id
    every = [wordings.Wording(**{**one.__dict__, "text": texts[one.letter]})
             for one in wordings.of(session, campaign.id)]  # fmt: skip
    wordings.keep(session, campaign.id, every)
    draft = message_drafts.of_campaign(session, campaign.id)
    if draft is not None:
        typed = {"text" if letter == FIRST else "text_b": text for letter, text in texts.items()}
        message_drafts.keep(session, draft.id, typed)


def _text(session: Session, said: Enclosed, written: str) -> str:
    """What the wording says: the template's text, once one is chosen."""
    template: MessageTemplate | None = enclosures.template_of(session, said)
    return as_wording(template, said.variables) if template is not None else written


def _page(campaign: MessageCampaign, chosen: dict[str, Enclosed], faults: dict[str, dict[str, str]]) -> str:
    parts: dict[str, dict[str, Any]] = {
        letter: enclosed_part(campaign.channel, letter, said, faults.get(letter)) for letter, said in chosen.items()
    }
    return render_template(
        "campaigns/channels/enclosed.html", campaign=campaign, parts=parts, faults=faults,
        facts=channels.facts(campaign.channel), texts=wordings.texts(web_session(), campaign.id),
    )  # fmt: skip
