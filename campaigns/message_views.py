"""Pages of one message campaign: write it, look before it leaves, watch it, pause and stop it, say why."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session
from wtforms.fields import SelectChoice

from callcenter import contact_history
from callcenter.base import audit
from callcenter.base import live as live_pages
from callcenter.base.auth import access
from callcenter.base.db import open_session, web_session
from callcenter.base.settings import web_settings
from callcenter.table_files import csv_line
from campaigns import audiences, contact_messages, labels, preflight, reports, segments, wording
from campaigns import message_campaigns as campaigns
from campaigns.forms import MessageForm
from campaigns.message_campaigns import MessageCampaign, MessagePlan

blueprint = Blueprint("messages", __name__, url_prefix="/messages")

DEFAULT_TEXT = _l("Hello {given_names|neighbor}, this is … Reply BAJA and we will not write again.")
CSV_COLUMNS = ("message", "contact", "section", "state", "refusal", "error", "parts", "sent_at", "finished_at")
WATCHERS = ("strategist", "administrator", "supervisor")


def compose() -> None:
    """Make the page of a campaign that is being sent live; tell the page of a person what was written to them."""
    contact_history.register("messages", contact_messages.deeds, _l("Messages"))
    live_pages.register("message-campaign", _live_snapshot, roles=WATCHERS, pause=2.0)


def _live_snapshot(session: Session, _user_id: int, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.find(session, campaign_id)
    return {"state": campaign.state, **reports.message_counts(session, [campaign_id]).get(campaign_id, {})}


@blueprint.route("/new", methods=["GET", "POST"])
@access("strategist", "administrator")
def create() -> ResponseReturnValue:
    session = web_session()
    form = _form()
    if form.validate_on_submit():
        campaign = campaigns.create(session, form.plan(web_settings()), current_user.id)
        session.commit()
        return redirect(url_for(".show", campaign_id=campaign.id))
    if request.method == "GET":
        form.text.data, form.unit_price.data = str(DEFAULT_TEXT), Decimal("0.35")
    return render_template(
        "campaigns/message_form.html", form=form, fields=wording.FIELDS, has_segments=bool(form.segment_id.choices),
        **_counter(form.text.data or ""),
    ), 422 if form.errors else 200  # fmt: skip


@blueprint.post("/preview")
@access("strategist", "administrator")
def preview() -> ResponseReturnValue:
    """The live counter beside the text: parts, cost, five real texts. Writes nothing."""
    counted = _counter(request.form.get("text", ""))
    return render_template("campaigns/_counter.html", **counted)


@blueprint.get("/<int:campaign_id>")
@access(*WATCHERS)
def show(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaign = campaigns.find(session, campaign_id)
    if campaign.state == "draft":
        check = preflight.of_messages(session, campaign)
        return render_template("campaigns/message_preflight.html", campaign=campaign, check=check, labels=labels,
                               warnings=_warnings(campaign))  # fmt: skip
    return render_template("campaigns/message.html", **_picture(campaign))


@blueprint.get("/<int:campaign_id>/live")
@access(*WATCHERS)
def live(campaign_id: int) -> ResponseReturnValue:
    """The moving part of the campaign's page."""
    campaign = campaigns.find(web_session(), campaign_id)
    if campaign.state != request.args.get("state", campaign.state):
        return "", 200, {"HX-Refresh": "true"}  # the buttons above change too
    return render_template("campaigns/_message.html", **_picture(campaign))


@blueprint.post("/<int:campaign_id>/send")
@access("strategist", "administrator")
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
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/resume")
@access("strategist", "administrator")
def resume(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.resume(session, campaign_id, current_user.id)
    session.commit()
    return redirect(url_for(".show", campaign_id=campaign_id))


@blueprint.post("/<int:campaign_id>/stop")
@access("strategist", "administrator")
def stop(campaign_id: int) -> ResponseReturnValue:
    session = web_session()
    campaigns.stop(session, campaign_id, request.form.get("reason") or "review", current_user.id)
    session.commit()
    flash(_("Stopped for good. Who has not been written to will not be."), "warning")
    return redirect(url_for(".show", campaign_id=campaign_id))


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


def _form() -> MessageForm:
    form = MessageForm()
    form.segment_id.choices = audiences.choices(web_session())
    sender = web_settings().twilio.sms_sender
    form.sender.choices = [SelectChoice(sender, sender)] if sender else []
    return form


def _draft(text: str) -> MessageCampaign | None:
    """A campaign to look at, to whom the form names (or to the first segment); never added to the session."""
    session = web_session()
    offered = [value for group in audiences.choices(session).values() for value, _name in group]
    chosen = request.values.get("segment_id") or next(iter(offered), "")
    if chosen not in offered:
        return None
    segment_id, frozen_id = audiences.read(chosen)
    plan = MessagePlan("", segment_id, "survey", text, "", web_settings().carrier, frozen_segment_id=frozen_id)
    return MessageCampaign(**plan.__dict__, segment=segments.get(session, segment_id))


def _counter(text: str) -> dict[str, object]:
    """What the page says beside a text: its faults, or five texts and the parts of the longest of them."""
    session, faults, draft = web_session(), wording.check(text), _draft(text)
    texts: list[str] = []
    parts = wording.parts(wording.clean(text))
    people = None
    if draft is not None:
        people = segments.count(session, audiences.rule_of(draft), purpose=request.form.get("purpose"))
    if draft is not None and not faults:
        texts, parts = preflight.renders(session, draft)
    plain = wording.parts(wording.without_accents(max(texts, key=len, default=text)))
    return {"faults": [labels.fault(fault) for fault in faults], "renders": texts, "parts": parts, "plain": plain,
            "people": people, "labels": labels}  # fmt: skip


def _warnings(campaign: MessageCampaign) -> list[str]:
    """What does not forbid the send but should be seen before it."""
    text, found = campaign.text.casefold(), []
    if not any(word in text for word in ("baja", "alto", "stop")):
        found.append(_("The text does not say how to opt out. Add a line such as «BAJA para no recibir más»."))
    if campaign.on_behalf_of.casefold() not in text:
        found.append(_("The text does not name %(who)s. People should know who writes.", who=campaign.on_behalf_of))
    if not campaign.unit_price:
        found.append(_("The price is zero: a free service may count as a contribution in kind."))
    return found


def _picture(campaign: MessageCampaign) -> dict[str, object]:
    return {"campaign": campaign, "funnel": reports.funnel(web_session(), campaign), "labels": labels}
