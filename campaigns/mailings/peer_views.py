"""Peer-to-peer: a person reads each message of their batch and lets it go, or leaves the person out."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy import Row

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound, Refused
from callcenter.contacts import masked
from campaigns import messages, wording
from campaigns.correspondence.inbox_views import EVERYBODY
from campaigns.correspondence.survey_invitations import stand_in
from campaigns.mailings import message_campaigns, peer_batches
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.texts.wordings import texts

blueprint = Blueprint("peer", __name__, url_prefix="/peer")


@blueprint.get("/")
@access(*EVERYBODY)
def page() -> ResponseReturnValue:
    """The next message of my batch; without one, the campaigns of which I may take some."""
    session = web_session()
    batch = peer_batches.current(session, int(current_user.id))
    if batch is None:
        return render_template("campaigns/peer/choose.html", campaigns=peer_batches.campaigns(session),
                               sizes=peer_batches.SIZES, chosen=request.args.get("campaign", type=int))  # fmt: skip
    campaign, row = message_campaigns.find(session, batch.campaign_id), peer_batches.next_of(session, batch)
    return render_template(
        "campaigns/peer/message.html", batch=batch, campaign=campaign, row=row, masked=masked,
        progress=peer_batches.progress(session, batch), minutes=int(peer_batches.STALE.total_seconds() // 60),
        **(_rendered(campaign, row) if row is not None else {}),
    )  # fmt: skip


@blueprint.post("/take")
@access(*EVERYBODY)
def take() -> ResponseReturnValue:
    session = web_session()
    campaign_id, size = request.form.get("campaign", 0, type=int), request.form.get("size", 0, type=int)
    try:
        peer_batches.take(session, campaign_id, size, int(current_user.id))
        session.commit()
    except Refused as fault:
        session.rollback()
        flash(str(fault), "warning")
    return redirect(url_for(".page"))


@blueprint.post("/<uuid:message_id>/release")
@access(*EVERYBODY)
def release(message_id: UUID) -> ResponseReturnValue:
    return _act(peer_batches.release, message_id)


@blueprint.post("/<uuid:message_id>/skip")
@access(*EVERYBODY)
def skip(message_id: UUID) -> ResponseReturnValue:
    return _act(peer_batches.skip, message_id)


@blueprint.post("/give-back")
@access(*EVERYBODY)
def give_back() -> ResponseReturnValue:
    """What I do not get done is free for colleagues."""
    session, user_id = web_session(), int(current_user.id)
    batch = peer_batches.current(session, user_id)
    if batch is not None:
        number = peer_batches.give_back(session, batch, user_id)
        session.commit()
        flash(ngettext("%(num)s message was given back.", "%(num)s messages were given back.", number), "success")
    return redirect(url_for(".page"))


def _act(act: Any, message_id: UUID) -> ResponseReturnValue:
    """One click, one message; a batch that was given back meanwhile is told of, and nothing leaves."""
    session, user_id = web_session(), int(current_user.id)
    try:
        act(session, user_id, message_id)
        is_over = peer_batches.current(session, user_id) is None
        session.commit()
    except (NotFound, Refused) as fault:
        session.rollback()
        flash(str(fault), "warning")
        return redirect(url_for(".page"))
    if is_over:
        flash(_("The batch is done. Take another one, or look at what people answered."), "success")
    return redirect(url_for(".page"))


def _rendered(campaign: MessageCampaign, row: Row[Any]) -> dict[str, Any]:
    """The text as this person would read it; the ledger dresses it again when it leaves."""
    text = stand_in(texts(web_session(), campaign.id).get(row.Message.wording, campaign.text))
    try:
        said = wording.render(text, messages.values_of(row))
    except wording.MissingValue as missing:
        return {"text": text, "missing": missing.field, "parts": wording.parts(text)}
    return {"text": said, "missing": None, "parts": wording.parts(said)}
