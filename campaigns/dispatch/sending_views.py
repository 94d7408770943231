"""What is being sent, in the header of every page: how many campaigns, and each one's pause, resume and stop."""

from urllib.parse import urlsplit

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, or_, select

from callcenter.base.auth import access
from callcenter.base.db import web_session
from campaigns import labels
from campaigns.dispatch import message_states as states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

blueprint = Blueprint("sending", __name__, url_prefix="/sending")
WATCHERS = ("strategist", "administrator", "supervisor")
SHOWN = 12


@blueprint.get("/")
@access(*WATCHERS)
def header() -> ResponseReturnValue:
    """The button with its number; nothing where nothing is sent or paused."""
    found = _moving()
    alive = sum(1 for one in found if one.state != "paused")
    return render_template("campaigns/_sending.html", alive=alive, paused=len(found) - alive)


@blueprint.get("/list")
@access(*WATCHERS)
def listed() -> ResponseReturnValue:
    """The campaigns behind the button, each with its acts; these lead back to the page where they are pressed."""
    return render_template("campaigns/_sending_list.html", campaigns=_moving(), labels=labels, back=_asked_from())


def _moving() -> list[MessageCampaign]:
    """What is sent, prepared or paused, the newest first. A standing campaign (replies, apologies) only while there is
    something to send."""
    has_work = exists().where(Message.campaign_id == MessageCampaign.id, Message.state == states.PLANNED)
    wanted = select(MessageCampaign).where(
        MessageCampaign.state.in_(("planning", "running", "paused")), or_(~MessageCampaign.is_standing, has_work)
    )
    return list(web_session().scalars(wanted.order_by(MessageCampaign.id.desc()).limit(SHOWN)))


def _asked_from() -> str:
    """The page on which the header stands, as a path of ours."""
    found = urlsplit(request.headers.get("HX-Current-URL", ""))
    return f"{found.path}?{found.query}" if found.query else found.path or url_for("campaigns.page")
