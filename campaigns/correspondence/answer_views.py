"""What one does in a conversation: answer, promise a call; and the canned replies, kept by those who hand out work."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.settings import web_settings
from callcenter.queueing import callbacks
from campaigns import wording
from campaigns.correspondence import canned_replies, conversation_callbacks, conversations
from campaigns.correspondence import conversation_lists as lists
from campaigns.correspondence import conversation_replies as replies
from campaigns.correspondence.conversation_replies import Answer
from campaigns.correspondence.inbox_views import EVERYBODY, MANAGERS, asked, conversation_page, only_own

blueprint = Blueprint("answers", __name__, url_prefix="/inbox")


@blueprint.post("/conversations/<int:conversation_id>/reply")
@access(*EVERYBODY)
def reply(conversation_id: int) -> ResponseReturnValue:
    """Write back; «and resolve» ends the conversation and goes on with the next."""
    session, here = web_session(), asked()
    typed = {"text": request.form.get("text", ""), "channel": request.form.get("channel", "")}
    conversation = conversations.lock(session, conversation_id, of_user=only_own())
    _before, after = lists.neighbours(session, here.wanted, conversation)
    answer = Answer(typed["text"], typed["channel"], _moment(request.form.get("seen", "")))
    try:
        replies.reply(session, conversation, answer, web_settings().twilio.sms_sender, int(current_user.id))
    except (InvalidInput, Refused) as fault:
        session.rollback()
        return _refused(conversation_id, _faults(fault, "text"), typed=typed)
    if "resolve" in request.form:
        conversations.resolve(session, [conversation_id], int(current_user.id))
    session.commit()
    flash(_("Your answer is on its way."), "success")
    goes_on = "resolve" in request.form and after is not None
    return redirect(url_for("campaigns.inbox.show", conversation_id=after if goes_on else conversation_id,
                            sent=conversation_id, **here.query))  # fmt: skip


@blueprint.post("/conversations/<int:conversation_id>/call-back")
@access(*EVERYBODY)
def call_back(conversation_id: int) -> ResponseReturnValue:
    """Promise the person a call."""
    session = web_session()
    conversation = conversations.lock(session, conversation_id, of_user=only_own())
    queue_id, words = request.form.get("queue", 0, type=int), request.form.get("at") or request.form.get("when", "")
    try:
        at = conversation_callbacks.promise(session, conversation, queue_id, words, int(current_user.id))
    except (InvalidInput, Refused) as fault:
        session.rollback()
        return _refused(conversation_id, _faults(fault, "when"), when=words, queue=queue_id)
    session.commit()
    when = callbacks.spoken(at, campaign_now(session))
    flash(_("They will be called %(when)s, where they live.", when=when), "success")
    return redirect(url_for("campaigns.inbox.show", conversation_id=conversation_id, **asked().query))


@blueprint.post("/parts")
@access(*EVERYBODY)
def parts() -> ResponseReturnValue:
    """The counter below an answer: characters and parts."""
    text = wording.clean(request.form.get("text", ""))
    return render_template("campaigns/inbox/_parts.html", length=len(text), parts=wording.parts(text),
                           most=wording.MAX_CHARACTERS, channel=request.form.get("channel", "sms"))  # fmt: skip


@blueprint.get("/canned")
@access(*MANAGERS)
def canned() -> ResponseReturnValue:
    return _canned_page()


@blueprint.post("/canned")
@access(*MANAGERS)
def save_canned() -> ResponseReturnValue:
    """A new canned reply, or another wording of one."""
    session, reply_id = web_session(), request.form.get("reply", type=int)
    shortcut, text = request.form.get("shortcut", ""), request.form.get("text", "")
    try:
        canned_replies.save(session, reply_id, shortcut, text, int(current_user.id))
    except InvalidInput as fault:
        session.rollback()
        typed = {"id": reply_id, "shortcut": shortcut, "text": text}
        return _canned_page(typed=typed, faults=fault.faults), 422
    session.commit()
    flash(_("The reply was kept."), "success")
    return redirect(url_for(".canned"))


@blueprint.post("/canned/<int:reply_id>/remove")
@access(*MANAGERS)
def remove_canned(reply_id: int) -> ResponseReturnValue:
    session = web_session()
    canned_replies.remove(session, reply_id, int(current_user.id))
    session.commit()
    flash(_("The reply was deleted."), "success")
    return redirect(url_for(".canned"))


def _moment(said: str) -> datetime | None:
    """When the conversation that stood on the page had moved last; nonsense is never."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _canned_page(typed: dict[str, Any] | None = None, faults: dict[str, str] | None = None) -> str:
    return render_template("campaigns/inbox/canned.html", replies=canned_replies.listed(web_session()),
                           typed=typed or {}, faults=faults or {}, fields=wording.FIELDS)  # fmt: skip


def _faults(fault: InvalidInput | Refused, field: str) -> dict[str, str]:
    return fault.faults if isinstance(fault, InvalidInput) else {field: str(fault)}


def _refused(conversation_id: int, faults: dict[str, str], **typed: Any) -> ResponseReturnValue:
    """The same page with what was typed and what is wrong with it."""
    conversation = conversations.find(web_session(), conversation_id, of_user=only_own())
    return conversation_page(conversation, faults=faults, **typed), 422
