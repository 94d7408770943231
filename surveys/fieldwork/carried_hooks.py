"""Webhooks of a recorded survey: a carrier asks what to say to whoever answered, and tells which keys were pressed."""

from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.base.settings import web_settings
from callcenter.calls import Event
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signature import signed
from surveys.faces import twiml
from surveys.fieldwork import carried_interviews
from surveys.fieldwork.carried_addresses import HOOKS, Addresses
from surveys.voice import prompt_trials, prompts

blueprint = Blueprint("recorded_survey_webhooks", __name__, url_prefix=HOOKS)
FOREVER = "public, max-age=31536000, immutable"  # a sound is named by what is in it


@blueprint.post("/survey/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def answered(call_id: UUID) -> ResponseReturnValue:
    """The citizen picked up, and a recording takes the call; or somebody of ours who tries the survey on their own
    telephone. Asked twice, the same."""
    session = web_session()
    trial = prompt_trials.take(session, str(call_id))
    is_ours = trial is not None or _connect(session, call_id)
    document = carried_interviews.begin(session, call_id, _addresses(), trial) if is_ours else twiml.hang_up()
    session.commit()
    return _twiml(document)


def _connect(session: Session, call_id: UUID) -> bool:
    form = request.form
    ref = form.get("CallSid")
    calls.answer(session, call_id, Event("answered", f"answer:{ref}", words.cause_of(form), ref))
    return calls.locked(session, call_id).state == "connected"


@blueprint.post("/survey/<token>/<int:turn>")
@public("the carrier's signature is its log-in, and the address is signed by us")
@signed
def heard(token: str, turn: int) -> ResponseReturnValue:
    """What came back to one step: keys, silence or a voice. Told twice, the same."""
    session, where = web_session(), _addresses()
    call_id = where.call_of(token)
    if call_id is None:
        raise NotFound(_("There is no such call."))
    document = carried_interviews.go_on(session, call_id, turn, request.form, where)
    session.commit()
    return _twiml(document)


@blueprint.get("/prompt/<token>.wav")
@public("carriers fetch sounds like any file; the address is signed by us")
def prompt(token: str) -> ResponseReturnValue:
    """A recording that a survey says, as a WAV file."""
    name = _addresses().sound_of(token)
    if name is None:
        raise NotFound(_("There is no such recording."))
    headers = {"Content-Type": "audio/wav", "Cache-Control": FOREVER}
    return prompts.sound(web_session(), name), 200, headers


def _addresses() -> Addresses:
    return Addresses(web_settings())


def _twiml(document: str) -> ResponseReturnValue:
    return document, 200, {"Content-Type": "text/xml; charset=utf-8"}
