"""What is kept of one turn of a recorded survey over a carrier's webhooks: answers, keys, voices, a never again."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from surveys.faces import keypad
from surveys.faces.turns import Deed, Heard, State, Turn
from surveys.fieldwork import carried_talks, recorded_calls
from surveys.fieldwork.answering import Given, save
from surveys.fieldwork.call_material import Material
from surveys.fieldwork.carried_talks import CarriedTalk
from surveys.fieldwork.interview_standing import Held, hold
from surveys.fieldwork.recorded_calls import Keystrokes
from surveys.voice import voice_answers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exchange:
    """One turn: where the interview stood, what was heard, what follows; `form`: as the carrier posted it."""

    state: State
    heard: Heard
    following: Turn
    form: Mapping[str, str]


def keep(session: Session, talk: CarriedTalk, material: Material, exchange: Exchange) -> None:
    """Raises Refused when the survey takes no interview any more."""
    held = material.held
    for deed in exchange.following.deeds:
        _do(session, talk, deed, material, held)
        held = None  # of what stood before the deed
    if exchange.heard.kind == "voice":
        number, ref = UUID(exchange.heard.value), exchange.form["RecordingSid"]
        voice_answers.add(session, number, talk.number, exchange.state.item, carried_talks.CARRIER, ref)
    if exchange.heard.kind == "keys" and exchange.state.stage in ("question", "agreement"):
        session.add(_keystrokes(talk, exchange))


def _do(session: Session, talk: CarriedTalk, deed: Deed, material: Material, held: Held | None) -> None:
    call_id = talk.call_id
    if deed.kind == "begun":
        recorded_calls.enter_interview(session, call_id, talk.number, face="twiml")
    elif deed.kind == "opted_out":
        recorded_calls.opt_out(session, call_id)
    elif deed.kind in ("voice_agreed", "voice_declined"):
        recorded_calls.agree_to_voice(session, call_id, agreed=deed.kind == "voice_agreed")
    else:
        try:
            given = Given(deed.item, deed.value)
            save(session, held or hold(session, talk.number), given, material.setting.screen)
        except InvalidInput:  # the questionnaire was replaced meanwhile: the face checked with the one it asked
            log.warning("call %s: the answer to %s is not accepted any more", call_id, deed.item)


def _keystrokes(talk: CarriedTalk, exchange: Exchange) -> Keystrokes:
    """How long Twilio's voice takes for a question nobody tells: the time counts from its beginning."""
    state, now = exchange.state, real_now()
    is_answer = any(deed.kind == "answered" and deed.item == state.item for deed in exchange.following.deeds)
    return Keystrokes(
        interview_id=talk.number, item=state.item, keys=exchange.heard.keys, offered=_offered(state),
        prompt_ms=None, after_ms=int((now - talk.at).total_seconds() * 1000), is_answer=is_answer, at=now,
    )  # fmt: skip


def _offered(state: State) -> dict[str, str]:
    asked = state.look.question(state.item) if state.look and state.stage == "question" else None
    return keypad.pad_of(asked).choices if asked else {}
