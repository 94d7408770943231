"""The page of what somebody gets who picked up and found nobody: what they hear, and a message where one is wanted."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from flask_wtf import FlaskForm
from wtforms import Field, TextAreaField, ValidationError

from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.ledger import apologies
from campaigns import calling, labels, reports, wording
from campaigns.calling import CallCampaign
from campaigns.mailings import message_campaigns as messages
from campaigns.telephoning import apology_messages
from campaigns.telephoning.apology_messages import Apology

blueprint = Blueprint("apology", __name__, url_prefix="/calls/<int:campaign_id>/apology")
READERS = ("strategist", "administrator", "supervisor")
EDITORS = ("strategist", "administrator")


class ApologyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The message."""

    text = TextAreaField(_l("Text"))

    def validate_text(self, field: Field) -> None:
        faults = wording.check(field.data or "")
        if faults:
            raise ValidationError(" ".join(labels.fault(fault) for fault in faults))


@blueprint.get("")
@access(*READERS)
def page(campaign_id: int) -> ResponseReturnValue:
    campaign = calling.find(web_session(), campaign_id)
    kept = apology_messages.of(web_session(), campaign.queue_id)
    return _page(campaign, ApologyForm(data={"text": kept.text if kept else _proposal(campaign)}))


@blueprint.post("")
@access(*EDITORS)
def save(campaign_id: int) -> ResponseReturnValue:
    """Turn the message on with this text, or off."""
    session, form = web_session(), ApologyForm()
    campaign = calling.find(session, campaign_id)
    wanted = None
    if "off" not in request.form:
        if not form.validate():
            return _page(campaign, form), 422
        wanted = Apology(wording.clean(form.text.data), web_settings().twilio.sms_sender)
    apology_messages.set_message(session, campaign.queue_id, wanted, current_user.id)
    session.commit()
    flash(_("From now on they are written to.") if wanted else _("Nobody is written to any more."), "success")
    return redirect(url_for(".page", campaign_id=campaign_id))


def _proposal(campaign: CallCampaign) -> str:
    words = _("We called you on behalf of %(name)s and could not talk to you. We are sorry. Reply BAJA and we will not "
              "write again.", name=campaign.queue.on_behalf_of)  # fmt: skip
    return str(words)


def _page(campaign: CallCampaign, form: ApologyForm) -> str:
    session = web_session()
    message_id = apology_messages.message_campaign_id(session, campaign.queue_id)
    counts = reports.message_counts(session, [message_id]).get(message_id, {}) if message_id else {}
    return render_template(
        "campaigns/apology.html", campaign=campaign, form=form, said=apologies.words(campaign.queue.on_behalf_of),
        message=messages.find(session, message_id) if message_id else None, written=sum(counts.values()),
        sender=web_settings().twilio.sms_sender, may_edit=may(frozenset(EDITORS)), fields=wording.FIELDS,
    )  # fmt: skip
