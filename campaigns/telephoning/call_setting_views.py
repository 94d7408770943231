"""What of a calling campaign may be changed while it runs, beside its pace: hours and retries, and who works in it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from werkzeug.datastructures import MultiDict

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.queueing import crews, queue_rules
from campaigns import calling
from campaigns.calling import CallCampaign
from campaigns.telephoning import rule_forms
from campaigns.telephoning.draft_forms import CrewForm
from campaigns.telephoning.rule_forms import RuleForm

blueprint = Blueprint("settings", __name__, url_prefix="/calls/<int:campaign_id>/settings")
AUTHORS = ("strategist", "administrator")


@blueprint.get("")
@access(*AUTHORS)
def page(campaign_id: int) -> str:
    campaign = calling.find(web_session(), campaign_id)
    rules = rule_forms.fill(queue_rules.of_queue(campaign.queue))
    return _page(campaign, RuleForm(MultiDict(rules)), _crew(campaign))


@blueprint.post("/rules")
@access(*AUTHORS)
def set_rules(campaign_id: int) -> ResponseReturnValue:
    """Heeded at the next decision."""
    session = web_session()
    campaign, form = calling.find(session, campaign_id), RuleForm(request.form)
    if not form.validate():
        return _page(campaign, form, _crew(campaign)), 422
    queue_rules.set_rules(session, campaign.queue_id, form.rules(), current_user.id)
    session.commit()
    flash(_("The rules are changed; whoever is called next is called by them."), "success")
    return redirect(url_for(".page", campaign_id=campaign_id))


@blueprint.post("/crew")
@access(*AUTHORS)
def set_crew(campaign_id: int) -> ResponseReturnValue:
    """Calls under way stay with who has them."""
    session = web_session()
    campaign, form = calling.find(session, campaign_id), CrewForm(request.form)
    form.prepare(session, {})
    if not form.validate():
        rules = rule_forms.fill(queue_rules.of_queue(campaign.queue))
        return _page(campaign, RuleForm(MultiDict(rules)), form), 422
    crews.name(session, campaign.queue_id, [int(number) for number in form.operators.data], current_user.id)
    session.commit()
    flash(_("The operators are named; calls under way stay with who has them."), "success")
    return redirect(url_for(".page", campaign_id=campaign_id))


def _crew(campaign: CallCampaign) -> CrewForm:
    session = web_session()
    named = [str(number) for number in crews.of_queue(session, campaign.queue_id)]
    form = CrewForm(MultiDict({"operators": named}))
    form.prepare(session, {})
    return form


def _page(campaign: CallCampaign, rule_form: RuleForm, crew_form: CrewForm) -> str:
    return render_template(
        "campaigns/call_settings.html", campaign=campaign, queue=campaign.queue, rule_form=rule_form,
        crew_form=crew_form,
    )  # fmt: skip
