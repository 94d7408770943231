"""The page of messages left by who rings us: heard, seen to, called back, deleted. Who listens is written down."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base import audit, navigation
from callcenter.base.auth import User, access
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound, ProviderError, Refused
from callcenter.base.web import PAGE_SIZE, Page, page_number
from callcenter.contacts import masked
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.inbound import WITHHELD
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue
from callcenter.sound import recording_files, voice_messages
from callcenter.sound.voice_messages import STATES, VoiceMessage

blueprint = Blueprint("voice_messages", "callcenter", url_prefix="/voice-messages", template_folder="templates")
LISTENERS = ("supervisor", "administrator")
SHOWN = ("left", "kept", "lost")  # nothing is shown of one that is being spoken, or was deleted


@blueprint.get("/")
@access(*LISTENERS)
def index() -> ResponseReturnValue:
    session, number = web_session(), page_number()
    shows_all = request.args.get("show") == "all"
    query = _listed(shows_all=shows_all).limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    rows = session.execute(query).all()
    return render_template(
        "callcenter/voice_messages/index.html", page=Page(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE),
        shows_all=shows_all, states=STATES, caller=_caller, sees_people=navigation.is_open("contacts.show"),
    )  # fmt: skip


@blueprint.get("/<uuid:message_id>/sound")
@access(*LISTENERS)
def sound(message_id: UUID) -> ResponseReturnValue:
    """The message itself, whole: a minute at most. Audited as listening."""
    session = web_session()
    message = voice_messages.get(session, message_id)
    if message.state != "kept" or message.storage is None or message.size is None:
        raise NotFound(_("There is no sound of this message."))
    storage, size = message.storage, message.size
    audit.record(session, current_user.id, "voice_messages.listen", f"voice-message/{message_id}")
    session.commit()  # nothing is open while the storage answers
    try:
        content = b"".join(recording_files.storage(storage).read(message_id, 0, size))
    except ProviderError:
        raise NotFound(_("The storage does not give the sound at this moment. Try again later.")) from None
    return Response(content, mimetype="audio/flac", headers={"Cache-Control": "no-store"})


@blueprint.post("/<uuid:message_id>/done")
@access(*LISTENERS)
def finish(message_id: UUID) -> ResponseReturnValue:
    return _do(lambda session: voice_messages.finish(session, message_id, int(current_user.id)), _("Seen to."))


@blueprint.post("/<uuid:message_id>/call-back")
@access(*LISTENERS)
def call_back(message_id: UUID) -> ResponseReturnValue:
    """The campaign calls the person next, as a promised callback."""
    return _do(lambda session: _promise(session, message_id), _("They are called back as soon as an operator is free."))


@blueprint.post("/<uuid:message_id>/delete")
@access(*LISTENERS)
def delete(message_id: UUID) -> ResponseReturnValue:
    return _do(
        lambda session: voice_messages.remove(session, [message_id], int(current_user.id)), _("The message is deleted.")
    )


def _do(act: Callable[[Session], object], said: str) -> ResponseReturnValue:
    session = web_session()
    act(session)
    session.commit()
    flash(said, "success")
    return redirect(url_for(".index", show=request.args.get("show")))


def _promise(session: Session, message_id: UUID) -> None:
    call = session.get_one(Call, voice_messages.get(session, message_id).call_id)
    queue = session.get_one(CallQueue, call.queue_id)
    if call.entry_id is None or queue.state == "finished":
        raise Refused("no_entry", _("No campaign that goes on has this person. Call them yourself, then see to it."))
    queue_entries.promise_callback(session, call.entry_id, campaign_now(session), None)
    voice_messages.finish(session, message_id, int(current_user.id))


def _listed(*, shows_all: bool) -> Select[VoiceMessage, str, int | None, datetime, str, bool, str]:
    """columns: VoiceMessage, phone, contact_id, at (campaign time), queue (name), may_call_back, done_by (name)"""
    wanted = (
        select(
            VoiceMessage, Attempt.phone, Attempt.contact_id, Attempt.at, CallQueue.name.label("queue"),
            (Call.entry_id.is_not(None) & (CallQueue.state != "finished")).label("may_call_back"),
            User.full_name.label("done_by"),
        )
        .join(Call, Call.id == VoiceMessage.call_id)
        .join(Attempt, Attempt.id == VoiceMessage.call_id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(User, User.id == VoiceMessage.done_by)
        .where(VoiceMessage.state.in_(SHOWN))
        .order_by(VoiceMessage.at.desc(), VoiceMessage.id)
    )  # fmt: skip
    return wanted if shows_all else wanted.where(voice_messages.is_open())


def _caller(phone: str, contact_id: int | None) -> str:
    """Whose message it is: of somebody in our lists the page of the person says more; a stranger's number is all that
    there is to call them back."""
    if phone.startswith(WITHHELD):
        return str(_("hidden number"))
    return masked(phone) if contact_id is not None else phone
