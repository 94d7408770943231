"""Acts on one message campaign beside sending it: try it on phones of ours, approve it, let the rest go, choose."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from campaigns import labels
from campaigns.mailings import canaries, message_approvals, message_looks, message_tests
from campaigns.mailings import message_campaigns as campaigns

blueprint = Blueprint("message_acts", __name__, url_prefix="/messages/<int:campaign_id>")
AUTHORS, APPROVERS = ("strategist", "administrator"), ("strategist", "administrator", "supervisor")


@blueprint.post("/tests")
@access(*AUTHORS)
def test(campaign_id: int) -> ResponseReturnValue:
    """Send it to a few phones of our own."""
    session, typed = web_session(), request.form.get("phones", "")
    try:
        sent = message_tests.begin(session, campaign_id, typed, current_user.id)
    except (InvalidInput, Refused) as fault:
        session.rollback()
        return _again(campaign_id, {"phones": _sentence(fault)}), 422 if isinstance(fault, InvalidInput) else 409
    session.commit()
    flash(ngettext("%(num)s test message leaves.", "%(num)s test messages leave.", sent), "success")
    return redirect(_page(campaign_id, "test"))


@blueprint.get("/tests")
@access(*APPROVERS)
def tests(campaign_id: int) -> ResponseReturnValue:
    """What has become of the tests."""
    session = web_session()
    campaign, tried = campaigns.find(session, campaign_id), message_tests.newest(session, campaign_id)
    return render_template("campaigns/_message_tests.html", campaign=campaign, tried=tried, labels=labels)


@blueprint.post("/ask")
@access(*AUTHORS)
def ask(campaign_id: int) -> ResponseReturnValue:
    """Put it before a second person."""
    session = web_session()
    message_approvals.ask(session, campaigns.lock(session, campaign_id), current_user.id)
    session.commit()
    flash(_("It waits for a second person now; the list of campaigns says so."), "success")
    return redirect(_page(campaign_id, "approval"))


@blueprint.post("/approve")
@access(*APPROVERS)
def approve(campaign_id: int) -> ResponseReturnValue:
    """Let exactly what was seen go."""
    session = web_session()
    campaign = campaigns.lock(session, campaign_id)
    message_approvals.approve(session, campaign, request.form.get("version", ""), current_user.id)
    campaigns.tell(session, campaign_id)
    session.commit()
    flash(_("Approved. Whoever changes it now asks for another approval."), "success")
    return redirect(_page(campaign_id, "approval"))


@blueprint.post("/send-back")
@access(*APPROVERS)
def send_back(campaign_id: int) -> ResponseReturnValue:
    """Say what has to change first."""
    session, remark = web_session(), request.form.get("remark", "")
    try:
        message_approvals.send_back(session, campaigns.lock(session, campaign_id), remark, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _again(campaign_id, fault.faults), 422
    session.commit()
    flash(_("Sent back to who wrote it, with your words."), "info")
    return redirect(_page(campaign_id, "approval"))


@blueprint.post("/release")
@access(*AUTHORS)
def release(campaign_id: int) -> ResponseReturnValue:
    """Let the rest go, with the wording that was chosen or with both."""
    session = web_session()
    canaries.release(session, campaign_id, current_user.id, request.form.get("winner") or None)
    session.commit()
    flash(_("The rest is let go."), "success")
    return redirect(_page(campaign_id))


@blueprint.post("/choose")
@access(*AUTHORS)
def choose(campaign_id: int) -> ResponseReturnValue:
    """From now on one wording for everybody who is left."""
    session, winner = web_session(), request.form.get("winner", "")
    canaries.choose(session, campaign_id, winner, current_user.id)
    session.commit()
    flash(_("From now on everybody gets wording %(letter)s.", letter=winner), "success")
    return redirect(_page(campaign_id))


def _page(campaign_id: int, anchor: str | None = None) -> str:
    return url_for("campaigns.messages.show", campaign_id=campaign_id, _anchor=anchor)


def _again(campaign_id: int, faults: dict[str, str]) -> str:
    """The campaign's page with what was typed and what is wrong with it."""
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    if campaign.state == "draft":
        look = message_looks.last_look(session, campaign)
        return render_template("campaigns/message_preflight.html", faults=faults, **look)
    return render_template("campaigns/message.html", faults=faults, **message_looks.picture(session, campaign))


def _sentence(fault: InvalidInput | Refused) -> str:
    return " ".join(fault.faults.values()) if isinstance(fault, InvalidInput) else str(fault)
