"""Pages of one message campaign: look before it leaves, send it, watch it, change it, pause and stop it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from callcenter.base import audit
from callcenter.base import live as live_pages
from callcenter.base.auth import access
from callcenter.base.db import open_session, web_session
from callcenter.base.web import back_to
from callcenter.people import contact_history
from callcenter.tables.table_files import csv_line
from campaigns import reports
from campaigns.figures import contact_messages
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings import message_drafts, message_looks, message_plans

blueprint = Blueprint("messages", __name__, url_prefix="/messages")

CSV_COLUMNS = ("message", "contact", "section", "state", "refusal", "error", "parts", "sent_at", "finished_at")
WATCHERS = ("strategist", "administrator", "supervisor")
AUTHORS = ("strategist", "administrator")


def compose() -> None:
    """Make the page of a campaign that is being sent live; tell the page of a person what was written to them."""
    contact_history.register("messages", contact_messages.deeds, _l("Messages"))
    live_pages.register("message-campaign", _live_snapshot, roles=WATCHERS, pause=2.0)


def _live_snapshot(session: Session, _user_id: int, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.find(session, campaign_id)
    return {"state": campaign.state, **reports.message_counts(session, [campaign_id]).get(campaign_id, {})}


@blueprint.get("/new")
@access(*AUTHORS)
def create() -> ResponseReturnValue:
    """To the first step of a new draft: the person's own in which nothing was written yet, else another."""
    session = web_session()
    draft = message_drafts.begin(session, current_user.id)
    session.commit()
    return redirect(url_for("campaigns.message_drafts.step", draft_id=draft.id, step="goal"))


@blueprint.get("/<int:campaign_id>")
@access(*WATCHERS)
def show(campaign_id: int) -> ResponseReturnValue:
    """A draft is looked at once more; what was launched is watched."""
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    if campaign.state == "draft":
        return render_template("campaigns/message_preflight.html", **message_looks.last_look(session, campaign))
    return render_template("campaigns/message.html", **message_looks.picture(session, campaign))


@blueprint.get("/<int:campaign_id>/live")
@access(*WATCHERS)
def live(campaign_id: int) -> ResponseReturnValue:
    """The moving part of the campaign's page."""
    campaign = campaigns.find(web_session(), campaign_id)
    if campaign.state != request.args.get("state", campaign.state):
        return "", 200, {"HX-Refresh": "true"}  # the buttons above change too
    return render_template("campaigns/_message.html", **message_looks.picture(web_session(), campaign))


@blueprint.post("/<int:campaign_id>/change")
@access(*AUTHORS)
def change(campaign_id: int) -> ResponseReturnValue:
    """To the wizard, over this campaign."""
    session = web_session()
    draft = message_plans.draft_of(session, campaigns.find(session, campaign_id), current_user.id)
    session.commit()
    return redirect(url_for("campaigns.message_drafts.step", draft_id=draft.id, step="wording"))


@blueprint.post("/<int:campaign_id>/duplicate")
@access(*AUTHORS)
def duplicate(campaign_id: int) -> ResponseReturnValue:
    """A new draft that says the same."""
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    name = _("%(name)s, again", name=campaign.name)
    draft = message_plans.copy(session, campaign, str(name), current_user.id)
    session.commit()
    return redirect(url_for("campaigns.message_drafts.step", draft_id=draft.id, step="goal"))


@blueprint.post("/<int:campaign_id>/send")
@access(*AUTHORS)
def send(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.launch(session, campaign_id, current_user.id, confirmed="confirmed" in request.form)
    session.commit()
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/pause")
@access(*WATCHERS)
def pause(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.pause(session, campaign_id, request.form.get("reason") or "review", current_user.id)
    session.commit()
    flash(_("Paused. Nothing more leaves until somebody resumes it."), "warning")
    return _back(campaign_id)


@blueprint.post("/<int:campaign_id>/resume")
@access(*AUTHORS)
def resume(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.resume(session, campaign_id, current_user.id)
    session.commit()
    return _back(campaign_id)


@blueprint.post("/<int:campaign_id>/stop")
@access(*AUTHORS)
def stop(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.stop(session, campaign_id, request.form.get("reason") or "review", current_user.id)
    session.commit()
    flash(_("Stopped for good. Who has not been written to will not be."), "warning")
    return _back(campaign_id)


@blueprint.get("/<int:campaign_id>/rows.csv")
@access("strategist", "administrator")
def rows(campaign_id: int) -> ResponseReturnValue:
    """Every row, without phones, names and texts."""
    session = web_session()
    campaigns.find(session, campaign_id)
    audit.record(session, current_user.id, "message_campaign.export", f"message-campaign/{campaign_id}")
    session.commit()
    name = f'attachment; filename="messages-{campaign_id}.csv"'
    return Response(_csv_lines(campaign_id), mimetype="text/csv", headers={"Content-Disposition": name})


def _csv_lines(campaign_id: int) -> Iterator[str]:
    """Codes, numbers and times only."""
    yield "\ufeff" + csv_line(CSV_COLUMNS)
    with open_session() as session:  # the request's own is closed before the last line leaves
        for part in reports.message_rows(session, campaign_id).partitions(1_000):
            yield "".join(csv_line(map(_plain, row)) for row in part)


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def _back(campaign_id: int) -> Answer:
    """To where the button was pressed, else to the campaign's page."""
    return back_to("campaigns.page") if "next" in request.form else redirect(url_for(".show", campaign_id=campaign_id))
